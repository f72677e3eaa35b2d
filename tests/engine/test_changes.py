"""Reading change sources: recorded before anything breaks, completed from the code, asked at their own pace."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stanch.catalog.changes import changes_between, record_changes
from stanch.diagnose.nearest import nearest_of
from stanch.engine import changes
from stanch.engine.collectors import ChangesCollector
from stanch.engine.loop import Engine
from stanch.integrations.deploylog import DeployLog
from stanch.integrations.git import GitChanges
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Unavailable
from stanch.operations.diagnosing import question_of
from stanch.operations.world import World
from stanch.ports.changes import Change, ChangeKind, ChangeSource
from stanch.ports.evidence import Finding, FindingStatus
from stanch.store import timers
from tests.engine.crew import ONSET, START, declare, shop, state_of

DEPLOYED = ONSET - timedelta(seconds=40)


@dataclass
class Source:
    """A change source that says what a test gave it, and counts how often it was asked."""

    found: list[Change] = field(default_factory=list)
    name: str = "told"
    trouble: str = ""
    slow_s: float = 0.0
    starts: list[datetime] = field(default_factory=list)

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return what is in the window, or raise."""
        self.starts.append(start)
        if self.trouble:
            raise Unavailable(self.trouble, retry=True)
        if self.slow_s:
            time.sleep(self.slow_s)
        return [change for change in self.found if start <= change.at < end]


@dataclass
class Broken:
    """A change source with a defect."""

    name: str = "broken"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Break."""
        raise KeyError("revision")


@dataclass
class Counting:
    """A source that completes changes and counts how often it did."""

    name: str = "code"
    completed: int = 0

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Know of no change itself."""
        return []

    def complete(self, change: Change) -> Change:
        """Say that it brought no commit."""
        self.completed += 1
        return replace(change, data={"commits": []})


def deploy(**fields: object) -> Change:
    """Return a deploy of payments 40 s before the onset."""
    made = Change(
        id="told/1", at=DEPLOYED, kind=ChangeKind.DEPLOY, service="payments", version="v3.2.1", previous="v3.2.0"
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # a test names fields that exist


def with_sources(world: World, *sources: ChangeSource) -> World:
    """Return the shop's world with these change sources."""
    return replace(world, catalog=shop(), change_sources=sources)


def polling(world: World) -> Engine:
    """Return an engine that reads changes, its timer in place."""
    with world.store.writing() as tx:
        tx.schedule(changes.first_timer(world.clock.now()))
    return Engine(world, {"changes": changes.poll})


def stored(world: World) -> list[Change]:
    """Return every stored change."""
    with world.store.reading() as view:
        return changes_between(view.connection, start=START - timedelta(days=60), end=START + timedelta(days=1))


def collected(world: World) -> list[Finding]:
    """Return what the collector finds for an incident of checkout."""
    number = declare(world)
    return ChangesCollector(world).collect(question_of(state_of(world, number), world, now=START))


def due_after_s(world: World) -> float:
    """Return in how many seconds the sources are read again."""
    with world.store.reading() as view:
        (timer,) = timers.find(view.connection, kind="changes")
    return (timer.due_at - world.clock.now()).total_seconds()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository in which v3.2.1 brings a change of payments and one of the gateway."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*arguments: str, at: datetime = ONSET - timedelta(hours=5)) -> None:
        stamp = at.isoformat()
        environment = {
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(tmp_path),
        }
        identity = ("-c", "user.name=Tomas Brandt", "-c", "user.email=tomas@teashop.example")
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, env=environment)

    def commit(path: str, message: str, *, at: datetime) -> None:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(message)
        git("add", ".")
        git("commit", "-q", "-m", message, at=at)

    git("init", "-q", "-b", "main")
    commit("payments/service.py", "payments: take payments", at=ONSET - timedelta(days=3))
    git("tag", "v3.2.0")
    commit("payments/validation.py", "payments: read the saved card", at=ONSET - timedelta(hours=5))
    commit("gateway/texts.py", "gateway: friendlier words", at=ONSET - timedelta(hours=2))
    git("tag", "v3.2.1")
    return folder


def test_what_is_read_is_stored(world: World) -> None:
    """A change is on record before anything breaks."""
    told = with_sources(world, Source([deploy()]))
    polling(told).run_due()

    assert ["told/1"] == [change.id for change in stored(told)]


def test_the_nearest_change_is_known_at_detection(world: World) -> None:
    """From the store alone the deploy 40 s before the onset is named."""
    told = with_sources(world, Source([deploy()]))
    polling(told).run_due()
    nearest = nearest_of(stored(told), onset=ONSET, services=("payments", "checkout"))

    assert nearest is not None and ("payments v3.2.1 deployed", 40.0) == (nearest.title, nearest.seconds_before)


def test_reading_goes_on(world: World, clock: ManualClock) -> None:
    """What is deployed later is read later, and the same change is not stored twice."""
    source = Source([deploy()])
    told = with_sources(world, source)
    engine = polling(told)
    engine.run_due()
    clock.advance(timedelta(minutes=5))
    source.found.append(deploy(id="told/2", at=clock.now() - timedelta(seconds=1)))
    engine.run_due()

    assert ["told/1", "told/2"] == [change.id for change in stored(told)]


def test_the_first_look_goes_back_a_month_and_later_ones_half_an_hour(world: World, clock: ManualClock) -> None:
    """Later looks overlap, so that a record that came late is found, and cost little."""
    source = Source()
    engine = polling(with_sources(world, source))
    engine.run_due()
    clock.advance(timedelta(seconds=3))
    engine.run_due()

    assert [timedelta(days=30), timedelta(minutes=30)] == [
        at - start for at, start in zip((START, clock.now()), source.starts, strict=True)
    ]


