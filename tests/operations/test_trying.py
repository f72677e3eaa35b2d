"""Each place that evidence is read from, tried once: what `stanch doctor` says of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.app.systems import open_systems
from stanch.app.thinker import open_thinker
from stanch.app.world import open_world
from stanch.catalog.load import read_catalog
from stanch.catalog.thinker import ThinkerSpec
from stanch.kernel.errors import Unavailable
from stanch.operations.trying import Tried, try_all
from stanch.operations.world import World
from stanch.ports.evidence import FindingStatus
from tests.support.answering import answering
from tests.support.models import model
from tests.support.sentry import TOKEN, Issue, every, fake_sentry

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Log:
    """A source of lines that has some, none, or trouble."""

    has: tuple[bytes, ...] = ()
    trouble: str = ""
    name: str = "journald"
    where: str = "the journal of this machine"
    services: tuple[str, ...] = ("payments",)

    def command(self, service: str, *, start: datetime) -> str:
        """Return nothing of interest."""
        return "journalctl"

    def lines(
        self, service: str, *, start: datetime, end: datetime, timeout_s: float, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines, or raise what is the trouble."""
        if self.trouble:
            raise Unavailable(self.trouble, retry=True)
        yield from self.has


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world with the service payments and nothing to read from."""
    return open_world(catalog=read_catalog({"services": {"payments": {}}}, root=tmp_path), database=tmp_path / "db")


def tried(world: World, **system: object) -> dict[str, Tried]:
    """Return how the sources of one configured system do, by name."""
    document = {"services": {"payments": {}}, "systems": {"code": system}}
    catalog = read_catalog(document, root=Path(world.catalog.root))
    made = open_systems(catalog, environment={"THE_TOKEN": TOKEN})
    asked = replace(
        world,
        catalog=catalog,
        systems=made.sources,
        log_sources=made.logs,
        change_sources=made.changes,
        collectors=made.collectors,
    )
    return {one.kind: one for one in try_all(asked, now=NOW)}


@pytest.mark.parametrize(
    ("kind", "path"),
    [("github", "/repos/shop/payments/deployments"), ("gitlab", "/api/v4/projects/shop%2Fpayments/deployments")],
)
def test_a_source_of_deploys_is_tried(world: World, kind: str, path: str) -> None:
    """One that answers says how many changes the last hour had."""
    with answering({path: []}) as heard:
        found = tried(world, kind=kind, url=heard.url, project="shop/payments")["changes"]

    assert (FindingStatus.OK, "answers; 0 changes in the last hour") == (found.status, found.detail)


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_source_of_deploys_that_denies_is_told(world: World, kind: str) -> None:
    """A wrong token is known before it is needed."""
    with answering({}) as heard:
        found = tried(world, kind=kind, url=heard.url, project="shop/payments")["changes"]

    assert (FindingStatus.FAILED, True) == (found.status, "answered 404" in found.detail)


def test_sentry_is_asked_what_an_investigation_asks(world: World) -> None:
    """Its deploys and its issues are tried with the token."""
    with fake_sentry() as sentry:
        sentry.issues.append(Issue(id="1", seen=every(10, start=NOW - timedelta(minutes=5), end=NOW)))
        found = tried(world, kind="sentry", url=sentry.url, organization="shop", secret_env="THE_TOKEN")

    assert (FindingStatus.OK, FindingStatus.NO_DATA) == (found["changes"].status, found["evidence"].status)


def test_a_wrong_token_for_sentry_is_told(world: World) -> None:
    """Without its right nothing is read, and the reason stands beside it."""
    with fake_sentry() as sentry:
        found = tried(world, kind="sentry", url=sentry.url, organization="shop")

    assert {FindingStatus.FAILED, FindingStatus.REFUSED} == {one.status for one in found.values()}


@pytest.mark.parametrize(
    ("log", "status", "detail"),
    [
        (Log(has=(b"a line",)), FindingStatus.OK, "answers; its newest hour has lines of payments"),
        (Log(), FindingStatus.NO_DATA, "answers; no line of payments in the last hour"),
        (Log(trouble="no journal files were found"), FindingStatus.FAILED, "no journal files were found"),
    ],
)
def test_a_source_of_lines_is_tried(world: World, log: Log, status: FindingStatus, detail: str) -> None:
    """One line is enough to know; none is no failure."""
    (found,) = try_all(replace(world, log_sources=(log,), collectors=(), change_sources=()), now=NOW)

    assert (status, detail) == (found.status, found.detail)


def model_line(world: World, **thinker: object) -> tuple[FindingStatus, str]:
    """Return what is said of a configured model."""
    spec = ThinkerSpec(provider="local", model="scripted", **thinker)  # type: ignore[arg-type]
    catalog = replace(world.catalog, thinker=spec)
    asked = replace(world, catalog=catalog, thinker=open_thinker(spec), collectors=(), change_sources=())
    (found,) = try_all(asked, now=NOW)
    return found.status, found.detail


@pytest.mark.parametrize(
    ("lists", "status", "detail"),
    [
        (["scripted"], FindingStatus.OK, "answers, and has scripted"),
        (["other"], FindingStatus.NO_DATA, "answers, and does not list scripted"),
        (None, FindingStatus.NO_DATA, "answers, and does not say whether it has scripted"),
    ],
)
def test_a_model_is_looked_up(world: World, lists: list[str] | None, status: FindingStatus, detail: str) -> None:
    """A configured model has a line of its own, and is asked nothing for it."""
    with model() as far:
        far.lists = lists

        assert (status, detail) == model_line(world, url=far.url, uses=("summary",))


def test_a_model_without_its_key(world: World) -> None:
    """A variable that is not set is named before anything is sent."""
    told = model_line(world, url="http://127.0.0.1:1", uses=("summary",), key_env="NO_SUCH_VARIABLE")

    assert (FindingStatus.REFUSED, "the variable NO_SUCH_VARIABLE, which is to hold its key, is not set") == told


def test_a_model_that_is_off(world: World) -> None:
    """Without a use nothing leaves, so nothing is tried either."""
    told = model_line(world, url="http://127.0.0.1:1")

    assert (FindingStatus.NO_DATA, "off: `uses` names nothing that it may be asked for") == told


def test_a_model_that_is_not_there(world: World) -> None:
    """What cannot be reached has failed, in words."""
    told = model_line(world, url="http://127.0.0.1:1", uses=("summary",))

    assert (FindingStatus.FAILED, "127.0.0.1:1 cannot be reached: nothing listens there") == told
