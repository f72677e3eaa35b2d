"""Feature flags as changes: LaunchDarkly and Unleash as a small server speaks their APIs, flagd's file in git."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.git import FlagdFile
from stanch.integrations.launchdarkly import LaunchDarklyFlags
from stanch.integrations.unleash import UnleashFlags
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind, ChangeSource
from stanch.ports.query import SystemSpec
from tests.integrations.git.conftest import Workshop
from tests.integrations.systems.far import hanging, lying
from tests.support.answering import answering
from tests.support.farend import Asked, Reply, site

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
START = NOW - timedelta(hours=1)
SECRET = "api-hunter2hunter2"
AUDIT = "/api/v2/auditlog"
SEARCH, LIST = "/api/admin/search/events", "/api/admin/events"


def spec(kind: str, url: str = "", **settings: str) -> SystemSpec:
    """Return flags as a configured system that payments uses."""
    given = {"project": "shop", "environment": "production", **settings}
    return SystemSpec(name="flags", kind=kind, url=url, secret=SECRET, services=("payments",), settings=given)


def launchdarkly(url: str, *, timeout_s: float = 20.0) -> ChangeSource:
    """Return LaunchDarkly at a URL."""
    return LaunchDarklyFlags(spec("launchdarkly", url), fetch=HttpGet(), timeout_s=timeout_s)


def unleash(url: str, *, timeout_s: float = 20.0) -> ChangeSource:
    """Return Unleash at a URL."""
    return UnleashFlags(spec("unleash", url), fetch=HttpGet(), timeout_s=timeout_s)


def read(source: ChangeSource) -> list[Change]:
    """Return the changes of the last hour."""
    return source.changes(services=(), start=START, end=NOW)


def entry(number: int, *, at: datetime, verb: str = "turned on the flag", action: str = "updateOn") -> JSON:
    """Return an entry of LaunchDarkly's audit log."""
    resource = "proj/shop:env/production:flag/new-checkout"
    return {
        "_id": f"e{number}",
        "date": int(at.timestamp() * 1000),
        "kind": "flag",
        "name": "New checkout",
        "titleVerb": verb,
        "accesses": [{"action": action, "resource": resource}],
        "member": {"email": "alice@shop.example"},
        "target": {"name": "New checkout", "resources": [resource]},
        "comment": "",
    }


def test_a_flag_that_was_turned_on_is_a_change() -> None:
    """Which flag, in which environment, by whom, and what it was before."""
    at = NOW - timedelta(minutes=5)
    with answering({AUDIT: {"items": [entry(1, at=at)], "totalCount": 1}}) as heard:
        (found,) = read(launchdarkly(heard.url))

    assert (ChangeKind.FLAG, at, "payments", "new-checkout=on", "new-checkout=off", "alice@shop.example") == (
        found.kind,
        found.at,
        found.service,
        found.version,
        found.previous,
        found.author,
    )


def test_a_flag_that_was_renamed_changes_nothing() -> None:
    """Names, descriptions and tags are what people read and not what they get."""
    renamed = entry(1, at=NOW - timedelta(minutes=5), verb="renamed the flag", action="updateName")
    with answering({AUDIT: {"items": [renamed]}}) as heard:
        assert [] == read(launchdarkly(heard.url))


def test_the_audit_log_is_read_page_by_page() -> None:
    """Twenty entries come at a time; what came before the oldest of them is asked for next."""
    entries = [entry(number, at=NOW - timedelta(minutes=1 + number)) for number in range(30)]

    def answer(asked: Asked) -> Reply:
        before = int(asked.path.rpartition("before=")[2].partition("&")[0])
        older = [
            one for one in entries if isinstance(one, dict) and isinstance(one["date"], int) and one["date"] < before
        ]
        return Reply(body=json.dumps({"items": older[:20]}))

    with site(answer) as found:
        assert 30 == len(read(launchdarkly(found.url)))


def test_the_token_goes_in_the_header_and_nowhere_else() -> None:
    """LaunchDarkly takes the bare token; no command and no change holds it."""
    with answering({AUDIT: {"items": [entry(1, at=NOW - timedelta(minutes=5))]}}) as heard:
        source = launchdarkly(heard.url)
        found = read(source)

    assert (SECRET, False) == (heard.requests[0][2]["authorization"], SECRET in repr(found) + repr(vars(source)))


def event(type: str, *, environment: str = "production", **more: JSON) -> JSON:
    """Return an event of Unleash."""
    return {
        "id": 454,
        "type": type,
        "createdBy": "alice",
        "createdAt": "2026-11-21T14:20:00.000Z",
        "featureName": "new-checkout",
        "project": "shop",
        "environment": environment,
        **more,
    }


def test_a_toggled_feature_is_a_change() -> None:
    """An environment that was enabled is a flag turned on there."""
    with answering({SEARCH: {"events": [event("feature-environment-enabled")], "total": 1}}) as heard:
        (found,) = read(unleash(heard.url))

    assert ("payments", "new-checkout=on", "new-checkout=off", "new-checkout: turned on in production", "alice") == (
        found.service,
        found.version,
        found.previous,
        found.title,
        found.author,
    )


