"""Lines of a journal or a cluster are digested as those of files are, within their time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stanch.catalog.model import Catalog, Service
from stanch.engine.collectors.streams import StreamCollector
from stanch.kernel.errors import StanchError, Unavailable
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question

ONSET = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
QUESTION = Question(
    incident=1,
    services=("payments", "acquirer"),
    start=ONSET - timedelta(hours=1),
    end=ONSET + timedelta(minutes=5),
    onset=ONSET,
)


@dataclass
class Told:
    """A source of lines that a test wrote."""

    said: Sequence[bytes] = ()
    trouble: StanchError | None = None
    services: tuple[str, ...] = ()
    name: str = "journal"
    where: str = "here"
    asked: list[str] = field(default_factory=list)

    def command(self, service: str, *, start: datetime) -> str:
        """Return a command."""
        return f"journalctl -u {service}"

    def lines(
        self, service: str, *, start: datetime, end: datetime, timeout_s: float, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines."""
        self.asked.append(service)
        if self.trouble is not None:
            raise self.trouble
        yield from self.said


def line(seconds: float, level: str, message: str) -> bytes:
    """Return a line this long after the onset."""
    at = (ONSET + timedelta(seconds=seconds)).isoformat()
    return f'{{"time": "{at}", "level": "{level}", "message": "{message}"}}'.encode()


def collect(world: World, source: Told) -> list[Finding]:
    """Return what is found."""
    services = {"payments": Service(name="payments"), "acquirer": Service(name="acquirer", external=True)}
    shop = World(store=world.store, clock=world.clock, catalog=Catalog(services=services))
    return StreamCollector(shop, source).collect(QUESTION)


def test_new_errors_are_told(world: World) -> None:
    """What fails since the onset and did not before is the finding, with the command that shows it."""
    calm = [line(-seconds, "info", "paid") for seconds in range(3000, 0, -60)]
    bad = [line(seconds, "error", "TypeError: card is None") for seconds in range(1, 60)]
    found = collect(world, Told(said=[*calm, *bad]))[0]

    assert (FindingStatus.OK, True, "journalctl -u payments", "logs:journal") == (
        found.status,
        "TypeError: card is None, 59 times" in found.summary,
        found.command,
        found.collector,
    )


def test_a_log_that_cannot_be_read_is_told(world: World) -> None:
    """A source that fails costs its own finding."""
    (found,) = collect(world, Told(trouble=Unavailable("there is no program journalctl", retry=False)))

    assert (FindingStatus.FAILED, True) == (found.status, "no program journalctl" in found.summary)


def test_nothing_logged_is_no_data(world: World) -> None:
    """Silence is no sign of health."""
    assert [FindingStatus.NO_DATA] == [one.status for one in collect(world, Told())]


def test_only_what_logs_there_is_asked_for(world: World) -> None:
    """Somebody else's service logs nowhere here; a source that names its services is asked for those alone."""
    everybody, named = Told(), Told(services=("web",))
    collect(world, everybody)
    collect(world, named)

    assert (["payments"], []) == (everybody.asked, named.asked)
