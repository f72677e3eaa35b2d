"""How alike incidents are: words, errors without what varies, and traits; what is not known costs nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.review.similar.model import Traits
from stanch.review.similar.rules import LEAST, Corpus, rank, template_of, words_of

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def traits(number: int, text: str = "", **said: object) -> Traits:
    """Return an incident with these words and traits."""
    known: dict[str, object] = {
        "title": f"Number {number}",
        "status": "resolved",
        "drill": False,
        "declared_at": AT,
        "started_at": AT,
        "resolved_at": AT,
        "words": tuple(words_of(text)),
    }
    return Traits(number=number, **{**known, **said})  # type: ignore[arg-type]


GUEST = "guest checkout fails TypeError validate_payment customer has no attribute email"
QUEUE = "queue of the mailer grows, workers restart, memory exhausted"
TEXTS = st.lists(st.sampled_from(f"{GUEST} {QUEUE}".split()), max_size=12).map(" ".join)
MANY = st.lists(
    st.builds(traits, st.integers(min_value=2, max_value=99), TEXTS), max_size=12, unique_by=lambda t: t.number
)


@pytest.mark.parametrize(
    ("error", "template"),
    [
        ("timeout after 3021 ms for 'guest-17'", "timeout after # ms for #"),
        ('KeyError: "cart_9f"', "KeyError: #"),
        ("no row 9f2c1ab4d0 at 10.0.3.7:5432", "no row # at #"),
        ("deadlock detected", "deadlock detected"),
    ],
)
def test_an_error_is_told_without_what_varies(error: str, template: str) -> None:
    """Quoted values, identifiers and numbers differ from one sighting to the next."""
    assert template == template_of(error)


def test_numbers_and_words_that_everybody_says_tell_nothing() -> None:
    """What every alert says makes nothing alike."""
    assert ["checkout", "guest"] == words_of("Checkout: error rate 45 %, normal 0.2 % for the guest")


def test_the_likest_comes_first() -> None:
    """More words in common, and the same service."""
    one = traits(9, GUEST, services=frozenset({"payments"}))
    near = traits(3, GUEST, services=frozenset({"payments"}))
    further = traits(4, f"{GUEST} {QUEUE}", services=frozenset({"payments"}))
    other = traits(5, QUEUE, services=frozenset({"mailer"}))

    assert [3, 4] == [found.traits.number for found in rank(one, [other, further, near])]


def test_the_same_error_is_enough() -> None:
    """With other words and at another service it is still shown, and the reason says so."""
    one = traits(9, "cart broken", error="KeyError: #", services=frozenset({"cart"}))
    (found,) = rank(one, [traits(1, QUEUE, error="KeyError: #", services=frozenset({"mailer"}))])

    assert ("the same error: KeyError: #",) == found.reasons


def test_a_service_alone_is_not_enough() -> None:
    """Everything that ever happened there would be shown."""
    one = traits(9, GUEST, services=frozenset({"payments"}))

    assert () == rank(one, [traits(1, QUEUE, services=frozenset({"payments"}))])


def test_the_same_cause_at_the_same_service_outweighs_the_same_cause_elsewhere() -> None:
    """A bad deploy of payments is more like one of payments than like one of search."""
    said = {"cause_kind": "bad_deploy"}
    one = traits(9, GUEST, service="payments", **said)
    here, elsewhere = traits(1, GUEST, service="payments", **said), traits(2, GUEST, service="search", **said)

    assert [1, 2] == [found.traits.number for found in rank(one, [elsewhere, here])]


def test_exercises_are_not_shown_beside_real_incidents() -> None:
    """What somebody broke on purpose says nothing about what broke."""
    assert () == rank(traits(9, GUEST), [traits(1, GUEST, drill=True)])


@given(TEXTS, MANY)
def test_scores_are_shares_and_fall(text: str, many: list[Traits]) -> None:
    """From what is enough up to 1, the likest first, with a reason each."""
    found = rank(traits(1, text), many)
    scores = [one.score for one in found]

    assert (sorted(scores, reverse=True), True, True) == (
        scores,
        all(LEAST <= score <= 1 + 1e-9 for score in scores),
        all(one.reasons for one in found),
    )


@given(TEXTS.filter(lambda text: bool(words_of(text))))
def test_an_incident_is_wholly_like_its_copy(text: str) -> None:
    """The same words score 1."""
    (found,) = rank(traits(1, text), [traits(2, text)])

    assert found.score == pytest.approx(1.0)


def test_a_corpus_that_was_brought_up_to_date_is_one_made_anew() -> None:
    """What changed is compared as it is now, and what is none any more not at all."""
    one = traits(9, GUEST)
    before = Corpus.of([traits(1, QUEUE), traits(2, GUEST), traits(3, GUEST)])
    after = before.changed([1, 2], [traits(1, GUEST)])

    assert [3, 1] == [found.traits.number for found in after.like(one, most=5)]


def test_after_many_changes_words_are_weighed_anew() -> None:
    """The rarity of words is that of the incidents there are."""
    fresh = [traits(number, GUEST) for number in range(2, 200)]
    after = Corpus.of([traits(1, QUEUE)]).changed(range(2, 200), fresh)

    assert Corpus.of([traits(1, QUEUE), *fresh]) == after
