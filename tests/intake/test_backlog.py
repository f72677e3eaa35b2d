"""What is accepted in a storm: written down before it is answered, taken in soon after, once and in order."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from stanch.alerts.intake.journal.tables import count_waiting
from stanch.alerts.intake.journal.written import read, write
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.recognition import Recognition
from stanch.alerts.intake.tables import intake_alerts, intake_hot
from stanch.engine.intake.backlog import AT_ONCE, Backlog
from stanch.store import Transaction
from stanch.surfaces.http.alertmanager.posted import read_alerts
from tests.intake.outside import BEGAN, Outside, outside

SECRET = "hunter2" * 4


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a world that alerts come into."""
    with outside(database_url) as found:
        yield found


def said(numbers: Sequence[int], *, now: datetime = BEGAN, end: datetime | None = None, **more: str) -> list[Received]:
    """Return alerts as a sender says them."""
    body = [
        {
            "labels": {"alertname": "Down", "number": str(number), **more},
            "annotations": {"summary": "it is down"},
            "startsAt": (BEGAN - timedelta(minutes=5)).isoformat(),
            **({"endsAt": end.isoformat()} if end else {}),
        }
        for number in numbers
    ]
    received, problems = read_alerts(msgspec.json.encode(body), now=now, resolve_timeout=timedelta(minutes=5))
    assert not problems
    return received


def write_down(world: Outside, *bundles: list[Received]) -> None:
    """Leave bundles in the journal, as a node does that dies then."""
    backlog = Backlog(
        world.store, world.intake.writer, Recognition(), take_in=lambda tx, batch: None, done=lambda led: None
    )
    for bundle in bundles:
        with world.store.writing() as tx:
            backlog.put(tx, bundle)


def stored(world: Outside) -> int:
    """Return how many alerts are stored."""
    with world.store.reading() as view:
        return int(view.connection.execute(select(func.count()).select_from(intake_alerts)).scalar_one())


def waiting(world: Outside) -> int:
    """Return how many alerts wait in the journal."""
    with world.store.reading() as view:
        return count_waiting(view.connection)


def test_what_is_written_is_read_again() -> None:
    """An alert that was written down says the same afterwards."""
    before = said([1], end=BEGAN)
    after = read(write(before), Recognition())

    assert [(one.key(), one.labels, one.annotations(), one.note, one.episode) for one in said([1], end=BEGAN)] == [
        (one.key(), one.labels, one.annotations(), one.note, one.episode) for one in after
    ]


def test_no_annotations_are_read_again() -> None:
    """An alert without annotations has none after it was written down."""
    body = b'[{"labels": {"alertname": "Down"}}]'
    received, _ = read_alerts(body, now=BEGAN, resolve_timeout=timedelta(minutes=5))

    assert ["{}"] == [one.annotations() for one in read(write(received), Recognition())]


def test_secrets_are_not_written_down() -> None:
    """What is written into the journal has no secrets in it."""
    written = write(said([1, 2], password=SECRET))

    assert SECRET.encode() not in written


def test_secrets_are_not_written_down_the_second_time() -> None:
    """What could not be committed and is written down again has no secrets in it either."""
    batch = said([1, 2], password=SECRET)
    first = write(batch)

    assert first == write(batch)


def test_slashes_hide_no_secret() -> None:
    """A login in a link is found where the slashes of JSON are written with a backslash."""
    body = b'[{"labels": {"alertname": "Down"}, "annotations": {"db": "postgres:\\/\\/app:%b@db1\\/shop"}}]'
    received, _ = read_alerts(body % SECRET.encode(), now=BEGAN, resolve_timeout=timedelta(minutes=5))

    assert SECRET.encode() not in write(received)


def test_without_its_secret_an_alert_is_the_same(world: Outside) -> None:
    """An alert with a secret in a label is known by it: written down or not it is one alert."""
    world.intake.receive_now(said([1], password=SECRET))
    write_down(world, said([1], password=SECRET))
    world.intake.run_due()

    assert 1 == stored(world)


def test_what_a_dead_node_accepted_is_taken_in(world: Outside) -> None:
    """Bundles in the journal of a node that died are taken in by the next."""
    write_down(world, said(range(600)), said(range(600, 900)))
    world.intake.run_due()

    assert (900, 0) == (stored(world), waiting(world))


def test_the_last_word_holds(world: Outside) -> None:
    """What was said later is taken in later: an alert that fired and was resolved is over."""
    write_down(world, said([1]), said([1], end=BEGAN - timedelta(minutes=1)))
    world.intake.run_due()
    with world.store.reading() as view:
        ends = view.connection.execute(select(intake_hot.c.ends_at)).scalars().all()

    assert [BEGAN - timedelta(minutes=1)] == ends


def test_a_storm_is_taken_in(world: Outside) -> None:
    """Alerts of large requests, answered as soon as they are written down, are all stored a moment later."""
    world.intake.start()
    try:
        answers = [world.intake.receive(said(range(first, first + 500))) for first in range(0, 5000, 500)]
        for one in answers:
            one.result(timeout=60)
        world.intake.settle()

        assert (5000, 0) == (stored(world), waiting(world))
    finally:
        world.intake.stop()


def test_few_alerts_are_taken_in_at_once(world: Outside) -> None:
    """A small request is taken in when it is answered, with nothing in between."""
    world.intake.start()
    try:
        world.intake.receive(said(range(AT_ONCE))).result(timeout=60)

        assert AT_ONCE == stored(world)
    finally:
        world.intake.stop()


def test_one_that_cannot_be_taken_in_keeps_nobody_out(world: Outside) -> None:
    """An alert that taking in fails for stays in the journal; those written down with it and after it are taken in."""
    taken: list[str] = []

    def take_in(tx: Transaction, batch: Sequence[Received]) -> None:
        if any(one.read()["number"] == "2" for one in batch):
            raise ValueError("it cannot be")
        taken.extend(one.read()["number"] for one in batch)

    backlog = Backlog(world.store, world.intake.writer, Recognition(), take_in=take_in, done=lambda led: None)
    write_down(world, said([1, 2, 3]), said([4]))
    backlog.run_due()

    assert (["1", "3", "4"], 1) == (sorted(set(taken)), waiting(world))


def test_trouble_of_the_database_is_no_fault_of_an_alert(world: Outside) -> None:
    """While the database takes nothing, nothing is set aside: all of it is taken in when it does again."""
    full = True

    def take_in(tx: Transaction, batch: Sequence[Received]) -> None:
        if full:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    backlog = Backlog(world.store, world.intake.writer, Recognition(), take_in=take_in, done=lambda led: None)
    write_down(world, said([1, 2, 3]))
    with pytest.raises(OperationalError):
        backlog.run_due()
    full = False
    backlog.run_due()

    assert 0 == waiting(world)


def test_the_time_of_acceptance_is_kept() -> None:
    """An alert without an end ends the time-out after it was accepted, whenever it is taken in."""
    accepted = BEGAN + timedelta(minutes=1)
    ends = [one.ends_at for one in read(write(said([1], now=accepted)), Recognition())]

    assert [round((accepted + timedelta(minutes=5)).timestamp() * 1_000_000)] == ends