def test_a_strategy_that_was_changed_has_a_diff() -> None:
    """What it was before stands in the event."""
    changed = event(
        "feature-strategy-update",
        preData={"name": "flexibleRollout", "parameters": {"rollout": "5"}},
        data={"name": "flexibleRollout", "parameters": {"rollout": "100"}},
    )
    with answering({SEARCH: {"events": [changed]}}) as heard:
        (found,) = read(unleash(heard.url))

    assert (True, True) == ('-  "rollout": "5"' in found.diff, '+  "rollout": "100"' in found.diff)


@pytest.mark.parametrize("other", [event("feature-environment-enabled", environment="staging"), event("user-created")])
def test_what_is_of_no_concern_is_left_out(other: JSON) -> None:
    """Another environment, and what is no flag, are no changes here."""
    with answering({SEARCH: {"events": [other]}}) as heard:
        assert [] == read(unleash(heard.url))


def test_an_older_unleash_is_asked_for_its_list() -> None:
    """A server without the search of events gives its newest ones."""
    with answering({LIST: {"version": 1, "events": [event("feature-environment-disabled")]}}) as heard:
        assert ["new-checkout=off"] == [one.version for one in read(unleash(heard.url))]


@pytest.mark.parametrize("make", [launchdarkly, unleash])
@pytest.mark.parametrize("status", [401, 429, 500])
def test_an_answer_that_is_an_error_is_unavailable(make: object, status: int) -> None:
    """What could not be read is not "nothing changed"."""
    assert callable(make)
    answers: dict[str, object] = {AUDIT: {}, SEARCH: {}}
    with answering(answers, status=dict.fromkeys(answers, status)) as heard, pytest.raises(Unavailable):
        read(make(heard.url))


@pytest.mark.parametrize("make", [launchdarkly, unleash])
@pytest.mark.parametrize("far", [hanging, lambda: lying(http=True)])
def test_a_far_end_that_misbehaves_is_unavailable(make: object, far: object) -> None:
    """What hangs or lies is told as such."""
    assert callable(make)
    assert callable(far)
    with far() as port, pytest.raises(Unavailable):
        read(make(f"http://127.0.0.1:{port}", timeout_s=0.5))


def flags(**variants: str) -> dict[str, str]:
    """Return a file of flags with these default variants."""
    told = {name: {"state": "ENABLED", "variants": {}, "defaultVariant": variant} for name, variant in variants.items()}
    return {"flags.json": json.dumps({"flags": told})}


def flagd(folder: Path) -> ChangeSource:
    """Return the history of a file of flags."""
    return FlagdFile(spec("flagd", path=str(folder / "flags.json")))


def test_each_flag_that_a_commit_changed_is_a_change(tmp_path: Path) -> None:
    """Only the flag that differs is told, with its variants and the commit."""
    shop = Workshop(tmp_path / "shop")
    shop.commit("begin", at=START - timedelta(hours=2), files=flags(checkout="off", search="on"))
    commit = shop.commit("checkout for all", at=NOW - timedelta(minutes=5), files=flags(checkout="on", search="on"))
    (found,) = read(flagd(shop.folder))

    assert ("checkout=on", "checkout=off", commit, "checkout: off to on: checkout for all", True) == (
        found.version,
        found.previous,
        found.commit,
        found.title,
        '+ "defaultVariant": "on"' in found.diff,
    )


def test_flags_of_a_merge_change_when_it_is_merged(tmp_path: Path) -> None:
    """A commit of yesterday on a branch counts from its merge on."""
    shop = Workshop(tmp_path / "shop")
    shop.commit("begin", at=START - timedelta(hours=40), files=flags(checkout="off"))
    shop.git("checkout", "--quiet", "-b", "feature")
    shop.commit("turn it on", at=START - timedelta(hours=20), files=flags(checkout="on"))
    shop.git("checkout", "--quiet", "main")
    at = NOW - timedelta(minutes=3)
    shop.git("merge", "--quiet", "--no-ff", "--message", "merge feature", "feature", at=at)

    assert [("checkout=on", at)] == [(one.version, one.at) for one in read(flagd(shop.folder))]


def test_a_file_that_was_broken_is_no_flag_changed(tmp_path: Path) -> None:
    """A revision that is no JSON has no flags; mending it tells of those that came."""
    shop = Workshop(tmp_path / "shop")
    shop.commit("broken", at=NOW - timedelta(minutes=9), files={"flags.json": "{"})

    assert [] == read(flagd(shop.folder))


def test_no_repository_is_unavailable(tmp_path: Path) -> None:
    """A file outside of git, or a folder that is not there, is said to be unreadable."""
    with pytest.raises(Unavailable):
        read(flagd(tmp_path))
