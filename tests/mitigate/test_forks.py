"""How a question of the tree is answered: yes and no alike with the reason and the findings."""

from dataclasses import replace

import pytest

from stanch.catalog.model import Catalog
from stanch.catalog.tree import SHIPPED_TREE, Branch, When
from stanch.incidents import events as ev
from stanch.incidents.model import Citation, PrimaryError
from stanch.incidents.state import IncidentState
from stanch.mitigate.forks import answer
from stanch.mitigate.tree import propose
from stanch.ports.evidence import Finding, FindingStatus, Signal
from tests.mitigate.situations import NOW, action, cause_of, incident, shop

RESTART = action("restart", "restart", "{service}")


def asked(when: When, state: IncidentState, catalog: Catalog | None = None) -> tuple[str, str]:
    """Return answer and reason to a question that asks for `when`."""
    fork = answer(Branch(question="q", when=when, mitigations=("restart",)), state, catalog or shop(RESTART))
    return fork.answer, fork.reason


def found(text: str, *signals: str, status: FindingStatus = FindingStatus.OK) -> IncidentState:
    """Return an incident of payments with one finding."""
    finding = Finding(
        id="f1-host-1",
        collector="host",
        source="",
        command="df",
        status=status,
        summary=text,
        start=NOW,
        end=NOW,
        signals=tuple(Signal(name=name) for name in signals),
    )
    return replace(incident(services=("payments",)), findings={finding.id: finding})


def test_a_leading_cause_of_the_kind_is_a_yes() -> None:
    """It says which, and how likely."""
    assert ("yes", "memory_leak stands at 90 %") == asked(
        When(kinds=("memory_leak",)), incident(cause=cause_of("memory_leak"))
    )


def test_a_cause_of_another_kind_is_a_no_that_says_how_near_it_came() -> None:
    """Both the leading cause and the best of the wanted kinds are named."""
    second = replace(cause_of("memory_leak"), id="h2", score=0.07)
    state = incident(cause=cause_of("bad_deploy"))
    state = replace(state, hypotheses=(*state.hypotheses, second))

    assert ("no", "bad_deploy stands at 90 %; memory_leak is at 7 %") == asked(When(kinds=("memory_leak",)), state)


def test_a_kind_that_nobody_thought_of_is_a_no() -> None:
    """Nothing of it was found."""
    assert ("no", "bad_deploy stands at 90 %; nothing of this kind was found") == asked(
        When(kinds=("memory_leak",)), incident(cause=cause_of("bad_deploy"))
    )


def test_a_cause_that_is_not_likely_enough_is_a_no() -> None:
    """A branch may ask for more than a cause needs to be known."""
    assert ("no", "memory_leak stands at 90 %, and 95 % is asked for") == asked(
        When(kinds=("memory_leak",), score=0.95), incident(cause=cause_of("memory_leak"))
    )


def test_while_no_cause_stands_out_it_says_so() -> None:
    """With what is nearest."""
    state = replace(incident(cause=cause_of("memory_leak")), cause_known=False)

    assert ("no", "no cause stands out: memory_leak is at 90 %") == asked(When(kinds=("memory_leak",)), state)


def rivals(**other: object) -> IncidentState:
    """Return an incident whose two likeliest causes stand at 50 % and 47 %, alike but for `other` of the second."""
    first = replace(cause_of("dependency_down", "circuit_breaker"), score=0.5, target="acquirer")
    told: dict[str, object] = {"id": "h2", "kind": "third_party_outage", "title": "an outage", "score": 0.47, **other}
    second = replace(first, **told)  # type: ignore[arg-type]  # fields by name
    state = incident(cause=first)
    return replace(state, hypotheses=(first, second), cause_known=False)


def test_causes_that_ask_for_the_same_count_together() -> None:
    """Whichever of them it is, the same helps first."""
    when = When(kinds=("dependency_down", "third_party_outage"))

    assert (
        "yes",
        "dependency_down (50 %) or an outage (47 %): whichever it is, the same helps, and together they stand at 97 %",
    ) == asked(when, rivals())


@pytest.mark.parametrize(
    "other", [{"target": "bank"}, {"change": "deploy/7"}, {"mitigations": ("failover",)}, {"score": 0.2}]
)
def test_causes_that_ask_for_something_else_do_not(other: dict[str, object]) -> None:
    """Another far end, another change, another first step, or too little in all: nothing is proposed on a guess."""
    assert "no" == asked(When(kinds=("dependency_down", "third_party_outage")), rivals(**other))[0]


def test_what_causes_agree_on_is_proposed() -> None:
    """With the words of the likeliest."""
    cut = action("circuit_breaker", "cut", "{target}")
    proposed = propose(rivals(), shop(cut), now=NOW)

    assert ["ctl", "cut", "acquirer"] == (list(proposed.plan.steps[0].argv) if proposed.plan else [])


