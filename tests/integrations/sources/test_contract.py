"""What every sender has to keep: it takes its messages, checks who sent them, names what is wrong, leaks nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from stanch.kernel.errors import Forbidden, Invalid
from stanch.ports.signals import Inbound
from tests.integrations.sources.cases import (
    BY_FILE,
    CASES,
    FIXTURES,
    NOW,
    SAMPLES,
    SECRET,
    SIGNS_BODY,
    SOURCES,
    Case,
    signed,
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_source = pytest.mark.parametrize("name", sorted(SOURCES))
FIRST = {one.source: one for one in reversed(CASES)}
# The two messages of a pair are about the same alert.
PAIRS = (
    ("alertmanager/firing", "alertmanager/resolved"),
    ("grafana/unified_firing", "grafana/unified_resolved"),
    ("grafana/legacy_alerting", "grafana/legacy_ok"),
    ("pagerduty/events_trigger", "pagerduty/events_resolve"),
    ("pagerduty/v3_triggered", "pagerduty/v3_resolved"),
    ("opsgenie/hook_create", "opsgenie/hook_close"),
    ("opsgenie/create", "opsgenie/hook_close"),
    ("datadog/triggered", "datadog/recovered"),
    ("cloudwatch/alarm", "cloudwatch/ok"),
    ("cloudwatch/eventbridge", "cloudwatch/ok"),
    ("googlecloud/open", "googlecloud/closed"),
    ("newrelic/activated", "newrelic/closed"),
    ("pingdom/down", "pingdom/up"),
    ("uptimerobot/down", "uptimerobot/up"),
    ("healthchecks/down", "healthchecks/up"),
    ("sentry/issue_created", "sentry/issue_resolved"),
    ("sentry/event_alert", "sentry/issue_resolved"),
    ("sentry/plugin", "sentry/issue_archived"),
    ("sentry/metric_critical", "sentry/metric_resolved"),
)


@every_case
def test_a_message_is_understood(case: Case) -> None:
    """What a sender posts becomes the alerts and changes that it means."""
    parsed = SOURCES[case.source].parse(case.request, now=NOW)

    assert case.alerts == tuple(one.status.value for one in parsed.alerts)
    assert case.changes == tuple(one.kind.value for one in parsed.changes)


@every_case
def test_nothing_without_a_reason(case: Case) -> None:
    """A message that leads to nothing says why."""
    parsed = SOURCES[case.source].parse(case.request, now=NOW)

    assert bool(parsed.alerts or parsed.changes) or parsed.remark != ""


@every_case
def test_alerts_have_names(case: Case) -> None:
    """Every alert has a name, no label is empty, and what it says is text."""
    parsed = SOURCES[case.source].parse(case.request, now=NOW)

    assert [] == [one for one in parsed.alerts if not one.labels.get("alertname") or not all(one.labels.values())]


@pytest.mark.parametrize(("begins", "ends"), PAIRS)
def test_the_end_finds_its_alert(begins: str, ends: str) -> None:
    """The end of an alert carries the labels that its beginning had."""
    first = SOURCES[BY_FILE[begins].source].parse(BY_FILE[begins].request, now=NOW)
    last = SOURCES[BY_FILE[ends].source].parse(BY_FILE[ends].request, now=NOW)

    assert first.alerts[0].labels == last.alerts[0].labels


@every_case
def test_who_has_the_secret_is_heard(case: Case) -> None:
    """A message that is signed or carries the token is taken."""
    SOURCES[case.source].verify(signed(case.source, case.request), secret=SECRET, now=NOW)


@every_case
def test_signing_changes_nothing(case: Case) -> None:
    """A signed message says what an unsigned one says."""
    parsed = SOURCES[case.source].parse(signed(case.source, case.request), now=NOW)

    assert case.alerts == tuple(one.status.value for one in parsed.alerts)


@every_source
def test_strangers_are_not_heard(name: str) -> None:
    """A message without signature or token is refused."""
    with pytest.raises(Forbidden):
        SOURCES[name].verify(replace(FIRST[name].request, body=b"{}"), secret=SECRET, now=NOW)


@every_source
def test_another_secret_is_not_taken(name: str) -> None:
    """A message signed with another secret is refused; SNS signs with a key of its own, so there it is the topic."""
    request = signed(name, FIRST[name].request, secret="another")
    if name == "cloudwatch":
        request = replace(request, body=request.body.replace(b":alarms", b":others"))

    with pytest.raises(Forbidden):
        SOURCES[name].verify(request, secret=SECRET, now=NOW)


@pytest.mark.parametrize("name", sorted(SIGNS_BODY))
def test_a_touched_body_is_refused(name: str) -> None:
    """One other digit, and the signature does not fit."""
    request = signed(name, FIRST[name].request)

    with pytest.raises(Forbidden):
        SOURCES[name].verify(replace(request, body=request.body.replace(b"5", b"6", 1)), secret=SECRET, now=NOW)


@every_source
def test_no_secret_in_an_error(name: str) -> None:
    """What is said to a stranger holds no secret."""
    with pytest.raises(Forbidden) as told:
        SOURCES[name].verify(replace(FIRST[name].request, body=b"{}"), secret=SECRET, now=NOW)

    assert SECRET not in f"{told.value.message} {told.value.hint}"


@every_source
@pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff\xfe", b"[1]", b'"text"', b"null", b"{}", b"[" * 100_000])
def test_rubbish_is_named(name: str, body: bytes) -> None:
    """What can never be understood is refused with the field at fault."""
    try:
        parsed = SOURCES[name].parse(replace(FIRST[name].request, body=body), now=NOW)
    except Invalid as error:
        assert all(one.field for one in error.problems)
    else:
        assert () == parsed.alerts + parsed.changes or name in ("datadog", "json")


def test_every_fixture_is_used() -> None:
    """No message in the folder is left out."""
    there = {str(path.relative_to(FIXTURES).with_suffix("")) for path in FIXTURES.rglob("*.json")}

    assert there == {one.file for one in CASES}


def _samples() -> list[tuple[str, Path]]:
    """Return the vendors' messages beside the checkout with the source each is for."""
    folders = {
        "alertmanager": ("alertmanager", "*.json"),
        "argocd": ("argocd", "*.json"),
        "aws-sns-cloudwatch": ("cloudwatch", "*.json"),
        "datadog": ("datadog", "*.json"),
        "gcp-monitoring": ("googlecloud", "*.json"),
        "github": ("github", "*.json"),
        "gitlab": ("gitlab", "*.json"),
        "grafana": ("grafana", "*.json"),
        "healthchecks": ("healthchecks", "*.json"),
        "newrelic": ("newrelic", "*.json"),
        "opsgenie": ("opsgenie", "*.json"),
        "pagerduty": ("pagerduty", "v3_*.json"),
        "pingdom": ("pingdom", "*.json"),
        "sentry": ("sentry", "webhook_*.json"),
        "uptimerobot": ("uptimerobot", "*.json"),
    }
    found = [(name, path) for folder, (name, mask) in folders.items() for path in sorted((SAMPLES / folder).glob(mask))]
    found += [("pagerduty-events", path) for path in sorted((SAMPLES / "pagerduty").glob("events_v2_*.json"))]
    return [(name, path) for name, path in found if "response" not in path.name and "headers" not in path.name]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="there are no samples beside the checkout")
@pytest.mark.parametrize(("name", "path"), _samples(), ids=lambda one: getattr(one, "name", str(one)))
def test_samples_are_taken(name: str, path: Path) -> None:
    """Messages that others recorded are understood, and say something."""
    target = "/v2/change/enqueue" if "change" in path.name else f"/hooks/{name}"
    parsed = SOURCES[name].parse(Inbound(body=path.read_bytes(), path=target), now=NOW)

    assert bool(parsed.alerts or parsed.changes or parsed.remark)
