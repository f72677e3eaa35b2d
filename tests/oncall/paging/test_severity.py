"""What a severity changes: who is paged first, whom quiet hours protect, and what happens when it rises."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from stanch.catalog.oncall import Layer, OnCall, Policy, Schedule, Step
from stanch.oncall.escalation.model import NoticeState
from tests.oncall.paging.exchange import START, Exchange, Provider, catalog_of, somebody

Make = Callable[..., Exchange]

ROTATION = Schedule(
    name="checkout",
    zone="UTC",
    layers=(Layer(name="week", people=("alice", "bob", "carol"), start=START.replace(tzinfo=None, hour=0)),),
)
ONCALL = OnCall(schedules={"checkout": ROTATION})
POLICY = Policy(name="default", steps=(Step(targets=("schedule:checkout",)), Step(targets=("person:erin",))))
CREW = tuple(somebody(name) for name in ("alice", "bob", "carol", "dave", "erin"))


@pytest.fixture
def exchange(sqlite_url: str) -> Iterator[Exchange]:
    """Give an exchange with a rotation of three, of whom alice is on, and dave as the specialist."""
    catalog = catalog_of(*CREW, policy=POLICY, specialists=("person:dave",), oncall=ONCALL)
    made = Exchange(sqlite_url, catalog=catalog)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("SEV1", ["alice", "bob", "carol", "dave"]),
        ("SEV2", ["alice", "dave"]),
        ("SEV3", ["alice"]),
        ("SEV4", ["alice"]),
    ],
)
def test_who_is_paged_first(exchange: Exchange, severity: str, expected: list[str]) -> None:
    """SEV1 pages the full rotation at once, SEV2 primary and a specialist, the others the primary."""
    exchange.declare(severity)

    assert expected == exchange.people


def test_a_raised_severity_raises_paging(exchange: Exchange) -> None:
    """When SEV3 becomes SEV1 the whole rotation is paged at once."""
    exchange.declare("SEV3")
    exchange.call("incident.severity", incident=1, severity="SEV1", reason="payments are lost")
    exchange.settle()

    assert ["alice", "alice", "bob", "carol", "dave"] == exchange.people


def test_a_raised_severity_spares_who_has_it(exchange: Exchange) -> None:
    """Who has taken it on is joined by the others and not paged again."""
    exchange.declare("SEV3")
    exchange.call("incident.acknowledge", by="alice", incident=1)
    exchange.call("incident.severity", incident=1, severity="SEV1", reason="payments are lost")
    exchange.settle()

    assert ["alice", "bob", "carol", "dave"] == exchange.people


def test_a_raise_drops_what_tells_the_severity_of_before(sqlite_url: str) -> None:
    """What waits to be told when the severity rises is not sent with the old one afterwards."""
    policy = Policy(name="default", steps=(Step(targets=("person:alice",)),))
    provider = Provider(kinds=frozenset({"push", "sms"}))
    exchange = Exchange(sqlite_url, provider, catalog=catalog_of(somebody("alice", "push", "sms"), policy=policy))
    exchange.declare("SEV3")
    exchange.call("incident.severity", incident=1, severity="SEV1", reason="payments are lost")
    exchange.after(130)
    told = [(page.kind, page.text[:4]) for page in provider.took]
    exchange.close()

    assert [("push", "SEV3"), ("push", "SEV1"), ("sms", "SEV1")] == told


def test_a_missed_target_pages_the_next_level(exchange: Exchange) -> None:
    """When a SEV1 is not taken on within its five minutes, the next level is paged at once."""
    patient = replace(POLICY, steps=tuple(replace(step, wait_s=3600.0) for step in POLICY.steps))
    exchange.world.catalog.oncall.policies["default"] = patient
    exchange.declare("SEV1")
    for _ in range(31):
        exchange.after(10, step_s=10)
        exchange.engine.run_due()
    exchange.settle()

    assert "erin" == exchange.people[-1]


@pytest.mark.parametrize(("severity", "expected"), [("SEV1", ["alice"]), ("SEV3", [])])
def test_quiet_hours(sqlite_url: str, severity: str, expected: list[str]) -> None:
    """At three in the morning SEV1 rings, and anything less waits until the quiet hours are over."""
    quiet = replace(somebody("alice"), zone="Europe/Berlin", quiet_hours=("22:00", "07:00"))
    policy = Policy(name="default", steps=(Step(targets=("person:alice",)),))
    exchange = Exchange(sqlite_url, catalog=catalog_of(quiet, policy=policy))
    exchange.declare(severity)
    told = list(exchange.people)
    held = exchange.states()
    exchange.close()

    assert (expected, severity == "SEV3") == (told, NoticeState.HELD in held)


def test_held_notices_come_when_quiet_hours_end(sqlite_url: str) -> None:
    """What quiet hours held back is handed over at their end: seven in Berlin is six in UTC in November."""
    quiet = replace(somebody("alice"), zone="Europe/Berlin", quiet_hours=("22:00", "07:00"))
    policy = Policy(name="default", steps=(Step(targets=("person:alice",)),), repeat=0)
    exchange = Exchange(sqlite_url, catalog=catalog_of(quiet, policy=policy))
    exchange.declare("SEV3")
    exchange.after(3 * 3600 - 60, step_s=600)
    early = len(exchange.took)
    exchange.after(120, step_s=60)
    late = len(exchange.took)
    exchange.close()

    assert (0, True) == (early, late > 0)
