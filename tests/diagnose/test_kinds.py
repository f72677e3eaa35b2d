"""The kinds of causes are well-formed data, and the words of errors are sorted into families."""

import math
import string

import pytest

from stanch.diagnose.clues import CLUES
from stanch.diagnose.kinds import KINDS, MITIGATIONS, Kind, kind_named, log_odds
from stanch.diagnose.phrases import Family, family_of, names
from stanch.diagnose.questions import expected_information

REQUIRED = {
    "bad_deploy",
    "bad_config",
    "flag_change",
    "migration",
    "connection_pool_exhausted",
    "connection_leak",
    "memory_leak",
    "resource_exhausted",
    "dependency_slow",
    "dependency_down",
    "traffic_spike",
    "slow_query",
    "lock_contention",
    "missing_index",
    "certificate_expired",
    "crash_loop_bug",
    "data_problem",
    "network",
    "third_party_outage",
    "queue_backlog",
    "pods_cannot_start",
    "node_failure",
    "replication_lag",
}
BY_NAME = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_the_kinds_are_those_that_were_asked_for() -> None:
    """Every kind of cause that is promised is there, once."""
    assert sorted(REQUIRED) == sorted(kind.name for kind in KINDS)


@BY_NAME
def test_every_weight_names_a_clue(kind: Kind) -> None:
    """A weight without a clue would never be looked at."""
    assert {weight.clue for weight in kind.weights} <= set(CLUES)


@BY_NAME
def test_what_is_looked_at_again_is_weighed(kind: Kind) -> None:
    """Else nothing would say which look that was."""
    assert kind.looks in ("", *(weight.clue for weight in kind.weights))


@BY_NAME
def test_every_weight_says_why(kind: Kind) -> None:
    """A number nobody can argue with is no judgement."""
    assert all(weight.why and weight.holds > 0 and weight.absent > 0 for weight in kind.weights)


@BY_NAME
def test_no_clue_counts_twice_for_a_kind(kind: Kind) -> None:
    """One sighting has one weight."""
    assert len(kind.weights) == len({weight.clue for weight in kind.weights})


@BY_NAME
def test_every_kind_suggests_known_mitigations(kind: Kind) -> None:
    """Suggestions are words of the decision tree, and going on investigating is always one."""
    assert set(kind.mitigations) <= set(MITIGATIONS) and "investigate" in kind.mitigations


@BY_NAME
def test_a_prior_is_small(kind: Kind) -> None:
    """No kind is likelier than not before anything is known."""
    assert kind.prior < 0


def test_every_clue_is_used() -> None:
    """A clue that weighs for no kind is dead code."""
    assert set(CLUES) == {weight.clue for kind in KINDS for weight in kind.weights}


@pytest.mark.parametrize("clue", CLUES.values(), ids=lambda clue: clue.name)
def test_sentences_are_templates_that_can_be_filled(clue: object) -> None:
    """Every placeholder is a plain name."""
    texts = [getattr(clue, part) for part in ("says", "denies", "test")]
    fields = [name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None]

    assert all(name.isidentifier() for name in fields)


def test_log_odds_of_three_in_ten() -> None:
    """0.3 is -0.847."""
    assert -0.847 == pytest.approx(log_odds(0.3), abs=0.001)


def test_kinds_are_found_by_name() -> None:
    """A kind is found by the name that stands in a hypothesis."""
    assert "rollback" in kind_named("bad_deploy").mitigations


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("PoolTimeout: connection pool timeout: 20 of 20 connections in use", Family.POOL),
        ("QueuePool limit of size 5 overflow 10 reached, connection timed out", Family.POOL),
        ("FATAL: remaining connection slots are reserved", Family.POOL),
        ("acquirer did not answer POST /v1/captures within 6 s", Family.TIMEOUT),
        ("context deadline exceeded", Family.TIMEOUT),
        ("[Errno 111] Connection refused", Family.REFUSED),
        ("the connection to payments broke during POST /payments", Family.RESET),
        ("getaddrinfo ENOTFOUND acquirer.example", Family.DNS),
        ("certificate verify failed: certificate has expired", Family.TLS),
        ("java.lang.OutOfMemoryError: Java heap space", Family.MEMORY),
        ("[Errno 28] No space left on device", Family.DISK),
        ("[Errno 24] Too many open files", Family.FILES),
        ("overloaded: no pricing worker free within 1 s, 2 busy", Family.OVERLOAD),
        ("OperationalError: database is locked", Family.LOCK),
        ("ERROR: deadlock detected", Family.LOCK),
        ("canceling statement due to statement timeout", Family.QUERY),
        ('relation "cards" does not exist', Family.SCHEMA),
        ("JSONDecodeError: Expecting value", Family.DATA),
        ("TypeError: 'NoneType' object is not subscriptable", Family.CODE),
        ("payments answered 500 to POST /payments", Family.UPSTREAM),
        ("the basket is empty", None),
    ],
)
def test_words_have_a_family(text: str, family: Family | None) -> None:
    """The words of common drivers and servers are understood."""
    assert family is family_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("payments answered 500", True), ("pre-payments answered", False), ("repayments failed", False), ("", False)],
)
def test_a_service_is_named_as_a_word(text: str, expected: bool) -> None:
    """A service's name inside another word is not that service."""
    assert expected is names(text, "payments")


def test_expected_information_of_an_even_guess() -> None:
    """At p = 0.5, 4 and 1/4 are expected to tell 0.19 nats."""
    assert 0.19 == pytest.approx(expected_information(0.5, 4.0, 0.25), abs=0.01)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_what_is_certain_teaches_nothing(score: float) -> None:
    """No test tells anything about what is sure already."""
    assert 0.0 == pytest.approx(expected_information(score, 10.0, 0.1), abs=1e-9)


def test_ratios_that_cannot_belong_together_teach_nothing() -> None:
    """A clue that speaks for a cause whether it holds or not tells nothing."""
    assert (0.0, False) == (expected_information(0.5, 2.0, 1.5), math.isnan(expected_information(0.5, 1.0, 1.0)))
