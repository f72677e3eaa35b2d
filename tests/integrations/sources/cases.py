"""Every shipped sender with what it posts, how it signs, and what has to come out. A new sender is a line here."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stanch.integrations.alertmanagerhook import AlertmanagerHook
from stanch.integrations.argocd import ArgoCD
from stanch.integrations.cloudwatch import CloudWatch
from stanch.integrations.datadog import Datadog
from stanch.integrations.genericjson import FieldMapping, GenericJson
from stanch.integrations.github import GitHub
from stanch.integrations.gitlab import GitLab
from stanch.integrations.googlecloud import GoogleCloud
from stanch.integrations.grafana import Grafana
from stanch.integrations.healthchecks import Healthchecks
from stanch.integrations.newrelic import NewRelic
from stanch.integrations.opsgenie import Opsgenie
from stanch.integrations.pagerduty import PagerDutyEvents, PagerDutyWebhooks
from stanch.integrations.pingdom import Pingdom
from stanch.integrations.sentry import Sentry
from stanch.integrations.uptimerobot import UptimeRobot
from stanch.ports.signals import Inbound, SignalSource
from tests.integrations.sources import sns

FIXTURES: Final = Path(__file__).parent / "fixtures"
SAMPLES: Final = Path(__file__).parents[3].parent / "shared/reference/payloads"
NOW: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET: Final = "a" * 32
MAPPING: Final = FieldMapping(
    items="alerts",
    title="rule.name",
    status="state",
    resolved=("fine",),
    severity="prio",
    service="svc",
    started_at="when",
    labels={"host": "tags.host"},
)
SOURCES: Final[dict[str, SignalSource]] = {
    one.name: one
    for one in (
        AlertmanagerHook(),
        ArgoCD(),
        CloudWatch(topics=(sns.TOPIC,), fetch=sns.fetch),
        Datadog(),
        GitHub(),
        GitLab(),
        GoogleCloud(),
        Grafana(),
        Healthchecks(),
        GenericJson(MAPPING),
        NewRelic(),
        Opsgenie(),
        PagerDutyEvents(),
        PagerDutyWebhooks(),
        Pingdom(),
        Sentry(),
        UptimeRobot(),
    )
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message and what comes out of it: alerts by status, changes by kind."""

    source: str
    file: str
    alerts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""

    @property
    def request(self) -> Inbound:
        """Return the message as it is posted, unsigned."""
        body = (FIXTURES / f"{self.file}.json").read_bytes()
        return posted(body, path=self.path or f"/hooks/{self.source}", **self.headers)

    def __str__(self) -> str:
        return f"{self.source}:{self.file}"


