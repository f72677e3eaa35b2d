"""What each role must do now."""

from stanch.incidents import events as ev
from stanch.incidents.model import Role, Status
from stanch.incidents.roles import TITLES, duty_now
from tests.incidents.lives import ALICE, PLAN, PROPOSED, RANKED, Log, whole_life


def test_every_role_has_a_title() -> None:
    """A role without a name cannot be given."""
    assert set(Role) == set(TITLES)


def test_first_the_commander_acknowledges() -> None:
    """Before anything else somebody takes it on."""
    assert "Acknowledge." == duty_now(Role.COMMANDER, Log().state)


def test_then_the_commander_decides() -> None:
    """A plan that waits is the commander's to decide on."""
    state = Log().tell(ev.Acknowledged(), by=ALICE).tell(PROPOSED).state

    assert f"Decide on the proposed plan: {PLAN.title}." == duty_now(Role.COMMANDER, state)


def test_while_it_recovers_the_commander_waits() -> None:
    """Nothing is resolved before it has held."""
    state = Log().tell(ev.Acknowledged(), ev.StatusChanged(status=Status.MONITORING, reason=""), by=ALICE).state

    assert "Wait for the verification, then resolve." == duty_now(Role.COMMANDER, state)


def test_the_technical_lead_tests_until_the_cause_is_known() -> None:
    """Before the cause is known the next test is the work, afterwards the evidence."""
    unknown, known = Log().state, Log().tell(RANKED).state

    assert (
        "Run the next test, and write down what it says.",
        "Check the evidence against the first hypothesis before the plan runs.",
    ) == (duty_now(Role.TECHNICAL_LEAD, unknown), duty_now(Role.TECHNICAL_LEAD, known))


def test_after_the_end_the_commander_reads() -> None:
    """What remains is the write-up."""
    assert "Read the post-mortem and take your action items." == duty_now(Role.COMMANDER, whole_life().state)


def test_after_the_end_the_others_have_nothing_to_do() -> None:
    """No duty is left over."""
    others = [role for role in Role if role is not Role.COMMANDER]

    assert [""] * len(others) == [duty_now(role, whole_life().state) for role in others]