@pytest.mark.parametrize(("took_s", "expected"), [(0.0, 3.0), (0.03, 3.0), (0.1, 10.0), (0.6, 60.0), (9.0, 60.0)])
def test_a_source_is_read_again_after_a_hundred_times_as_long(took_s: float, expected: float) -> None:
    """But within a minute, and not within three seconds."""
    assert expected == pytest.approx(changes.pause_s(took_s))


def test_a_quick_source_is_read_again_soon(world: World) -> None:
    """After three seconds, or what a machine that stands still for a moment makes of it."""
    told = with_sources(world, Source())
    polling(told).run_due()

    assert 3.0 <= due_after_s(told) <= 60.0


def test_a_slow_source_is_read_less_often(world: World) -> None:
    """Reading costs about one per cent of the time: a look of a tenth of a second is repeated after ten."""
    told = with_sources(world, Source(slow_s=0.1))
    polling(told).run_due()

    assert 10.0 <= due_after_s(told) <= 60.0


@pytest.mark.parametrize("bad", [Source(trouble="the log is away"), Broken()], ids=["away", "defect"])
def test_a_source_in_trouble_takes_nothing_from_the_others(world: World, bad: ChangeSource) -> None:
    """Beside a source that fails the others are read, and the reading goes on."""
    told = with_sources(world, bad, Source([deploy()]))
    polling(told).run_due()

    assert (1, True) == (len(stored(told)), due_after_s(told) <= 60)


def deploy_log(folder: Path) -> DeployLog:
    """Return a deploy log with one deploy."""
    line = {"at": DEPLOYED.isoformat(), "service": "payments", "from": "v3.2.0", "to": "v3.2.1", "kind": "deploy"}
    path = folder / "deploys.jsonl"
    path.write_text(json.dumps(line) + "\n")
    return DeployLog(path)


def deploy_of(found: Sequence[Change]) -> Change:
    """Return the deploy among some changes."""
    return next(change for change in found if change.kind is ChangeKind.DEPLOY)


def test_a_deploy_gets_its_paths_from_the_repository(world: World, tmp_path: Path, repository: Path) -> None:
    """A deploy log knows versions, the repository what lies between them: together they know what was touched."""
    code = GitChanges(repository, services={"payments": ("payments",), "gateway": ("gateway",)})
    told = with_sources(world, deploy_log(tmp_path), code)
    polling(told).run_due()

    assert ("payments/validation.py",) == deploy_of(stored(told)).paths


def test_a_deploy_gets_its_commits_from_the_repository(world: World, tmp_path: Path, repository: Path) -> None:
    """The commits between two versions are there by name, for the one that is to blame."""
    told = with_sources(world, deploy_log(tmp_path), GitChanges(repository, services={"payments": ()}))
    polling(told).run_due()
    commits = deploy_of(stored(told)).data["commits"]

    assert isinstance(commits, list) and 2 == len(commits)


def test_a_deploy_is_completed_once(world: World, tmp_path: Path, repository: Path) -> None:
    """What is complete is taken from the store and costs no run of git."""

    code = Counting()
    told = with_sources(world, deploy_log(tmp_path), code)
    polling(told).run_due()
    collected(told)

    assert 1 == code.completed


def test_the_collector_reads_once_more(world: World) -> None:
    """A deploy that no poll has seen yet is found at the moment of the investigation."""
    (found,) = collected(with_sources(world, Source([deploy(author="Tomas", paths=("payments/validation.py",))])))

    assert (
        "payments v3.2.1 deployed 40s before the onset, at 02:57:20Z by Tomas; touched payments/validation.py"
        == found.summary
    )


def test_the_collector_names_the_change_in_a_signal(world: World) -> None:
    """The ranking finds the finding of a change by its id."""
    (found,) = collected(with_sources(world, Source([deploy()])))

    assert ["told/1"] == [signal.data["id"] for signal in found.signals]


def test_other_changes_are_told_together(world: World) -> None:
    """Commits of the day are one finding beside that of the deploy."""
    commits = [deploy(id=f"c{n}", kind=ChangeKind.COMMIT, at=ONSET - timedelta(hours=n)) for n in range(1, 5)]
    found = collected(with_sources(world, Source([deploy(), *commits])))

    assert (2, True) == (len(found), found[1].summary.startswith("4 other changes in the day before"))


def test_a_change_told_by_hand_is_found(world: World) -> None:
    """What a pipeline recorded through the API counts like what a source says."""
    told = with_sources(world)
    with told.store.writing() as tx:
        record_changes(tx.connection, [deploy()], now=START)

    assert ["payments v3.2.1 deployed 40s before the onset, at 02:57:20Z"] == [each.summary for each in collected(told)]


def test_no_change_is_no_data(world: World) -> None:
    """Having looked and found nothing is said, with where it was looked."""
    (found,) = collected(with_sources(world, Source()))

    assert (FindingStatus.NO_DATA, True) == (found.status, "(told)" in found.summary)


def test_a_source_in_trouble_is_a_failed_finding(world: World) -> None:
    """A source that is away is told as such, and is not the same as "no change"."""
    (found,) = collected(with_sources(world, Source(trouble="the log is away")))

    assert (FindingStatus.FAILED, "the log is away") == (found.status, found.summary)


def test_changes_of_other_services_are_left_out(world: World) -> None:
    """What changed in a service that is not around the incident is not told."""
    (found,) = collected(with_sources(world, Source([deploy(service="mailer")])))

    assert FindingStatus.NO_DATA is found.status