def test_findings_are_cited_for_yes_and_no() -> None:
    """A yes cites what speaks for it, a no what speaks for something else."""
    cause = replace(cause_of("memory_leak"), evidence_for=(Citation(finding="f1-host-1", text="", weight=1.0),))
    branches = [Branch(question="q", when=When(kinds=(kind,))) for kind in ("memory_leak", "bad_deploy")]
    forks = [answer(branch, incident(cause=cause), shop()) for branch in branches]

    assert [("yes", ("f1-host-1",)), ("no", ("f1-host-1",))] == [(one.answer, one.findings) for one in forks]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(services=("payments",)), ("yes", "it is about payments")),
        (When(services=("gateway", "checkout")), ("no", "it is about payments, not gateway or checkout")),
        (When(teams=("money",)), ("no", "payments is nobody's, not money's")),
        (When(environments=("production",)), ("yes", "payments runs in production")),
        (When(environments=("staging",)), ("no", "payments runs in production, not in staging")),
        (When(tier=2), ("yes", "payments is of tier 2")),
        (When(tier=1), ("no", "payments is of tier 2, not of tier 1 or more critical")),
    ],
)
def test_labels_of_the_service_can_be_asked_for(when: When, expected: tuple[str, str]) -> None:
    """Its name, team, environment and tier."""
    assert expected == asked(when, incident(cause=cause_of("memory_leak")))


def test_a_word_in_a_finding_is_a_yes() -> None:
    """Whatever its capitals, and with the place where it stands."""
    state = found("/var: no space left on DEVICE")

    assert ("yes", "'No space left on device' stands in f1-host-1") == asked(
        When(words=("No space left on device",)), state
    )


def test_a_word_is_no_expression() -> None:
    """A dot is a dot."""
    assert "no" == asked(When(words=("s.ace",)), found("no space left"))[0]


def test_a_word_in_the_error_counts() -> None:
    """The error that stands out is looked at too."""
    error = PrimaryError(title="OSError: No space left", count=3, first_seen=NOW, last_seen=NOW)
    state = replace(incident(services=("payments",)), error=error)

    assert ("yes", "'no space' stands in the error") == asked(When(words=("no space",)), state)


def test_what_could_not_be_looked_at_says_nothing() -> None:
    """A collector that failed has found no word."""
    state = found("no space left", status=FindingStatus.FAILED)

    assert ("no", "nothing says 'no space'") == asked(When(words=("no space",)), state)


def test_a_signal_is_a_yes() -> None:
    """By its name."""
    assert ("yes", "host found disk full") == asked(When(signals=("disk_full",)), found("", "disk_full"))


def test_all_that_is_asked_for_must_hold() -> None:
    """The first that does not is the reason."""
    when = When(words=("no space",), services=("gateway",))

    assert ("no", "it is about payments, not gateway") == asked(when, found("no space left"))


def test_a_branch_on_words_acts_while_no_cause_is_known() -> None:
    """What a finding says is enough where its owner says so."""
    branch = Branch(question="Is a disk full?", when=When(words=("no space",)), mitigations=("restart",))
    proposed = propose(found("no space left"), replace(shop(RESTART), tree=(branch,)), now=NOW)

    assert (
        ["ctl", "restart", "payments"],
        "restart: 'no space' stands in f1-host-1. Risk high, cannot be undone.",
    ) == (
        list(proposed.plan.steps[0].argv) if proposed.plan else [],
        proposed.verdict,
    )


def test_the_first_yes_decides_and_the_path_ends_there() -> None:
    """Questions before it are answered no, each with its reason; those after it are not asked."""
    proposed = propose(incident(cause=cause_of("memory_leak", "restart")), shop(RESTART), now=NOW)

    assert [
        (SHIPPED_TREE[0].question, "no", "memory_leak stands at 90 %; nothing of this kind was found"),
        (SHIPPED_TREE[1].question, "yes", "memory_leak stands at 90 %"),
    ] == [(fork.question, fork.answer, fork.reason) for fork in proposed.path]


def test_else_the_next_test_is_named() -> None:
    """When no question is answered yes, what would tell most is what to do."""
    state = replace(
        incident(cause=cause_of("data_problem")),
        diagnosis=ev.HypothesesRanked(round=1, hypotheses=(), known=True, verdict="", next_test="Look at the rows"),
    )
    proposed = propose(state, shop(RESTART), now=NOW)

    assert ("Go on investigating. Look at the rows", ("Look at the rows: stanch hypothesis test INC-1",), 4) == (
        proposed.verdict,
        proposed.phases["now"],
        len(proposed.path),
    )