def posted(body: bytes, *, path: str = "", **headers: str) -> Inbound:
    """Return a POST of JSON; underscores in header names are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(body=body, headers={"content-type": "application/json", **named}, path=path)


FIRING, RESOLVED, ACKNOWLEDGED = "firing", "resolved", "acknowledged"


def _sentry(resource: str, file: str, *alerts: str, **more: tuple[str, ...]) -> Case:
    headers = {"sentry-hook-resource": resource, "request-id": f"r-{file}", "sentry-hook-timestamp": "1795600800"}
    return Case(source="sentry", file=f"sentry/{file}", alerts=alerts, headers=headers, **more)


def _github(event: str, file: str, *changes: str) -> Case:
    headers = {"x-github-event": event, "x-github-delivery": f"d-{file}"}
    return Case(source="github", file=f"github/{file}", changes=changes, headers=headers)


def _plain(source: str, folder: str, outcomes: dict[str, tuple[str, ...]]) -> Iterator[Case]:
    for file, alerts in outcomes.items():
        yield Case(source=source, file=f"{folder}/{file}", alerts=alerts)


CASES: Final = (
    *_plain(
        "alertmanager",
        "alertmanager",
        {"firing": (FIRING,), "mixed": (FIRING, RESOLVED), "resolved": (RESOLVED,)},
    ),
    *_plain(
        "grafana",
        "grafana",
        {
            "unified_firing": (FIRING,),
            "unified_resolved": (RESOLVED,),
            "no_data": (FIRING,),
            "legacy_alerting": (FIRING,),
            "legacy_ok": (RESOLVED,),
        },
    ),
    *_plain(
        "pagerduty-events",
        "pagerduty",
        {"events_trigger": (FIRING,), "events_acknowledge": (ACKNOWLEDGED,), "events_resolve": (RESOLVED,)},
    ),
    Case(source="pagerduty-events", file="pagerduty/change", changes=("deploy",), path="/v2/change/enqueue"),
    *_plain(
        "pagerduty",
        "pagerduty",
        {
            "v3_triggered": (FIRING,),
            "v3_reopened": (FIRING,),
            "v3_acknowledged": (ACKNOWLEDGED,),
            "v3_resolved": (RESOLVED,),
            "v3_annotated": (),
            "v3_ping": (),
        },
    ),
    Case(source="opsgenie", file="opsgenie/create", alerts=(FIRING,), path="/v2/alerts"),
    *_plain("opsgenie", "opsgenie", {"hook_create": (FIRING,), "hook_close": (RESOLVED,), "hook_note": ()}),
    *_plain("datadog", "datadog", {"triggered": (FIRING,), "recovered": (RESOLVED,), "default_body": (FIRING,)}),
    *_plain(
        "cloudwatch",
        "cloudwatch",
        {
            "alarm": (FIRING,),
            "ok": (RESOLVED,),
            "no_data": (),
            "composite": (FIRING,),
            "plain_text": (),
            "subscription": (),
            "unsubscribe": (),
            "raw": (FIRING,),
            "eventbridge": (FIRING,),
        },
    ),
    *_plain("googlecloud", "googlecloud", {"open": (FIRING,), "closed": (RESOLVED,)}),
    *_plain(
        "newrelic",
        "newrelic",
        {"activated": (FIRING,), "acknowledged": (ACKNOWLEDGED,), "closed": (RESOLVED,), "channel_open": (FIRING,)},
    ),
    *_plain("pingdom", "pingdom", {"down": (FIRING,), "up": (RESOLVED,), "transaction_failing": (FIRING,)}),
    *_plain("uptimerobot", "uptimerobot", {"down": (FIRING,), "up": (RESOLVED,), "expiry": (FIRING,)}),
    *_plain("healthchecks", "healthchecks", {"down": (FIRING,), "up": (RESOLVED,), "as_json": (FIRING,)}),
    Case(source="argocd", file="argocd/synced", alerts=(RESOLVED, RESOLVED), changes=("deploy",)),
    *_plain("argocd", "argocd", {"degraded": (FIRING,), "sync_failed": (FIRING,)}),
    Case(source="json", file="json/batch", alerts=(FIRING, RESOLVED)),
    _sentry("issue", "issue_created", FIRING),
    _sentry("issue", "issue_unresolved", FIRING),
    _sentry("issue", "issue_resolved", RESOLVED),
    _sentry("issue", "issue_archived", RESOLVED),
    _sentry("issue", "issue_ignored", RESOLVED),
    _sentry("issue", "issue_assigned", ACKNOWLEDGED),
    _sentry("event_alert", "event_alert", FIRING),
    _sentry("error", "error", FIRING),
    _sentry("metric_alert", "metric_critical", FIRING),
    _sentry("metric_alert", "metric_warning", FIRING),
    _sentry("metric_alert", "metric_resolved", RESOLVED),
    _sentry("installation", "installation_created"),
    _sentry("installation", "installation_deleted"),
    _sentry("comment", "comment_created"),
    _sentry("seer", "seer_root_cause_completed"),
    _sentry("seer", "seer_solution_completed"),
    _sentry("seer", "seer_coding_completed"),
    _sentry("seer", "seer_pr_created"),
    _sentry("activity_alert", "activity_regression", FIRING),
    _sentry("activity_alert", "activity_resolved", RESOLVED),
    Case(source="sentry", file="sentry/plugin", alerts=(FIRING,)),
    Case(source="sentry", file="sentry/release", changes=("tag",), path="/api/0/organizations/acme/releases/"),
    Case(
        source="sentry",
        file="sentry/deploy",
        changes=("deploy",),
        path="/api/0/organizations/acme/releases/payments%404.1.0%2B7/deploys/",
    ),
    _github("deployment", "deployment", "deploy"),
    _github("deployment_status", "deployment_status_success", "deploy"),
    _github("deployment_status", "deployment_status_failure", "deploy"),
    _github("deployment_status", "deployment_status_in_progress"),
    _github("push", "push", "commit"),
    _github("push", "push_deleted"),
    _github("push", "push_branch"),
    _github("workflow_run", "workflow_run_deploy", "deploy"),
    _github("workflow_run", "workflow_run_requested"),
    _github("release", "release", "tag"),
    _github("ping", "ping"),
    *(
        Case(source="gitlab", file=f"gitlab/{file}", changes=changes)
        for file, changes in {
            "deployment_success": ("deploy",),
            "deployment_failed": ("deploy",),
            "deployment_running": (),
            "push": ("commit",),
            "tag_push": ("tag",),
            "release": ("tag",),
            "issue": (),
        }.items()
    ),
)


BY_FILE: Final = {one.file: one for one in CASES}


def signed(source: str, request: Inbound, *, secret: str = SECRET) -> Inbound:
    """Return `request` as the sender sends it when `secret` is set up on both sides."""
    make = _SIGN.get(source)
    if make is None:
        return replace(request, headers={**request.headers, "authorization": f"Bearer {secret}"})
    return make(request, secret)


def _hex(request: Inbound, secret: str) -> str:
    return hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()


def _header(name: str, prefix: str = "") -> Callable[[Inbound, str], Inbound]:
    return lambda request, secret: replace(
        request, headers={**request.headers, name: f"{prefix}{_hex(request, secret)}"}
    )


def _in_body(request: Inbound, secret: str) -> Inbound:
    try:
        body = json.loads(request.body)
    except ValueError:
        return request
    return replace(request, body=json.dumps({**body, "routing_key": secret}).encode())


def _key(request: Inbound, secret: str) -> Inbound:
    return replace(request, headers={**request.headers, "authorization": f"GenieKey {secret}"})


def _token(request: Inbound, secret: str) -> Inbound:
    return replace(request, headers={**request.headers, "x-gitlab-token": secret})


def _through_sns(request: Inbound, secret: str) -> Inbound:
    encoded = base64.b64encode(f"sns:{secret}".encode()).decode()
    headers = {**request.headers, "authorization": f"Basic {encoded}", "content-type": "text/plain; charset=UTF-8"}
    return replace(request, body=sns.signed(request.body), headers=headers)


_SIGN: Final[dict[str, Callable[[Inbound, str], Inbound]]] = {
    "cloudwatch": _through_sns,
    "github": _header("x-hub-signature-256", "sha256="),
    "gitlab": _token,
    "grafana": _header("x-grafana-alerting-signature"),
    "opsgenie": _key,
    "pagerduty": _header("x-pagerduty-signature", "v1=0000,v1="),
    "pagerduty-events": _in_body,
    "sentry": _header("sentry-hook-signature"),
}
SIGNS_BODY: Final = frozenset({"cloudwatch", "github", "grafana", "pagerduty", "sentry"})
"""Sources whose signature breaks when the body is touched."""
