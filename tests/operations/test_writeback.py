"""What is written into a tracker of errors on declaring, resolving and rolling back: once each, and on record."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stanch.catalog.model import Catalog
from stanch.incidents import events as ev
from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import SentryDesk
from stanch.operations import cases
from stanch.operations.writeback import note_text, owe_marker, owe_writings
from stanch.ports.issues import Moment
from stanch.ports.query import SystemSpec
from stanch.store import timers
from tests.operations.desk import START, Desk
from tests.support.sentry_writing import ALL, TOKEN, WrittenSentry, written_sentry

EVERYTHING = "status assign note deploy"


@pytest.fixture
def sentry() -> Iterator[WrittenSentry]:
    """Give a Sentry that is written to."""
    with written_sentry() as running:
        yield running


def connected(desk: Desk, sentry: WrittenSentry, *, write_back: str = EVERYTHING, **settings: str) -> Desk:
    """Return the desk with that Sentry, which may be written to as configured, and payments as team `pay`'s."""
    spec = SystemSpec(
        name="sentry",
        kind="sentry",
        url=sentry.url,
        secret=TOKEN,
        settings={"organization": "shop", "write_back": write_back, **settings},
    )
    services = dict(desk.world.catalog.services)
    services["payments"] = replace(services["payments"], team="pay")
    catalog: Catalog = replace(desk.world.catalog, services=services)
    world = replace(desk.world, catalog=catalog, desks={"sentry": SentryDesk(spec, fetch=HttpGet())})
    return replace(desk, world=world)


def declare(desk: Desk, issue: str = "4400") -> int:
    """Declare an incident on payments that an alert of an issue belongs to, and let what is owed be written."""
    number = desk.declare("Checkout fails", services=["payments"])
    labels = {"alertname": "SentryIssue", "issue_id": issue, "service": "payments"}
    attached = ev.AlertAttached(
        alert=f"sentry/{issue}", summary="TypeError", reading=None, starts_at=START, labels=labels, source="sentry"
    )
    desk.tell(number, attached)
    with desk.world.store.writing() as tx:
        owe_writings(tx, desk.world, cases.load(tx, number), Moment.DECLARED)
    desk.work()
    return number


def ended(desk: Desk, number: int) -> list[tuple[str, str, str]]:
    """Return what is on record of writings: when, what, how it ended."""
    found = [ev.typed(event) for event in desk.log(number) if event.kind == ev.WritingEnded.kind]
    return sorted((one.moment, one.act, one.outcome.value) for one in found if isinstance(one, ev.WritingEnded))


def detail(desk: Desk, number: int, act: str) -> str:
    """Return the words with which a writing ended."""
    found = [ev.typed(event) for event in desk.log(number) if event.kind == ev.WritingEnded.kind]
    return next(one.detail for one in found if isinstance(one, ev.WritingEnded) and one.act == act)


def test_declared(desk: Desk, sentry: WrittenSentry) -> None:
    """At a declaration the issue is open and the team's, and each writing is on record as done."""
    desk = connected(desk, sentry)
    number = declare(desk)

    assert [("declared", act, "done") for act in ("assign", "note", "status")] == ended(desk, number)
    assert {"status": "unresolved", "assignedTo": "team:77"} == sentry.issue


def test_an_issue_that_climbs(desk: Desk, sentry: WrittenSentry) -> None:
    """What calls itself `..` is no issue: the organization would be written to in its place."""
    desk = connected(desk, sentry)
    number = declare(desk, issue="..")

    assert ([], {"failed"}) == (sentry.writes, {outcome for _, _, outcome in ended(desk, number)})


def test_note(desk: Desk, sentry: WrittenSentry) -> None:
    """The note names the incident with its severity and its link."""
    desk = connected(desk, sentry)
    number = declare(desk)

    label = desk.state(number).ruling.severity.label
    expected = f"INC-{number} ({label}): Checkout fails\nINC-{number} was declared: http://stanch.example/i/{number}"
    assert [expected] == sentry.notes


def test_a_note_shows_what_others_wrote_and_renders_none_of_it(desk: Desk, sentry: WrittenSentry) -> None:
    """A title is whatever a sender of alerts says: a picture in it would tell somebody who reads the note."""
    state = replace(desk.state(declare(desk)), title="![x](http://evil.example/p.png) <b>*now*</b>\n# Down")
    first = note_text(state, Moment.DECLARED, url="http://stanch.example/i/1").split("\n")[0]

    assert r"!\[x\](http\://evil.example/p.png) \<b>\*now\*\</b> # Down" == first.partition(": ")[2]


