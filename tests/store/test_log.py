"""The event log: order, versions, concurrency."""

import sqlite3
import threading
from datetime import timedelta

import psycopg
import pytest

from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Conflict
from stanch.kernel.event import NewEvent
from stanch.store import Store


def note(text: str) -> NewEvent:
    """Return an event that says `text`."""
    return NewEvent(kind="note", data={"text": text})


def test_events_come_back_as_written(store: Store) -> None:
    """An event keeps its data, its actor, its surface and its incident."""
    with store.writing() as tx:
        tx.append("incident/1", [note("a")], actor=person("alice", name="Alice"), via=Via.CLI, incident=1)
    with store.reading() as view:
        [event] = view.events(stream="incident/1")

    assert ({"text": "a"}, person("alice", name="Alice"), Via.CLI, 1) == (
        event.data,
        event.actor,
        event.via,
        event.incident,
    )


def test_versions_count_within_a_stream(store: Store) -> None:
    """Each stream counts its own events from 1."""
    with store.writing() as tx:
        tx.append("a", [note("1"), note("2")])
        tx.append("b", [note("1")])
        tx.append("a", [note("3")])
    with store.reading() as view:
        versions = [(event.stream, event.version) for event in view.events()]

    assert [("a", 1), ("a", 2), ("b", 1), ("a", 3)] == versions


def test_a_late_entry_keeps_both_times(store: Store, clock: ManualClock) -> None:
    """An entry for something earlier says when it happened and when it was learnt."""
    earlier = clock.now() - timedelta(minutes=15)
    with store.writing() as tx:
        [event] = tx.append("a", [NewEvent(kind="note", at=earlier)])

    assert (earlier, clock.now()) == (event.at, event.recorded_at)


def test_a_stale_decision_is_refused(store: Store) -> None:
    """Two decisions on the same version: the second is a conflict, and nothing of it is stored."""
    with store.writing() as tx:
        tx.append("a", [note("first")], expected=0)
    with pytest.raises(Conflict), store.writing() as tx:
        tx.append("b", [note("beside it")])
        tx.append("a", [note("second")], expected=0)
    with store.reading() as view:
        found = [event.data["text"] for event in view.events()]

    assert ["first"] == found


def test_nothing_is_stored_when_the_transaction_fails(store: Store) -> None:
    """An error in the block rolls everything back."""
    with pytest.raises(RuntimeError), store.writing() as tx:
        tx.append("a", [note("lost")])
        raise RuntimeError
    with store.reading() as view:
        found = view.events()

    assert [] == found


def test_a_number_is_never_given_twice(store: Store) -> None:
    """Counters go on from 1 without gaps over commits."""
    numbers = []
    for _ in range(3):
        with store.writing() as tx:
            numbers.append(tx.next_number("incident"))

    assert [1, 2, 3] == numbers


def test_followers_miss_nothing_while_many_write(database_url: str) -> None:
    """Whoever follows `seq` while four threads append sees every event, in order."""
    store = Store.open(database_url)
    done = threading.Event()

    def write(name: str) -> None:
        for index in range(25):
            with store.writing() as tx:
                tx.append(f"{name}/{index}", [note(name)])

    writers = [threading.Thread(target=write, args=(f"w{index}",)) for index in range(4)]
    seen: list[int] = []

    def follow() -> None:
        while not done.is_set() or _more(store, seen):
            with store.reading() as view:
                seen.extend(event.seq for event in view.events(after=seen[-1] if seen else 0))

    follower = threading.Thread(target=follow)
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join()
    with store.reading() as view:
        all_of_them = [event.seq for event in view.events()]
    store.close()

    assert (100, all_of_them) == (len(seen), seen)


def _more(store: Store, seen: list[int]) -> bool:
    with store.reading() as view:
        return view.last_seq() > (seen[-1] if seen else 0)


def test_one_of_many_deciders_wins(database_url: str) -> None:
    """Eight threads decide on the same version at once: exactly one of them is recorded."""
    store = Store.open(database_url)
    outcomes: list[str] = []

    def decide() -> None:
        try:
            with store.writing() as tx:
                tx.lock("a")
                tx.append("a", [note("mine")], expected=0)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    threads = [threading.Thread(target=decide) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()

    assert (1, 7) == (outcomes.count("won"), outcomes.count("lost"))


def test_a_connection_that_is_used_while_the_store_closes_ends_afterwards(store: Store) -> None:
    """What a thread still held is not left open when it is given back."""
    with store.reading() as view:
        held = view.connection.connection.dbapi_connection
        store.close()

    with pytest.raises((psycopg.OperationalError, sqlite3.ProgrammingError)):
        held.cursor().execute("SELECT 1")
