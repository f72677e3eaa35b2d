"""What to do when: sentences made of this incident, and none of what is not known."""

from dataclasses import replace
from datetime import timedelta

from stanch.catalog.model import Catalog, Person
from stanch.incidents import events as ev
from stanch.incidents.model import Citation, Impact, PrimaryError, Reading, Status
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.mitigate.tree import as_of_now, propose
from stanch.ports.changes import Change, ChangeKind
from tests.mitigate.situations import NOW, action, cause_of, incident, shop

ROLLBACK = replace(
    action("rollback", "rollback", "{service}", "--to", "{previous}"),
    title="Roll {service} back to {previous}",
    risk="low",
    undo=("ctl", "deploy", "{version}"),
)
RESTART = replace(action("restart", "restart", "{service}"), title="Restart {service}")
CUT = replace(action("circuit_breaker", "cut", "{target}"), title="Cut {target} off", undo=("ctl", "join", "{target}"))


def deployed() -> IncidentState:
    """Return an incident that a deploy of payments caused, with all that is known of it."""
    change = Change(
        id="deploy/7",
        at=NOW,
        kind=ChangeKind.DEPLOY,
        service="payments",
        title="payments v3.2.1",
        commit="7d1f00c0ffee42",
        author="Tomas",
    )
    cause = replace(
        cause_of("bad_deploy", "rollback", version="v3.2.1", previous="v3.2.0"),
        title="Bad deploy: payments v3.2.1",
        change="deploy/7",
        change_title="payments v3.2.1",
        culprit="payments/validation.py:41",
        evidence_against=(Citation(finding="f1-logs-2", text="some requests of v3.2.1 are well", weight=-0.4),),
    )
    reading = Reading(metric="error_ratio", service="checkout", value=0.45, unit="ratio", normal=0.002)
    return replace(
        incident(reading, cause=cause),
        started_at=NOW - timedelta(minutes=12),
        changes=ev.ChangesRanked(
            round=1,
            changes=(ev.RankedChange(change=change, score=1.0, verdict=""),),
            verdict="",
            none_explains=False,
        ),
        error=PrimaryError(title="TypeError: no customer", count=3, first_seen=NOW, last_seen=NOW),
        impact=Impact(at=NOW, affected=("gateway",), failed_requests=1412, explained="all are guests"),
        next_update_at=NOW + timedelta(minutes=15),
    )


def owned(catalog: Catalog) -> Catalog:
    """Return the shop with owners."""
    services = {name: replace(one, team="commerce") for name, one in catalog.services.items()}
    people = {"priya": Person(id="priya", name="Priya", teams=("commerce",)), "wei": Person(id="wei", teams=("web",))}
    return replace(catalog, services=services, people=people)