def test_resolved(desk: Desk, sentry: WrittenSentry) -> None:
    """At a resolution the issue is resolved, and a second note says so."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("incident.resolve", incident=number, cause="bad deploy", mitigation="rolled back", force_reason="quiet")
    desk.work()

    assert "resolved" == sentry.issue["status"]
    assert "Cause: bad deploy. Mitigation: rolled back." in sentry.notes[1]
    assert 2 == len(sentry.notes)


def test_off(desk: Desk, sentry: WrittenSentry) -> None:
    """Nothing is written where nothing is configured."""
    desk = connected(desk, sentry, write_back="")
    number = declare(desk)

    assert [] == ended(desk, number)
    assert [] == sentry.writes


def test_once(desk: Desk, sentry: WrittenSentry) -> None:
    """What is on record is not owed again."""
    desk = connected(desk, sentry)
    number = declare(desk)
    made = list(sentry.writes)
    with desk.world.store.writing() as tx:
        owe_writings(tx, desk.world, cases.load(tx, number), Moment.DECLARED)
    desk.work()

    assert made == sentry.writes


def test_scope_is_missing(desk: Desk, sentry: WrittenSentry) -> None:
    """Without its scope a writing is refused at once, the scope is named, and Sentry's words stand beside it."""
    sentry.scopes = ALL - {"event:write"}
    desk = connected(desk, sentry)
    number = declare(desk)

    assert ("declared", "note", "refused") in ended(desk, number)
    expected = "the token lacks event:write; Sentry answered 403: You do not have permission to perform this action."
    assert expected == detail(desk, number, "note")


def test_failed(desk: Desk, sentry: WrittenSentry) -> None:
    """An issue that is not there has failed, with Sentry's words."""
    desk = connected(desk, sentry, write_back="status")
    number = declare(desk, issue="1")

    assert [("declared", "status", "failed")] == ended(desk, number)
    assert "Sentry answered 404: The requested resource does not exist" == detail(desk, number, "status")


def test_retried(desk: Desk, sentry: WrittenSentry) -> None:
    """A Sentry that is down is asked again later, and then it is done."""
    desk = connected(desk, sentry, write_back="status")
    sentry.down = 2
    number = declare(desk)
    for _ in range(3):
        desk.pass_time(seconds=5)
        desk.work()

    assert [("declared", "status", "done")] == ended(desk, number)


def test_given_up(desk: Desk, sentry: WrittenSentry) -> None:
    """A Sentry that is down for a day has failed, and nothing waits any more."""
    desk = connected(desk, sentry, write_back="status")
    sentry.down = 1_000
    number = declare(desk)
    desk.pass_time(days=1, seconds=5)
    desk.work()

    assert [("declared", "status", "failed")] == ended(desk, number)


def test_lost_answer(desk: Desk, sentry: WrittenSentry) -> None:
    """A note whose answer was lost is looked for, and not written twice."""
    desk = connected(desk, sentry, write_back="note")
    sentry.lost = 1
    number = declare(desk)
    desk.pass_time(seconds=5)
    desk.work()

    assert 1 == len(sentry.notes)
    assert "the note stands there" == detail(desk, number, "note")


def test_node_died(desk: Desk, sentry: WrittenSentry) -> None:
    """A note whose node died after it was sent is found there by the next one."""
    desk = connected(desk, sentry, write_back="note")
    number = desk.declare("Checkout fails", services=["payments"])
    labels = {"alertname": "SentryIssue", "issue_id": "4400", "service": "payments"}
    attached = ev.AlertAttached(
        alert="a", summary="TypeError", reading=None, starts_at=START, labels=labels, source="sentry"
    )
    desk.tell(number, attached)
    with desk.world.store.writing() as tx:
        owe_writings(tx, desk.world, cases.load(tx, number), Moment.DECLARED)
        [owed] = timers.find(tx.connection, kind="tracker_writing")
        # As if another node had claimed it, sent the note, and died.
        timers.postpone(tx.connection, owed.id, due_at=owed.due_at, error="")
    writing = owed.data["writing"]
    assert isinstance(writing, dict)
    sentry.notes.append(str(writing["text"]))
    desk.work()

    assert 1 == len(sentry.notes)


def rolled_back(desk: Desk) -> int:
    """Diagnose a bad deploy of payments, and say that its roll back was carried out."""
    number = declare(desk)
    desk.diagnose(number)
    with desk.world.store.writing() as tx:
        state = cases.load(tx, number)
        assert state.proposal is not None
        assert state.proposal.plan is not None
        owe_marker(tx, desk.world, state, state.proposal.plan)
    desk.work()
    return number


def test_marker(desk: Desk, sentry: WrittenSentry) -> None:
    """A roll back is recorded as a deploy of the release that was rolled back to."""
    desk = connected(desk, sentry)
    rolled_back(desk)

    assert [("payments@3.2.0", "production", ["payments"])] == [
        (one["version"], one["environment"], one["projects"]) for one in sentry.deploys
    ]


def test_marker_once(desk: Desk, sentry: WrittenSentry) -> None:
    """A marker whose answer was lost is looked for by its name, and stands there once."""
    desk = connected(desk, sentry, write_back="deploy")
    sentry.lost = 1
    rolled_back(desk)
    desk.pass_time(seconds=5)
    desk.work()

    assert 1 == len(sentry.deploys)


def test_marker_of_an_unknown_release(desk: Desk, sentry: WrittenSentry) -> None:
    """A version that Sentry has no release of has failed, and says so."""
    sentry.releases = ()
    desk = connected(desk, sentry, write_back="deploy")
    number = rolled_back(desk)

    assert "Sentry has no release 'v3.2.0' of payments" == detail(desk, number, "deploy")


def test_time_line(desk: Desk, sentry: WrittenSentry) -> None:
    """The time line tells what was written where."""
    desk = connected(desk, sentry, write_back="status")
    number = declare(desk)

    titles = [one.title for one in desk.ask("incident.timeline", incident=number)]
    assert "To issue 4400 of sentry: the status written" in titles
