"""Figures at the desk: instants taken from the log, on both databases; what is left out; alerts and pages; CSV."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from stanch.alerts.tables import save_alert
from stanch.incidents import events as ev
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.actor import Via
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid
from stanch.oncall.escalation import events as page_ev
from stanch.oncall.escalation.model import FrozenPolicy, Notice, NoticeState, Purpose
from stanch.oncall.pages.tables import PageProjector
from stanch.operations import registry
from stanch.operations.figures import Figures, FiguresFile
from stanch.operations.world import Call
from stanch.review.figures.tables import CourseProjector
from stanch.store import Store
from stanch.surfaces.cli.figures_text import figures_lines
from stanch.surfaces.cli.records import record_of
from tests.operations.desk import ALICE, BOB, OPERATIONS, Desk
from tests.operations.test_rebuild import live


@pytest.fixture
def desk(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk that keeps figures, once on each database."""
    projectors = (IncidentProjector(), PageProjector(), CourseProjector())
    store = Store.open(database_url, clock=clock, projectors=projectors)
    yield Desk.open(store, clock)
    store.close()


def asked(desk: Desk, name: str, body: Mapping[str, object]) -> object:
    """Ask an operation; `by` is the desk's own word for who asks."""
    entry = OPERATIONS[name]
    return registry.call(entry, Call(world=desk.world, actor=ALICE, via=Via.CLI), registry.decode(entry, body))


def shown(desk: Desk, **body: object) -> Figures:
    """Return the figures."""
    answer = asked(desk, "figures.show", body)
    assert isinstance(answer, Figures)
    return answer


def whole_life(desk: Desk) -> int:
    """Let an alert declare an incident that is acknowledged, diagnosed, watched and resolved, with known lengths."""
    desk.alert("payments")
    number = 1
    desk.pass_time(minutes=3)
    desk.ask("incident.acknowledge", incident=number)
    desk.diagnose(number)
    desk.pass_time(minutes=7)
    desk.ask("incident.note", incident=number, text="rolled back")
    desk.pass_time(minutes=20)
    desk.verify(number)
    desk.pass_time(minutes=1)
    desk.ask("incident.resolve", incident=number)
    return number


def page(desk: Desk, number: int, incident: int | None, *, acknowledged: bool) -> None:
    """Page Bob about an incident, and let him answer or not."""
    policy = FrozenPolicy(name="shop", steps=())
    notice = Notice(number=1, person="bob", method="phone", kind="ntfy", hint="…", due_at=desk.clock.now())
    records: list[page_ev.PageEvent] = [
        page_ev.PagingStarted(
            number=number,
            incident=incident,
            purpose=Purpose.INCIDENT,
            severity=2,
            title="Checkout fails",
            policy=policy,
            reason="declared",
        ),
        page_ev.LevelPaged(round=1, step=1, level=1, people=("bob",), notices=(notice,), unreached=(), next_at=None),
        page_ev.NoticeMoved(notice=1, state=NoticeState.HANDED_OVER),
    ]
    if acknowledged:
        records.append(page_ev.PageAcknowledged(person="bob", how="link", notice=1))
    with desk.world.store.writing() as tx:
        tx.append(
            page_ev.page_stream(number),
            [page_ev.new_event(one) for one in records],
            actor=BOB,
            via=Via.WEB,
            incident=incident,
        )


def test_lengths_of_time_are_taken_from_the_log(desk: Desk) -> None:
    """Each is between the two instants that its definition names."""
    whole_life(desk)
    found = shown(desk, by="cause")
    (one,) = found.groups
    # From the start: 40 s to the declaration, then 3 + 7 + 20 minutes less the 15 that were watched; a minute more.
    well, over = 40.0 + 30 * 60 - 900, 40.0 + 31 * 60

    assert ("bad_deploy", 40.0, 180.0, well, over) == (
        one.name,
        one.detect.median_s,
        one.acknowledge.median_s,
        one.mitigate.median_s,
        one.resolve.median_s,
    )


def test_an_incident_counts_for_the_service_where_its_cause_lies(desk: Desk) -> None:
    """Declared on checkout, caused by payments."""
    number = desk.declare()
    before = [one.name for one in shown(desk).groups]
    desk.diagnose(number)

    assert (["checkout"], ["payments"]) == (before, [one.name for one in shown(desk).groups])


def test_a_start_that_nobody_said_is_not_known(desk: Desk) -> None:
    """Declared by hand without saying since when: no time to detect; said, there is one."""
    desk.declare()
    desk.declare("Another", started_at=(desk.clock.now() - timedelta(minutes=4)).isoformat())
    detect = shown(desk).overall.detect

    assert (1, 240.0) == (detect.known, detect.median_s)


def test_whoever_confirms_a_cause_makes_it_known(desk: Desk) -> None:
    """A person's word counts as much as a ranking that is sure."""
    number = desk.declare()
    desk.diagnose(number, score=0.3)
    before = [one.name for one in shown(desk, by="cause").groups]
    desk.tell(number, ev.HypothesisConfirmed(hypothesis="bad_deploy/payments", title="Bad deploy", reason="seen"))

    assert (["not known"], ["bad_deploy"]) == (before, [one.name for one in shown(desk, by="cause").groups])


