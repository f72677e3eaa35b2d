"""What events add up to: the same events always give the same state."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.incidents import events as ev
from stanch.incidents.folding import fold_all
from stanch.incidents.model import Role, Status
from stanch.incidents.state import ActionState
from stanch.kernel.errors import Bug
from tests.incidents.lives import ALICE, BOB, DECLARED, NOW, PLAN, PROPOSED, RESTART, Log, whole_life


def approved(by: object = ALICE) -> ev.Approved:
    """Return an approval of the roll-back."""
    return ev.Approved(plan=PLAN.id, digest=PLAN.digest, expires_at=NOW + timedelta(minutes=15))


def test_nothing_adds_up_to_nothing() -> None:
    """Without events there is no incident."""
    assert fold_all([]) is None


def test_events_before_the_declaration_change_nothing() -> None:
    """There is no incident before it is declared."""
    assert fold_all(Log(ev.NoteAdded(text="early")).events) is None


def test_a_whole_life_ends_resolved() -> None:
    """From the alert to the end."""
    state = whole_life().state

    assert (Status.RESOLVED, "alice", ActionState.SUCCEEDED, 1) == (
        state.status,
        state.acknowledged_by.id if state.acknowledged_by else "",
        state.actions[PLAN.id].state,
        state.verification.relapses if state.verification else 0,
    )


def test_a_state_can_be_folded_on() -> None:
    """Folding all at once and one after the other is the same."""
    log = whole_life()
    halves = [fold_all(log.events[:cut]) for cut in range(1, len(log.events))]

    assert all(half is not None for half in halves)


def test_the_version_is_that_of_the_own_stream() -> None:
    """Events of a plan or of the write-up do not count for the incident's own version."""
    log = Log().tell(PROPOSED, approved())

    assert (3, 2) == (log.state.seq, log.state.version)


def test_an_alternative_waits_too() -> None:
    """Every plan of a proposal can be approved."""
    state = Log().tell(PROPOSED).state

    assert {PLAN.id: ActionState.PROPOSED, RESTART.id: ActionState.PROPOSED} == {
        name: action.state for name, action in state.actions.items()
    }


def test_a_plan_proposed_again_keeps_its_story() -> None:
    """A new proposal does not forget that the plan has been approved."""
    state = Log().tell(PROPOSED, approved()).tell(PROPOSED).state

    assert ActionState.APPROVED is state.actions[PLAN.id].state


def test_two_approvals_of_one_person_are_one() -> None:
    """Four eyes are two people's."""
    needs_two = ev.MitigationProposed(
        path=(), plan=ev.Plan(**{**vars(PLAN), "approvals_needed": 2}), alternatives=(), verdict=""
    )
    log = Log().tell(needs_two).tell(approved(), by=ALICE).tell(approved(), by=ALICE)

    assert ActionState.PROPOSED is log.state.actions[PLAN.id].state


def test_two_people_are_two_approvals() -> None:
    """The second person's yes is the one that was missing."""
    needs_two = ev.MitigationProposed(
        path=(), plan=ev.Plan(**{**vars(PLAN), "approvals_needed": 2}), alternatives=(), verdict=""
    )
    log = Log().tell(needs_two).tell(approved(), by=ALICE).tell(approved(), by=BOB)

    assert ActionState.APPROVED is log.state.actions[PLAN.id].state


def test_an_event_of_an_unknown_plan_changes_nothing() -> None:
    """A plan that was never proposed has no story."""
    assert {} == Log().tell(ev.RunStarted(plan="moon", node="n1")).state.actions


def test_an_unknown_outcome_is_neither_success_nor_failure() -> None:
    """The node died: nobody knows, and the state says so."""
    log = Log().tell(PROPOSED, approved(), ev.RunStarted(plan=PLAN.id, node="n1"))
    log.tell(ev.RunOutcomeUnknown(plan=PLAN.id, detail="died"))

    assert ActionState.UNKNOWN is log.state.actions[PLAN.id].state


def test_what_stands_out_is_kept_until_there_is_better() -> None:
    """A look that sees no error does not forget the one that was seen."""
    first = whole_life().state
    later = whole_life().tell(ev.SymptomSeen()).state

    assert (first.error, first.change) == (later.error, later.change)


def test_a_role_taken_back_is_free() -> None:
    """An empty person holds nothing."""
    log = Log().tell(ev.RoleAssigned(role=Role.SCRIBE, person="bob"), ev.RoleAssigned(role=Role.SCRIBE, person=""))

    assert {} == log.state.roles


def test_reopening_forgets_the_end() -> None:
    """Neither the resolution nor the verification of the first end counts for the second."""
    state = whole_life().tell(ev.Reopened(reason="back")).state

    assert (Status.INVESTIGATING, None, None, None) == (
        state.status,
        state.resolved_at,
        state.resolution,
        state.verification,
    )


def test_reopening_keeps_who_took_it_on() -> None:
    """The acknowledgement of the first time stands."""
    assert ALICE == whole_life().tell(ev.Reopened(reason="back")).state.acknowledged_by


def test_a_merged_incident_is_closed() -> None:
    """It is over, and another state than dismissed."""
    state = Log().tell(ev.Dismissed(reason="same", merged_into=3)).state

    assert (Status.MERGED, False) == (state.status, state.is_open)


def test_a_late_event_counts_from_when_it_happened() -> None:
    """An acknowledgement by telephone is written down later and counts from the call."""
    state = Log().tell(ev.Acknowledged(), by=ALICE, after_s=600, at=NOW + timedelta(seconds=60)).state

    assert NOW + timedelta(seconds=60) == state.acknowledged_at


def test_an_unknown_kind_is_a_defect() -> None:
    """The log holds nothing that the code does not know."""
    with pytest.raises(Bug, match="unknown event kind"):
        ev.typed(Log().events[0].__class__(**{**vars(Log().events[0]), "kind": "incident.exploded"}))


@pytest.mark.parametrize("kind", sorted(ev.EVENT_TYPES))
def test_a_kind_names_its_concept(kind: str) -> None:
    """Kinds are `concept.what_happened`, and the table holds each under its own."""
    assert kind == ev.EVENT_TYPES[kind].kind


@given(st.permutations(whole_life().events[1:]))
def test_no_order_of_events_breaks_the_fold(events: list[object]) -> None:
    """Whatever comes when: folding never fails, and the incident stays the same one."""
    state = fold_all([Log().events[0], *events])  # type: ignore[list-item]  # hypothesis forgets the type

    assert state is not None
    assert DECLARED.number == state.number
