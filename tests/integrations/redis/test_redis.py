"""A real Redis in trouble: full, without clients left, slow, cut off from its primary."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stanch.integrations.redis import RedisSource
from stanch.integrations.redis.wire import Wire
from stanch.kernel.errors import Refused
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import ask, collect
from tests.support.needs import require
from tests.support.servers import free_port, listens, running

SECRET = "hunter2hunter2"
Server = Callable[..., int]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    """Give a function that starts a Redis with settings and returns its port."""
    binary = require("redis-server", "valkey-server")
    with ExitStack() as stack:

        def start(*settings: str) -> int:
            port = free_port()
            argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path), *settings]
            stack.enter_context(running(argv, folder=tmp_path, is_ready=listens(port)))
            return port

        yield start


def cache(port: int, *, secret: str = "") -> RedisSource:
    """Return the server on a port as a configured system."""
    spec = SystemSpec(
        name="cache", kind="redis", url=f"redis://127.0.0.1:{port}", secret=secret, services=("payments",)
    )
    return RedisSource(spec)


@contextmanager
def talking(port: int) -> Iterator[Callable[..., object]]:
    """Give a function that sends any command, as an application does."""
    wire = Wire("127.0.0.1", port, timeout_s=5)
    try:
        yield lambda *argv: wire.call(argv, timeout_s=5)
    finally:
        wire.close()


def test_every_query_of_the_pack_runs(redis: Server) -> None:
    """No query fails on a healthy server, and none raises anything."""
    # Slow is what takes 10 ms, also where the server waits that long for a core.
    found = collect(cache(redis("--slowlog-log-slower-than", "60000000")))

    assert ([], []) == (
        [one.summary for one in found.values() if one.status not in (FindingStatus.OK, FindingStatus.NO_DATA)],
        [one.name for each in found.values() for one in each.signals if one.data["raised"]],
    )


def test_a_full_server_that_evicts_nothing_refuses_writes(redis: Server) -> None:
    """With noeviction a full memory is raised, and so are the refused commands."""
    port = redis("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    with talking(port) as send:
        for number in range(300):
            send("SET", f"k{number}", "x" * 10_000)
    found = collect(cache(port))

    assert (True, True, True) == (
        found["memory"].signals[0].data["raised"],
        "policy noeviction" in found["memory"].summary,
        found["refused_writes"].signals[0].data["raised"],
    )


def test_without_a_limit_memory_cannot_be_full(redis: Server) -> None:
    """Where maxmemory is not set there is no share to judge."""
    found = collect(cache(redis()))["memory"]

    assert ("no limit is set (maxmemory 0)", ()) == (found.summary.removeprefix("cache: "), found.signals)


def test_no_clients_left_is_evidence(redis: Server) -> None:
    """A server that takes no more clients has answered by that."""
    port = redis("--maxclients", "2")
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(talking(port))("PING")
        found = next(iter(collect(cache(port)).values()))

    assert (FindingStatus.OK, 1.0, "connections of cache") == (
        found.status,
        found.signals[0].value,
        found.signals[0].data["resource"],
    )


def test_slow_commands_are_told_without_what_they_store(redis: Server) -> None:
    """The slow log is read; of the arguments only the key is shown."""
    port = redis("--slowlog-log-slower-than", "0")
    with talking(port) as send:
        send("SET", "basket:7", "card number and all")
    found = collect(cache(port))["slowlog"]

    assert (True, True, False) == (
        found.signals[0].data["raised"],
        "SET basket:7 ..." in repr(found.data),
        "card number" in repr(found),
    )


def test_a_replica_without_its_primary_is_raised(redis: Server) -> None:
    """A replica whose link is down says so."""
    port = redis("--replicaof", f"127.0.0.1 {free_port()}")
    found = collect(cache(port))["replication"]

    assert (True, True) == (found.signals[0].data["raised"], "role slave" in found.summary)


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_the_password_it_is_refused(redis: Server, secret: str) -> None:
    """A server that wants another password refuses, and the finding holds none."""
    found = collect(cache(redis("--requirepass", SECRET), secret=secret))

    assert ({FindingStatus.REFUSED}, False) == ({one.status for one in found.values()}, SECRET in repr(found))


def test_with_the_password_it_answers(redis: Server) -> None:
    """The configured password opens it."""
    found = collect(cache(redis("--requirepass", SECRET), secret=SECRET))

    assert (FindingStatus.OK, False) == (found["clients"].status, SECRET in repr(found))


@pytest.mark.parametrize("text", ["FLUSHALL", "CONFIG SET maxmemory 1", "DEL a", "KEYS *", "CLIENT KILL 1", "EVAL 1 0"])
def test_what_does_not_only_read_is_refused(redis: Server, text: str) -> None:
    """A command that writes, acts or blocks the server is not sent."""
    with pytest.raises(Refused):
        ask(cache(redis()), text)


def test_a_server_that_goes_away_is_told(redis: Server) -> None:
    """A connection that is closed on us fails in words."""
    found = list(collect(cache(free_port())).values())

    assert [FindingStatus.FAILED] == [one.status for one in found]
