"""Changes are ranked by what they could explain, and the outcome may be that none does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.diagnose.changes.model import Change, ChangeKind, Evidence, Message, Mover, RankedChange
from stanch.diagnose.changes.rank import first_failing, rank_changes
from stanch.diagnose.logs.model import Frame

ONSET = datetime(2026, 6, 20, 14, 0, tzinfo=UTC)
GRAPH = {"web": ["cart"], "cart": ["stock"], "stock": []}

SHRUNK = Change(
    id="shrunk",
    at=ONSET - timedelta(minutes=4),
    kind=ChangeKind.DEPLOY,
    service="stock",
    version="2",
    paths=("pkg/db/pool.go",),
    title="refactor: simplify pool defaults",
    diff="-const maxConns = 50\n+const maxConns = 10",
)
RESTYLED = Change(
    id="restyled",
    at=ONSET - timedelta(minutes=1),
    kind=ChangeKind.DEPLOY,
    service="web",
    paths=("web/static/cart.css",),
    title="restyle the cart",
    diff="-a { color: red; }\n+a { color: blue; }",
)
EXHAUSTED = Evidence(
    movers=(
        Mover(service="stock", what="db_pool_wait_seconds", at=ONSET),
        Mover(service="cart", what="latency", at=ONSET + timedelta(minutes=1)),
    ),
    messages=(Message(service="stock", text="pool exhausted: no free connection of maxConns", count=300),),
)
PROVIDER_DOWN = Evidence(
    movers=(Mover(service="stock", what="error_rate", at=ONSET),),
    messages=(
        Message(service="stock", text="POST https://api.paycorp.com/v1/charges returned 503", count=900),
        Message(service="cart", text="upstream stock unavailable", count=90),
    ),
)


def ranked(*changes: Change, evidence: Evidence = EXHAUSTED) -> list[RankedChange]:
    """Rank changes for trouble in `web`."""
    return rank_changes(changes, onset=ONSET, symptom_service="web", graph=GRAPH, evidence=evidence)


def first_id(outcomes: list[RankedChange]) -> str:
    """Return the id of the likeliest change, "none" for none."""
    change = outcomes[0].change
    return change.id if change is not None else "none"


def reason_of(outcomes: list[RankedChange], change: Change, words: str) -> float:
    """Return the weight of the reason that holds `words`."""
    (entry,) = [outcome for outcome in outcomes if outcome.change == change]
    (reason,) = [reason for reason in entry.reasons if words in reason.text]
    return reason.weight


def test_the_change_that_fits_wins_over_the_latest() -> None:
    """The setting that the failures are about is blamed, not the deploy that came last."""
    assert "shrunk" == first_id(ranked(SHRUNK, RESTYLED))


def test_no_change_is_an_outcome() -> None:
    """Where a provider answers with errors and the one deploy is a matter of looks, no change is blamed."""
    outcomes = ranked(RESTYLED, evidence=PROVIDER_DOWN)

    assert ("none", "no change explains this") == (first_id(outcomes), outcomes[0].title)


def test_without_changes_nothing_is_blamed() -> None:
    """No candidates leave one outcome."""
    (outcome,) = ranked()

    assert (None, 1.0) == (outcome.change, outcome.probability)


def test_what_came_after_is_not_to_blame() -> None:
    """A change that took effect after everything had moved is damned by it."""
    late = replace(SHRUNK, at=ONSET + timedelta(minutes=20))

    assert -4.0 == reason_of(ranked(late), late, "moved")


def test_the_file_of_the_exception_is_the_strongest_sign() -> None:
    """A change to the file that raised the exception is tied to it by name."""
    frame = Frame(file="/app/pkg/db/pool.go", line=12, function="Acquire")
    outcomes = ranked(SHRUNK, evidence=Evidence(movers=EXHAUSTED.movers, frames=(frame,)))

    assert 3.0 == reason_of(outcomes, SHRUNK, "where the exception was raised")


@pytest.mark.parametrize(("failing", "weight"), [({"2": 0.98, "1": 0.02}, 2.5), ({"2": 0.3, "1": 0.7}, -2.5)])
def test_failures_follow_the_version_or_not(failing: dict[str, float], weight: float) -> None:
    """A version with all the failures and a third of the requests is for it; an even split is against it."""
    evidence = Evidence(movers=EXHAUSTED.movers, failing_versions=failing, traffic_versions={"1": 0.7, "2": 0.3})

    assert weight == reason_of(ranked(SHRUNK, evidence=evidence), SHRUNK, "version")


def test_shares_of_belief_sum_to_one() -> None:
    """The shares over all outcomes, none included, are a distribution."""
    assert 1.0 == pytest.approx(sum(outcome.probability for outcome in ranked(SHRUNK, RESTYLED)))


def test_the_deepest_of_those_that_moved_together_failed_first() -> None:
    """Of services that moved within two minutes the one the others call is the first to fail."""
    movers = [Mover(service=name, what="x", at=ONSET) for name in ("web", "cart", "stock")]

    assert "stock" == first_failing(movers, GRAPH, symptom="web")


def test_who_blames_another_did_not_fail_first() -> None:
    """A service whose failures only say that its caller gave up is a victim, however deep it stands."""
    movers = [Mover(service=name, what="x", at=ONSET) for name in ("cart", "stock")]
    messages = [Message(service="stock", text="List: context canceled by client before completion")]

    assert "cart" == first_failing(movers, GRAPH, symptom="cart", messages=messages)


def test_more_requests_from_outside_are_a_cause() -> None:
    """Where the requests of the outermost service rose first, no change is blamed for the load."""
    movers = (
        Mover(service="web", what="requests_per_sec", at=ONSET - timedelta(minutes=1), rose=True),
        *EXHAUSTED.movers,
    )
    outcomes = ranked(evidence=Evidence(movers=movers))

    assert "requests_per_sec of web rose first: more is asked from outside" in [r.text for r in outcomes[0].reasons]


def test_an_edit_without_a_sign_counts_less() -> None:
    """An edit that is known line by line and has neither a risky content nor a fit is told so."""
    plain = replace(SHRUNK, diff="-a = b(c)\n+a = d(c)", paths=("x.go",), title="tidy")

    assert -0.5 == reason_of(ranked(plain), plain, "nothing in it stands out")


def test_more_patience_is_no_danger() -> None:
    """A time limit that was raised gives more room and speaks against the change."""
    raised = replace(SHRUNK, diff="-timeout: 5s\n+timeout: 50s", paths=("a.yaml",))

    assert -0.8 == reason_of(ranked(raised), raised, "more room")


_CHANGES = st.builds(
    Change,
    id=st.uuids().map(str),
    at=st.datetimes(datetime(2026, 6, 20), datetime(2026, 6, 21)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    kind=st.sampled_from(ChangeKind),
    service=st.sampled_from(["", "web", "cart", "stock", "other"]),
    version=st.sampled_from(["", "1", "2"]),
    paths=st.lists(st.sampled_from(["go.mod", "a.css", "pkg/db/pool.go", "docs/a.md"]), max_size=3).map(tuple),
    title=st.text(max_size=30),
    diff=st.none()
    | st.sampled_from([SHRUNK.diff, RESTYLED.diff, "-x\n+y", "-a 1.2.3\n+a 1.3.0"])
    | st.text(max_size=80),
)


@given(st.lists(_CHANGES, max_size=6, unique_by=lambda change: change.id), st.randoms(use_true_random=False))
def test_the_order_of_changes_does_not_matter(changes: list[Change], random: object) -> None:
    """Any order of the candidates gives the same ranking, scores and reasons."""
    shuffled = list(changes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert ranked(*changes) == ranked(*shuffled)
