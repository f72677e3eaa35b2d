"""Sentry from end to end: an application reports by the real SDK, and Stanch takes it from the webhook to the end."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.drill.test_drill import processes_of
from tests.support import sentryapp
from tests.support.sentry import TOKEN, Release
from tests.support.sentry_writing import CAUSE
from tests.support.sentrywhole import CLIENT_SECRET, WholeSentry, whole_sentry
from tests.surfaces.cli.terminal import Ran, Terminal, served

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(900)]

_WITHIN_S: Final = 240.0
_GOOD: Final = "payments@3.2.0"
_DEPLOY: Final = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])\n"
_CONFIG: Final = """\
name = "Shop"
[services.payments]
tier = 1
team = "pay"
health = {health}
check_every_s = 1
[[services.payments.actions]]
name = "rollback"
title = "Roll payments back to {{previous}}"
mitigation = "rollback"
run = [{python}, {deploy}, {file}, "payments@{{previous}}"]
undo = [{python}, {deploy}, {file}, "payments@{{version}}"]
risk = "low"
[people.alice]
name = "Alice Adams"
[alerting]
declare_when = ['source="sentry"']
[sources.sentry]
secret_env = "SENTRY_CLIENT_SECRET"
[systems.sentry]
organization = "shop"
url = {sentry}
secret_env = "SENTRY_TOKEN"
environment = "production"
services = ["payments"]
write_back = ["status", "assign", "note", "deploy"]
seer = true
[timing]
verification_s = [3, 3, 3, 3]
shortened_because = "this is a test"
"""

# What an operation answers is its own record, and a body is any JSON.
Record = dict[str, Any]


@dataclass
class Drill:
    """What was seen on the way, each as it was at the time; the last is the log."""

    sentry: WholeSentry
    overview: Record = field(default_factory=dict)
    errors: Record = field(default_factory=dict)
    analysed: Record = field(default_factory=dict)
    approved: Ran | None = None
    resolved: Ran | None = None
    entries: list[Record] = field(default_factory=list)
    left_running: list[str] = field(default_factory=list)

    def by(self, kind: str) -> list[Record]:
        """Return the entries of a kind."""
        return [one for one in self.entries if one["kind"] == kind]


def until(look: Callable[[], object], what: str) -> None:
    """Wait for something; fails saying what did not come."""
    deadline = time.monotonic() + _WITHIN_S
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come within {_WITHIN_S:.0f} s"
        time.sleep(0.2)


@contextmanager
def application(sentry: WholeSentry, file: Path) -> Iterator[str]:
    """Run the application, and its customers, while the block lasts; give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", sentryapp.__name__, str(file)],
        env={**os.environ, "SENTRY_DSN": sentry.dsn},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    over = threading.Event()
    url = process.stdout.readline().strip()
    customers = threading.Thread(target=charge, args=(url, over))
    try:
        customers.start()
        until(lambda: len(sentry.served) > 20, "the application's first traces")
        yield url
    finally:
        over.set()
        customers.join(60)
        process.terminate()
        process.wait(60)
        process.stdout.close()


def charge(url: str, over: threading.Event) -> None:
    """Be customers: one after the other charges, whatever becomes of it."""
    number = 0
    while not over.wait(0.1):
        number += 1
        try:
            with urllib.request.urlopen(f"{url}/charge?user-{number}", timeout=30):  # noqa: S310  (loopback)
                pass
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            continue


def asked(terminal: Terminal, *words: str) -> Any:
    """Return what a command answers as JSON."""
    ran = terminal(*words, "--json")
    assert ran.code == 0, (words, ran)
    return ran.answer