def test_a_relapse_takes_the_recovery_back(desk: Desk) -> None:
    """What did not hold was no end of the harm."""
    number = desk.declare()
    desk.verify(number)
    before = shown(desk).overall.mitigate.known
    desk.tell(number, ev.VerificationRelapsed(check="errors", summary="errors are back"))

    assert (1, 0) == (before, shown(desk).overall.mitigate.known)


def test_what_came_back_is_named_with_what_it_repeats(desk: Desk) -> None:
    """Within 90 days, also where the first lies before the time that was asked for."""
    desk.diagnose(desk.declare())
    desk.pass_time(days=40)
    desk.diagnose(desk.declare("Again"))
    since = (desk.clock.now() - timedelta(days=10)).isoformat()
    found = shown(desk, since=since)

    assert ([(2, 1, 40.0)], 1, 1) == (
        [(one.incident, one.before, one.days) for one in found.repeats],
        found.overall.incidents,
        found.overall.repeats,
    )


def test_what_was_none_is_left_out_and_told(desk: Desk) -> None:
    """Dismissed and merged incidents are counted apart; four of five lives are over or go on."""
    live(desk)
    found = shown(desk)

    assert (3, 2) == (found.overall.incidents, found.dismissed)


def test_drills_count_only_when_asked_for(desk: Desk, clock: ManualClock) -> None:
    """An exercise is no incident, and is said to be left out."""
    desk.world.store.rebuild()
    number = desk.declare()
    declared = next(event for event in desk.log(number) if event.kind == ev.Declared.kind)
    record = ev.typed(declared)
    assert isinstance(record, ev.Declared)
    with desk.world.store.writing() as tx:
        exercise = ev.new_event(ev.Declared(**{**vars(record), "number": 9, "drill": True}))
        tx.append(ev.incident_stream(9), [exercise], actor=ALICE, via=Via.CLI, incident=9)
    without, with_drills = shown(desk), shown(desk, drills=True)

    assert (1, 1, 2, 0) == (
        without.overall.incidents,
        without.drills_left_out,
        with_drills.overall.incidents,
        with_drills.drills_left_out,
    )


def test_alerts_that_led_to_none_are_noise(desk: Desk) -> None:
    """Of two alerts that are kept, an incident took one in."""
    took_in = desk.alert("payments")
    with desk.world.store.writing() as tx:
        save_alert(tx.connection, took_in)
        save_alert(tx.connection, replace(took_in, id="search/up"))
    noise = shown(desk).noise

    assert (2, 1, 1, 1.0) == (noise.alerts, noise.led_to_incident, noise.led_to_none, noise.per_incident)


def test_pages_count_by_person_and_by_what_became_of_them(desk: Desk) -> None:
    """One was acknowledged and acted on, one acknowledged and left, one never answered."""
    worked, left = desk.declare(), desk.declare("Left alone")
    page(desk, 1, worked, acknowledged=True)
    page(desk, 2, left, acknowledged=True)
    page(desk, 3, left, acknowledged=False)
    desk.pass_time(minutes=1)
    desk.ask("incident.note", incident=worked, text="looking", by=BOB)
    paging = shown(desk).paging

    assert (3, 2, 1, [("bob", 3)]) == (
        paging.pages,
        paging.acknowledged,
        paging.acted_on,
        [(one.person, one.pages) for one in paging.people],
    )


def test_a_page_at_night_is_told_apart(desk: Desk) -> None:
    """At half past two in the night of a Tuesday, on the clock where Bob lives."""
    desk.pass_time(days=2, hours=12)
    page(desk, 1, desk.declare(), acknowledged=False)
    (bob,) = shown(desk).paging.people

    assert ({"day": 0, "night": 1, "weekend": 0, "holiday": 0}, 1) == (bob.by_kind, bob.sleep_hours)


def test_a_rebuild_equals_what_was_there(desk: Desk) -> None:
    """The table is a projection."""
    live(desk)
    whole_life_again = desk.world.store.dump_projections()
    desk.world.store.rebuild()

    assert whole_life_again == desk.world.store.dump_projections()


def test_the_file_holds_the_groups_and_all(desk: Desk) -> None:
    """A row per group and one over all, in seconds."""
    whole_life(desk)
    told = asked(desk, "figures.export", {"by": "severity"})
    assert isinstance(told, FiguresFile)

    assert ("text/csv; charset=utf-8", ["group", "SEV4", "all"]) == (
        told.media_type,
        [line.split(",")[0] for line in told.text.splitlines()],
    )


@pytest.mark.parametrize(("since", "until"), [(0, 1), (4000, 0)])
def test_a_time_that_ends_before_it_begins_is_refused(desk: Desk, since: int, until: int) -> None:
    """So is one of more than ten years."""
    now = desk.clock.now()
    with pytest.raises(Invalid):
        shown(desk, since=(now - timedelta(days=since)).isoformat(), until=(now - timedelta(days=until)).isoformat())


def test_the_text_says_what_is_measured(desk: Desk, golden: Callable[[str, str], None]) -> None:
    """What a person reads in the terminal, with every definition beside the figures."""
    whole_life(desk)
    desk.pass_time(days=3)
    desk.diagnose(desk.declare("Checkout fails again"))
    page(desk, 1, 2, acknowledged=True)
    answer = msgspec.json.decode(msgspec.json.encode(shown(desk)))
    golden("figures.txt", "\n".join(figures_lines(record_of(answer))) + "\n")