def phases(state: IncidentState, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return what is to be done when."""
    return propose(state, catalog, now=NOW).phases


def test_now_is_the_action_with_its_command_and_what_it_should_do() -> None:
    """One action, ready to be copied, then its check."""
    first, then = phases(deployed(), shop(ROLLBACK))["now"]

    assert (
        "Roll payments back to v3.2.0: stanch approve INC-1 rollback-payments",
        "See whether it helped: checkout error rate below 5 % within 120 s",
    ) == (first, then)


def now_with(verdict: str = "", **became: ActionState) -> tuple[str, ...]:
    """Return what to do now when the roll-back, and another plan where one is named, are where they are."""
    found = deployed()
    found = replace(found, hypotheses=(replace(found.hypotheses[0], mitigations=("rollback", "restart")),))
    proposal = propose(found, shop(ROLLBACK, RESTART), now=NOW)
    plans = (proposal.plan, *proposal.alternatives)
    actions = {
        plan.id: Action(
            plan=plan,
            state=became.get(plan.mitigation, ActionState.PROPOSED),
            verdict=verdict if plan.mitigation == "rollback" else "",
            proposed_seq=1,
            proposed_at=NOW,
        )
        for plan in plans
        if plan is not None
    }
    found = replace(found, actions=actions, proposal=proposal)
    return as_of_now(proposal, found, shop(ROLLBACK, RESTART)).phases["now"]


def test_what_is_done_already_is_not_asked_for_again() -> None:
    """Each state of the plan asks for something else: nobody is told at 03:00 to approve what has run."""
    judge = "See whether it helped: checkout error rate below 5 % within 120 s"
    instead = "Restart payments: stanch approve INC-1 restart-payments"

    assert {
        "running": ("Wait: Roll payments back to v3.2.0 is under way", judge),
        "not judged yet": (judge,),
        "helped": ("Wait until every figure has held for 15m",),
        "no effect": (instead,),
        "failed": ("Roll payments back to v3.2.0 failed: read what it printed, stanch plan list INC-1", instead),
        "rejected": (instead,),
        "nothing left": ("Look again: stanch investigate INC-1",),
        "unknown, nothing left": (),
    } == {
        "running": now_with(rollback=ActionState.RUNNING),
        "not judged yet": now_with(rollback=ActionState.SUCCEEDED),
        "helped": now_with("helped", rollback=ActionState.SUCCEEDED),
        "no effect": now_with("no_effect", rollback=ActionState.SUCCEEDED),
        "failed": now_with(rollback=ActionState.FAILED),
        "rejected": now_with(rollback=ActionState.REJECTED),
        "nothing left": now_with(rollback=ActionState.REJECTED, restart=ActionState.FAILED),
        "unknown, nothing left": now_with(rollback=ActionState.UNKNOWN, restart=ActionState.REJECTED),
    }


def test_once_it_is_over_only_what_comes_later_is_left() -> None:
    """Nothing is to be done now, nor in the next half hour, in an incident that is resolved."""
    assert ["2-4 hours", "after resolution"] == list(
        phases(replace(deployed(), status=Status.RESOLVED), shop(ROLLBACK))
    )


def test_the_next_half_hour_watches_doubts_and_brings_in_the_owner() -> None:
    """With the services that are hit, the way back, who owns it, what speaks against it, and the next update."""
    assert (
        "Watch checkout, gateway until every figure has held for 15m",
        "If it does not help, take it back (stanch plan undo INC-1 rollback-payments)",
        "Bring in commerce (Priya), who own payments",
        "Look at what speaks against it: some requests of v3.2.1 are well [f1-logs-2]",
        "Tell those who wait; the next update is promised for 14:45 UTC",
    ) == phases(deployed(), owned(shop(ROLLBACK)))["next 30 minutes"]


def test_the_fix_names_change_line_author_and_the_case_that_failed() -> None:
    """Nobody has to look up what is known."""
    assert (
        "Fix payments v3.2.1 (7d1f00c0ff) by Tomas at payments/validation.py:41",
        "Test the case that failed: TypeError: no customer, all are guests",
    ) == phases(deployed(), shop(ROLLBACK))["2-4 hours"]


def test_afterwards_is_about_this_change_its_delay_and_its_damage() -> None:
    """What would have stopped it, what would have seen it sooner, who is owed something."""
    assert (
        "Find out what would have stopped payments v3.2.1 (7d1f00c0ff) by Tomas before it was live",
        "See it sooner: checkout error rate was off for 12m before it was declared",
        "Make good 1,412 failed requests, all are guests",
        "Write the post-mortem with commerce, with an owner and a date for each action item",
    ) == phases(deployed(), owned(shop(ROLLBACK)))["after resolution"]


def test_what_stands_in_for_something_is_taken_back_later() -> None:
    """A circuit that was broken is closed again when the far end is well."""
    cause = replace(cause_of("dependency_down", "circuit_breaker"), target="acquirer")
    found = phases(incident(cause=cause, services=("payments",)), shop(CUT))["2-4 hours"]

    assert (
        "Give the calls of payments to acquirer something to fall back on",
        "Take it back when the cause is gone (Cut acquirer off): stanch plan undo INC-1 circuit_breaker-payments",
    ) == found


def test_somebody_elses_outage_is_asked_about_there() -> None:
    """With their status page, where it is known."""
    catalog = shop(CUT)
    outside = replace(catalog.services["acquirer"], status_page="https://status.example")
    catalog = replace(catalog, services={**catalog.services, "acquirer": outside})
    cause = replace(cause_of("third_party_outage", "circuit_breaker"), target="acquirer")

    assert (
        "Ask acquirer, whose status page is https://status.example"
        in (phases(incident(cause=cause, services=("payments",)), catalog)["next 30 minutes"])
    )


def test_two_people_are_said_to_be_needed() -> None:
    """Whoever comes first knows that a second is to be woken."""
    risky = replace(ROLLBACK, risk="irreversible")

    assert phases(deployed(), shop(risky))["now"][0].endswith(", by 2 people")


def test_without_a_cause_only_what_is_known_is_said() -> None:
    """No sentence is made of nothing."""
    assert () == phases(incident(services=("payments",)), shop(ROLLBACK))["2-4 hours"]
