"""The log as a stream: live, replayed from where a client left, by incident, and honest about another log."""

from collections.abc import Iterator

import httpx2
import pytest

from stanch.kernel.event import NewEvent
from stanch.store import Store

ENOUGH = 200  # lines; a test that waits for more than this has missed what it waited for


def write(store: Store, *texts: str, incident: int = 7) -> int:
    """Append one event per text and return the newest position."""
    with store.writing() as tx:
        events = [NewEvent(kind="desk.written", data={"text": text}) for text in texts]
        return tx.append("desk", events, incident=incident)[-1].seq


def ids(lines: Iterator[str], count: int) -> list[int]:
    """Return the next `count` ids of a stream."""
    found: list[int] = []
    for _, line in zip(range(ENOUGH), lines, strict=False):
        if line.startswith("id: "):
            found.append(int(line.removeprefix("id: ")))
        if len(found) == count:
            break
    return found


def until(lines: Iterator[str], start: str) -> str:
    """Return the next line that starts with `start`."""
    return next(line for _, line in zip(range(ENOUGH), lines, strict=False) if line.startswith(start))


def test_what_is_recorded_arrives(client: httpx2.Client, store: Store) -> None:
    """An event that is committed while a client follows reaches it, with its position as the id."""
    with client.stream("GET", "/api/v1/stream", timeout=20) as response:
        lines = response.iter_lines()
        until(lines, "event: hello")
        seq = write(store, "one")

        assert [seq] == ids(lines, 1)


def test_a_client_that_comes_back_misses_nothing(client: httpx2.Client, store: Store) -> None:
    """Last-Event-ID replays what was recorded since."""
    write(store, "one", "two", "three", "four")
    with client.stream("GET", "/api/v1/stream", headers={"last-event-id": "2"}, timeout=20) as response:
        assert [3, 4] == ids(response.iter_lines(), 2)


def test_replay_goes_on_into_the_present(client: httpx2.Client, store: Store) -> None:
    """Old and new come in order, each once."""
    write(store, "one", "two")
    with client.stream("GET", "/api/v1/stream?after=0", timeout=20) as response:
        lines = response.iter_lines()
        old = ids(lines, 2)
        write(store, "three")
        write(store, "four", "five")

        assert [1, 2, 3, 4, 5] == [*old, *ids(lines, 3)]


def test_one_incident_can_be_followed(client: httpx2.Client, store: Store) -> None:
    """With `incident`, other incidents' entries are left out."""
    write(store, "one", incident=1)
    write(store, "two", incident=2)
    write(store, "three", incident=1)
    with client.stream("GET", "/api/v1/stream?after=0&incident=1", timeout=20) as response:
        assert [1, 3] == ids(response.iter_lines(), 2)


def test_another_log_is_said_to_be_one(client: httpx2.Client, store: Store) -> None:
    """A client that is ahead of the log is told to start again."""
    write(store, "one")
    with client.stream("GET", "/api/v1/stream", headers={"last-event-id": "90"}, timeout=20) as response:
        assert "event: reset" == until(response.iter_lines(), "event: reset")


def test_a_replay_longer_than_the_buffer_is_whole(client: httpx2.Client, store: Store) -> None:
    """A client from long ago is replayed from the store, page by page."""
    write(store, *(str(number) for number in range(1_200)))
    with client.stream("GET", "/api/v1/stream?after=0", timeout=20) as response:
        lines = (line for line in response.iter_lines() if line.startswith("id: "))
        found = [int(next(lines).removeprefix("id: ")) for _ in range(1_200)]

        assert list(range(1, 1_201)) == found


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_position_that_is_none_is_invalid(client: httpx2.Client, after: str) -> None:
    """A position is a whole number."""
    assert 400 == client.get("/api/v1/stream", params={"after": after}).status_code
