"""Plans: arguments filled in safely, digests that cover what would run."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.incidents.events import Plan
from stanch.incidents.model import Hypothesis, Severity, SeverityRuling, Status
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.mitigate.plan import approvals_needed, command_line, digest_of, make_plan

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SPEC = ActionSpec(
    name="rollback",
    mitigation="rollback",
    title="Roll {service} back to {previous}",
    run=("shopctl", "rollback", "{service}", "--to", "{previous}"),
    undo=("shopctl", "deploy", "{service}", "{version}"),
    risk="low",
)

REVERT = ActionSpec(
    name="revert", mitigation="revert", title="Revert", uses="git.revert", settings={"commit": "{commit}"}
)
FLAG = ActionSpec(
    name="flag",
    mitigation="rollback",
    title="Flag off",
    uses="http",
    settings={"url": "http://flags/{previous}", "body": '{"to": "{previous}"}'},
    undo_settings={"url": "http://flags/{version}"},
)


def bare_state() -> IncidentState:
    """Return an incident of SEV2 that has just been detected."""
    return IncidentState(
        number=1,
        title="checkout error rate 45 %",
        summary="",
        source="alert",
        status=Status.DETECTED,
        ruling=SeverityRuling(severity=Severity.SEV2, rule="critical-failing", reason=""),
        services=("payments",),
        declared_at=NOW,
        started_at=NOW,
        channel="incident-2026-11-21-payments",
        seq=1,
        version=1,
    )


def plan_for(previous: str = "v3.2.0", *, spec: ActionSpec = SPEC) -> Plan:
    """Return the plan of `spec` for a deploy of payments."""
    cause = Hypothesis(
        id="h1", kind="bad_deploy", title="payments v3.2.1", score=0.9, version="v3.2.1", previous=previous
    )
    service = Service(name="payments")
    return make_plan(
        bare_state(),
        Catalog(services={"payments": service}),
        spec,
        service=service,
        hypothesis=cause,
        expectation=None,
    )


def test_arguments_are_filled_from_the_diagnosis() -> None:
    """Each placeholder becomes part of its own argument."""
    assert ("shopctl", "rollback", "payments", "--to", "v3.2.0") == plan_for().steps[0].argv


HOSTILE = ("v1; rm -rf /", "$(reboot)", "`id`", "v1 && curl evil", "v1\nreboot", "{version}", "'; DROP TABLE x; --")


@pytest.mark.parametrize("version", HOSTILE)
def test_a_hostile_version_stays_one_argument(version: str) -> None:
    """Whatever a tag is called, it is one argument, taken literally."""
    assert version == plan_for(version).steps[0].argv[-1]


@pytest.mark.parametrize("version", ["--force", "-rf"])
def test_a_version_that_looks_like_an_option_is_refused(version: str) -> None:
    """A tag named like an option must not turn into one."""
    with pytest.raises(Refused) as refusal:
        plan_for(version)

    assert "unsafe_argument" == refusal.value.reason


def test_an_argument_that_nobody_knows_is_refused() -> None:
    """Without a previous version there is nothing to roll back to."""
    with pytest.raises(Refused) as refusal:
        plan_for("")

    assert "missing_argument" == refusal.value.reason


@pytest.mark.parametrize(
    "change",
    [
        {"steps": ()},
        {"target": "checkout"},
        {"risk": "read"},
        {"approvals_needed": 0},
        {"undo": ()},
        {"world": {"version": "v9"}},
    ],
)
def test_the_digest_covers_what_would_run(change: dict[str, object]) -> None:
    """Another command, target, risk or undo is another digest."""
    plan = plan_for()

    assert digest_of(plan) != digest_of(replace(plan, **change))  # type: ignore[arg-type]


def test_a_command_line_can_be_copied() -> None:
    """Arguments with blanks or quotes are quoted for a shell."""
    step = replace(plan_for().steps[0], argv=("echo", "it's", "a b", "v3.2.0"))

    assert "echo 'it'\\''s' 'a b' v3.2.0" == command_line(step)


@pytest.mark.parametrize(
    ("risk", "severity", "expected"),
    [
        ("read", Severity.SEV1, 0),
        ("low", Severity.SEV3, 1),
        ("high", Severity.SEV2, 1),
        ("irreversible", Severity.SEV2, 2),
        ("irreversible", Severity.SEV1, 1),
    ],
)
def test_how_many_must_approve(risk: str, severity: Severity, expected: int) -> None:
    """Nobody for reading, two for what cannot be undone unless everything is down, else one."""
    assert expected == approvals_needed(risk, severity)


@pytest.mark.parametrize("previous", ["schema two", "", "2a", "-2x"])
def test_a_number_is_not_read_into_what_holds_none(previous: str) -> None:
    """An argument that asks for a number is not filled with anything else."""
    spec = replace(SPEC, run=("shopctl", "{previous_number}"))

    with pytest.raises(Refused):
        plan_for(previous, spec=spec)


def plan_with(spec: ActionSpec, **known: str) -> Plan:
    """Return the plan of `spec` for a deploy of payments, of which the commit is known."""
    told = {"version": "v3.2.1", "previous": "v3.2.0", "commit": "9f2c1ab4d0", **known}
    cause = Hypothesis(id="h1", kind="bad_deploy", title="payments v3.2.1", score=0.9, **told)
    service = Service(name="payments", repository="code")
    catalog = Catalog(services={"payments": service})
    return make_plan(bare_state(), catalog, spec, service=service, hypothesis=cause, expectation=None)


def test_a_revert_is_told_the_commit_and_the_repository() -> None:
    """The commit is the diagnosis's, the repository the service's."""
    assert {"repository": "code", "commit": "9f2c1ab4d0"} == plan_with(REVERT).steps[0].data


def test_a_revert_is_taken_back_by_deleting_its_branch() -> None:
    """So it is reversible without a word in the configuration, and can be tried."""
    plan = plan_with(REVERT)

    assert (True, True, True) == (plan.reversible, plan.undo[0].data["undo"], plan.dry_run[0].data["dry_run"])


def test_a_request_is_taken_back_as_declared() -> None:
    """By the request that the configuration gives."""
    assert "http://flags/v3.2.1" == plan_with(FLAG).undo[0].data["url"]


@pytest.mark.parametrize("spec", [SPEC, REVERT, FLAG])
def test_what_takes_it_back_does_not_read_as_what_it_takes_back(spec: ActionSpec) -> None:
    """Both stand side by side where a person decides."""
    plan = plan_with(spec)

    assert f"Undo: {plan.steps[0].describe}" == plan.undo[0].describe


@pytest.mark.parametrize("value", ["a/b?c=d", '", "x": "', "a b", "../.."])
def test_a_word_stays_in_its_part_of_a_request(value: str) -> None:
    """In a URL it is encoded, in a body it stays inside its quotes."""
    data = plan_with(FLAG, previous=value).steps[0].data

    assert (f"http://flags/{quote(value, safe='')}", {"to": value}) == (data["url"], json.loads(str(data["body"])))


def test_what_an_actuator_is_told_decides_the_digest() -> None:
    """An approval is for this commit and no other."""
    assert plan_with(REVERT).digest != plan_with(REVERT, commit="0000000000").digest


def test_what_an_actuator_is_told_is_shown_on_a_line() -> None:
    """As a command is."""
    assert "git.revert repository=code commit=9f2c1ab4d0" == command_line(plan_with(REVERT).steps[0])