def told_of(url: str, what: str) -> Any:
    """Return what the server tells of the incident, None while there is none."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/incident/{what}?incident=1", timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        return None


def kinds(url: str) -> list[str]:
    """Return the kinds of what is in the log, none while there is no incident."""
    return [one["kind"] for one in told_of(url, "timeline") or ()]


def is_planned(url: str) -> bool:
    """Tell whether there is a plan to approve; the first look, at the first error, may have found too little."""
    proposal = (told_of(url, "show") or {}).get("proposal")
    return proposal is not None and proposal["plan"] is not None


def is_resolved(drill: Drill, terminal: Terminal) -> bool:
    """Resolve it, and tell whether it was verified; what was may break again before anybody resolves it."""
    drill.resolved = terminal("resolve", "INC-1")
    assert drill.resolved.code == 0 or "without a break" in drill.resolved.err, drill.resolved
    return drill.resolved.code == 0


def go_through(drill: Drill, terminal: Terminal, url: str, file: Path) -> None:
    """Deploy what is broken, and take it from the webhook to the resolution, as its user does at a terminal."""
    sentry = drill.sentry
    file.write_text(sentryapp.BROKEN, encoding="utf-8")
    until(lambda: is_planned(url), "a plan")
    drill.overview = asked(terminal, "incident")
    drill.errors = asked(terminal, "investigate", "errors", "payments")
    until(lambda: sentry.written.runs, "the start of an analysis")
    sentry.analysed()
    until(lambda: "tracker.analysis_ended" in kinds(url), "what Seer says")
    drill.analysed = asked(terminal, "incident", "show", "INC-1")
    drill.approved = terminal("approve", "INC-1", "--yes")
    assert drill.approved.code == 0, drill.approved
    until(lambda: sentry.written.deploys, "the marker of the roll back")
    until(lambda: sentry.served[-1].failed is False, "the first charge that is taken again")
    sentry.resolve()
    until(lambda: "verification.passed" in kinds(url), "the verification")
    until(lambda: is_resolved(drill, terminal), "the resolution")
    until(lambda: kinds(url).count("tracker.writing_ended") >= 6, "what is written at the end")
    drill.entries = asked(terminal, "timeline", "INC-1")


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """Give how it went. The broken release was deployed a minute ago, and is switched on once all is up."""
    home = tmp_path_factory.mktemp("sentry")
    file, deploy = home / "release", home / "deploy.py"
    file.write_text(_GOOD, encoding="utf-8")
    deploy.write_text(_DEPLOY, encoding="utf-8")
    now = datetime.now(UTC)
    with whole_sentry() as sentry, application(sentry, file) as url:
        sentry.releases += [
            Release(version=sentryapp.BROKEN, deployed_at=now - timedelta(minutes=1)),
            Release(version=_GOOD, deployed_at=now - timedelta(hours=20)),
        ]
        places = {"health": f"{url}/health", "python": sys.executable, "deploy": str(deploy), "file": str(file)}
        text = _CONFIG.format(**{name: json.dumps(one) for name, one in {**places, "sentry": sentry.url}.items()})
        (home / "stanch.toml").write_text(text, encoding="utf-8")
        secrets = {"SENTRY_TOKEN": TOKEN, "SENTRY_CLIENT_SECRET": CLIENT_SECRET}
        terminal = Terminal(folder=home, state=home / "state", env=secrets)
        told = Drill(sentry=sentry)
        with served(terminal) as server:
            sentry.hook = f"{server}/hooks/sentry"
            go_through(told, terminal, server, file)
    told.left_running = processes_of(home)
    yield told


def test_the_real_sdk_reports(drilled: Drill) -> None:
    """Errors and traces came in at the envelope end point from `sentry-sdk`, and became one issue."""
    assert (["sentry.python"], ["IndexError: list index out of range"]) == (
        sorted({one.partition("/")[0] for one in drilled.sentry.sdks}),
        [one.title for one in drilled.sentry.issues],
    )


def test_every_webhook_is_taken(drilled: Drill) -> None:
    """Signed with the client secret over the bytes that were sent; none is refused or lost."""
    told = [
        ("issue", "created"),
        ("issue", "resolved"),
        ("seer", "root_cause_completed"),
        ("seer", "solution_completed"),
    ]

    assert ([(*one, 202) for one in told], []) == (sorted(drilled.sentry.told), drilled.sentry.undelivered)


def test_the_alert_declares_the_incident(drilled: Drill) -> None:
    """One issue is one alert and one incident, declared by nobody's hand."""
    assert (1, 1, "Stanch") == (
        len(drilled.by("incident.declared")),
        len(drilled.by("incident.alert_attached")),
        drilled.by("incident.declared")[0]["actor"],
    )


