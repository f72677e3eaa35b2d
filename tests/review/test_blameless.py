"""The blameless check: a person as the cause is found, a system as the cause is not, and another wording is offered."""

import pytest

from bench.blameless import count, sentences
from stanch.review.blameless import Kind, check


def kinds(text: str, *people: str) -> list[Kind]:
    """Return the kinds of what is found in a text."""
    return [one.kind for one in check(text, people=people)]


@pytest.mark.parametrize(
    ("text", "kind", "suggestion"),
    [
        (
            "The engineer should have tested the migration on a copy.",
            Kind.COUNTERFACTUAL,
            "Nobody had tested the migration on a copy by then: say what was known, and what led there.",
        ),
        ("The outage could have been prevented.", Kind.COUNTERFACTUAL, "Say what there was to stop it"),
        (
            "The team failed to notice the alert.",
            Kind.BLAME,
            "Nothing in place made sure of this step: notice the alert.",
        ),
        ("We forgot to rotate the key.", Kind.BLAME, "This step relied on memory: rotate the key."),
        ("It was human error.", Kind.BLAME, "Name the condition instead"),
        ("Alice deleted the old table.", Kind.BLAME, "The old table was deleted; say what allowed it."),
        ("That was careless.", Kind.JUDGEMENT, "Say what was seen and known"),
        ("In hindsight the limit was low.", Kind.HINDSIGHT, "Say which signs were visible"),
    ],
)
def test_what_blames_is_found_with_another_wording(text: str, kind: Kind, suggestion: str) -> None:
    """Each kind of wording is named as what it is, and another sentence is proposed."""
    (found,) = check(text)
    assert (kind, True) == (found.kind, found.suggestion.startswith(suggestion))


@pytest.mark.parametrize(
    "text",
    [
        "payments failed to connect to orders-db.",
        "The alert should fire above 5 %.",
        "Alice acknowledged the page.",
        "The job deleted 4,000 rows.",
        "There was no obvious cause.",
        "Users failed to log in for twenty minutes.",
        "We missed the response target by four minutes.",
        "We killed the query and dropped the index to make room.",
        "The operator deleted the failed pods.",
        "The Kubernetes operator failed to reconcile the resource.",
        "We introduced a circuit breaker last year.",
        "`human error` stands in code",
        "```\nhuman error\n```",
        "> it was human error",
        'They wrote "human error" into the ticket',
        "[what was seen](https://example.com/human error)",
    ],
)
def test_systems_facts_and_quotations_are_passed_over(text: str) -> None:
    """What a system did, and what is quoted or code, is evidence."""
    assert [] == kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "We deleted the wrong bucket.",
        "Martin accidentally deleted the pods.",
        "Alice killed the wrong process.",
        "We introduced a bug into the parser.",
        "The mistake was made by the network team.",
        "Nobody bothered to read the alert.",
    ],
)
def test_a_step_that_ends_an_incident_is_told_from_one_that_began_it(text: str) -> None:
    """The same verb blames where it says that it was done to the wrong thing, or by accident."""
    assert [Kind.BLAME] == kinds(text)


def test_those_who_took_part_are_known_by_name() -> None:
    """A name that is no common given name is found when its bearer took part."""
    assert ([], [Kind.BLAME]) == (kinds("jdoe deleted the table."), kinds("jdoe deleted the table.", "jdoe"))


def test_a_finding_stands_at_its_place() -> None:
    """Line, start and end lead an editor to the words."""
    text = "# Cause\n\nFirst it was fine. Then human error."
    (found,) = check(text)
    assert (3, "human error") == (found.line, text.splitlines()[2][found.start : found.end])


def test_a_hostile_text_is_checked_in_time_that_grows_with_it() -> None:
    """A line of a hundred thousand words that almost fit ends, as every sentence has a bound."""
    assert [] == kinds("the the the " * 100_000)


@pytest.mark.parametrize("name", ["dev", "test"])
def test_the_sentences_of_the_bench_are_mostly_right(name: str) -> None:
    """Few false alarms, and most of what blames is found."""
    counted = count(sentences(name))
    assert counted.precision >= 0.95
    assert counted.recall >= 0.9
