"""Plans made exact: the digest covers what a look said, and what has changed since is told."""

from dataclasses import replace

from stanch.incidents.events import Plan
from stanch.mitigate.foresight import Seen, fresh_id, made_exact, root_of, same_wish, what_changed
from stanch.mitigate.plan import digest_of
from stanch.mitigate.undoing import undo_plan
from stanch.ports.actuator import Outlook, Step
from tests.mitigate.situations import incident

ASKED = Step(actuator="valve", describe="close the valve", data={"to": "before"})
EXACT = replace(ASKED, data={"to": "40", "version": "7"})
BACK = replace(ASKED, data={"to": "100"})
OTHER = Step(actuator="command", argv=("ctl", "drain"))
BACK_UP = Step(actuator="command", argv=("ctl", "fill"))


def plan(*steps: Step, undo: tuple[Step, ...] = ()) -> Plan:
    """Return a plan of these steps."""
    made = Plan(
        id="close-payments",
        mitigation="rate_limit",
        title="Close the valve",
        why="",
        target="payments",
        steps=steps,
        dry_run=(),
        undo=undo,
        risk="low",
        reversible=bool(undo),
        expectation=None,
        approvals_needed=1,
        digest="",
        world={"service": "payments"},
    )
    return replace(made, digest=digest_of(made))


def seen(fingerprint: str = "7", **more: object) -> Seen:
    """Return what a look at the valve says."""
    given: dict[str, object] = {"step": EXACT, "undo": BACK, "fingerprint": fingerprint, **more}
    return Seen(outlook=Outlook(**given))  # type: ignore[arg-type]  # a keyword is overwritten by a test


def test_the_exact_step_is_what_runs() -> None:
    """What was asked for is kept beside it."""
    made = made_exact(plan(ASKED), [seen()])

    assert ((EXACT,), (ASKED,)) == (made.steps, made.asked)


def test_the_fingerprint_stands_in_the_world() -> None:
    """It is named by its step, beside the words of the diagnosis."""
    assert {"service": "payments", "state of step 1": "7"} == made_exact(plan(ASKED), [seen()]).world


def test_the_undo_is_what_the_look_computed() -> None:
    """Nothing had to be declared, and the plan counts as reversible."""
    made = made_exact(plan(ASKED), [seen()])

    assert ((BACK,), True) == (made.undo, made.reversible)


def test_a_declared_undo_stays_where_not_all_steps_can_be_computed() -> None:
    """Half an undo is none."""
    made = made_exact(plan(ASKED, OTHER, undo=(BACK_UP,)), [seen(), Seen()])

    assert (BACK_UP,) == made.undo


def test_steps_are_taken_back_last_first() -> None:
    """What was done last is undone first."""
    first, second = replace(BACK, data={"to": "1"}), replace(BACK, data={"to": "2"})
    made = made_exact(plan(ASKED, ASKED), [seen(undo=first), seen(undo=second)])

    assert (second, first) == made.undo


def test_an_undo_of_an_earlier_look_is_not_kept() -> None:
    """What the newest look says cannot be taken back is not shown as reversible."""
    made = made_exact(made_exact(plan(ASKED), [seen()]), [seen(undo=None)])

    assert ((), False) == (made.undo, made.reversible)


def test_the_digest_covers_the_exact_step_the_state_and_the_warnings() -> None:
    """Each makes another plan of it."""
    told = [seen(), seen("8"), seen(step=BACK), seen(warnings=("an HPA owns it",)), seen(undo=None)]

    assert 5 == len({made_exact(plan(ASKED), [one]).digest for one in told})


def test_what_is_shown_alone_does_not_change_the_digest() -> None:
    """A preview tells how old a session is: that it grew older is no other plan."""
    one, other = (made_exact(plan(ASKED), [seen(preview=(text,))]) for text in ("for 3 s", "for 4 s"))

    assert one.digest == other.digest


def test_the_digest_is_that_of_the_plan() -> None:
    """Whoever computes it again comes to the same."""
    made = made_exact(plan(ASKED), [seen()])

    assert digest_of(made) == made.digest


def test_a_far_end_that_is_away_leaves_the_plan_as_it_was_asked() -> None:
    """It says why it could not be looked at."""
    made = made_exact(plan(ASKED), [Seen(unseen="the valve does not answer")])

    assert ((ASKED,), "the valve does not answer") == (made.steps, made.unseen)


def test_a_plan_nobody_can_look_at_stays_as_it_is() -> None:
    """Commands have no far end that could be asked."""
    asked = plan(OTHER)

    assert asked is made_exact(asked, [Seen()])


def test_secrets_of_a_far_end_are_taken_out() -> None:
    """Warnings and previews are stored, and hold no password."""
    made = made_exact(plan(ASKED), [seen(warnings=("password=hunter2",), preview=("token: password=hunter2",))])

    assert "hunter2" not in str((made.warnings, made.preview))


def test_a_long_preview_is_cut() -> None:
    """What is left out is counted."""
    made = made_exact(plan(ASKED), [seen(preview=("x\n" * 1_000,))])

    assert (401, "... and 600 lines more") == (len(made.preview), made.preview[-1])


def test_nothing_has_changed_when_the_state_is_the_same() -> None:
    """Another version in the exact step is not what counts where the state has a name."""
    before = made_exact(plan(ASKED), [seen()])
    now = made_exact(before, [seen(step=replace(EXACT, data={"to": "40", "version": "9"}))])

    assert "" == what_changed(before, now)


def test_another_state_is_told_with_both() -> None:
    """It says which step, from what, to what."""
    before, now = (made_exact(plan(ASKED), [seen(mark)]) for mark in ("7", "8"))

    assert "close the valve: it was at 7, and is at 8 now" == what_changed(before, now)


def test_without_a_state_another_step_is_a_change() -> None:
    """A far end that names no state is compared by what would be done."""
    before, now = (made_exact(plan(ASKED), [seen("", step=step)]) for step in (EXACT, BACK))

    assert "close the valve: what would be done is not the same any more" == what_changed(before, now)


def test_a_plan_asks_for_the_same_before_and_after_a_look() -> None:
    """So that a ranking that says the same again proposes nothing new."""
    assert same_wish(plan(ASKED), made_exact(plan(ASKED), [seen(warnings=("careful",))]))


def test_another_argument_is_another_wish() -> None:
    """Then it is news."""
    assert not same_wish(plan(ASKED), made_exact(plan(BACK), [seen()]))


def test_each_attempt_has_a_name_of_its_own() -> None:
    """The second is called by the first's name and its number."""
    assert ("a", "a~2", "a~3") == (fresh_id("a", []), fresh_id("a", ["a"]), fresh_id("a~2", ["a", "a~2"]))


def test_an_attempt_knows_its_root() -> None:
    """Whatever its number."""
    assert ("a", "a") == (root_of("a"), root_of("a~12"))


def test_an_undo_is_a_plan_of_its_own() -> None:
    """It has its own id and digest, and says what it takes back."""
    done = made_exact(plan(ASKED), [seen()])
    undo = undo_plan(incident(), done)

    assert ("undo-close-payments", (BACK,), done.id, True) == (
        undo.id,
        undo.steps,
        undo.undo_of,
        undo.digest not in ("", done.digest),
    )