def test_the_overview_says_what_sentry_sees(drilled: Drill) -> None:
    """Covered by the incident, with the error's events, the share of failed requests, and the release before it."""
    (seen,) = drilled.overview["seen"]
    figures, issue = seen["figures"], seen["issue"]

    assert ("INC-1", "PAYMENTS-4400", True, True, _GOOD) == (
        seen["incident"],
        issue["key"],
        issue["events"] > 0,
        0 < figures["error_ratio"]["value"] < 1,
        seen["release"]["previous"],
    )


def test_the_close_look_says_where_and_since_which_release(drilled: Drill) -> None:
    """The line of the real stack trace, and the release that the SDK named."""
    (seen,) = drilled.errors["errors"]

    assert ("in amount_of", ["3.2.1"], sentryapp.BROKEN) == (
        seen["issue"]["at"][-12:],
        seen["issue"]["releases"],
        seen["release"]["version"],
    )


def test_what_seer_says_is_a_claim_that_cites(drilled: Drill) -> None:
    """It cites its own finding and the one in which the issue was seen, is raised by nobody, and the deploy leads."""
    (added,) = [
        one for one in drilled.entries if CAUSE["one_line_description"] in one["title"] and "(cites" in one["text"]
    ]
    titles = [one["title"] for one in drilled.analysed["hypotheses"]]

    assert re.search(r"\(cites a1-cause, f\d-sentry-1\)$", added["text"]), added
    assert ("analysis of sentry", "Bad deploy: payments 3.2.1", True) == (
        added["actor"],
        titles[0],
        CAUSE["one_line_description"] in titles,
    )


def test_a_person_rolls_back(drilled: Drill) -> None:
    """To the release that was deployed before, which Sentry's deploys tell."""
    approved, resolved = drilled.approved, drilled.resolved
    assert approved and resolved

    assert (0, 0, ["Alice Adams"]) == (
        approved.code,
        resolved.code,
        [one["actor"] for one in drilled.by("action.approved")],
    )


def test_each_thing_is_written_once(drilled: Drill) -> None:
    """Status, team and note at the declaration; the marker at the roll back; status and note at the resolution."""
    release = "releases/payments%403.2.0/deploys/"
    wanted = [
        "POST issues/4400/autofix/",
        *["POST issues/4400/notes/"] * 2,
        f"POST {release}",
        *["PUT issues/4400/"] * 3,
    ]
    changed = [body for what, body in drilled.sentry.writes if what.startswith("PUT")]

    assert (wanted, [{"assignedTo": "team:77"}, {"status": "resolved"}, {"status": "unresolved"}]) == (
        [what for what, _ in drilled.sentry.writes],
        changed,
    )


def test_the_notes_lead_to_the_incident(drilled: Drill) -> None:
    """At the issue stand its key and its link, and at the end the cause."""
    declared, resolved = drilled.sentry.written.notes

    assert (True, True, True) == (
        "INC-1 was declared: http://127.0.0.1:" in declared,
        "INC-1 was resolved: http://127.0.0.1:" in resolved,
        "Cause: Bad deploy: payments 3.2.1." in resolved,
    )


def test_the_marker_says_which_roll_back_it_is(drilled: Drill) -> None:
    """In the environment, with the incident's link."""
    (marker,) = drilled.sentry.written.deploys

    assert ("payments@3.2.0", "production", "INC-1 roll back ", "/i/1") == (
        marker["version"],
        marker["environment"],
        str(marker["name"])[:16],
        str(marker["url"])[-4:],
    )


def test_the_time_line_says_that_all_was_written(drilled: Drill) -> None:
    """Six writings, all of them done."""
    assert [True] * 6 == ["written" in one["title"] for one in drilled.by("tracker.writing_ended")]


def test_nothing_is_left_running(drilled: Drill) -> None:
    """The server and the application have stopped."""
    assert [] == drilled.left_running
