"""Understands Argo CD notifications sent by our template: a sync is a change, a bad health is an alert."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token, message_of

_BAD_HEALTH: Final = frozenset({"degraded", "missing", "suspended", "unknown"})
_FAILED: Final = frozenset({"failed", "error"})


class ArgoCD:
    """Notifications with the fields app, revision, phase, syncStatus, healthStatus, finishedAt."""

    @property
    def name(self) -> str:
        """Return `argocd`."""
        return "argocd"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return a change for a finished sync, and an alert for an application that is not well."""
        message = message_of(request)
        app = message.needed("app")
        phase, health = message.text("phase").lower(), message.text("healthStatus").lower()
        changes = (_change(message, app, now=now),) if phase == "succeeded" else ()
        alerts: tuple[AlertSignal, ...] = ()
        if health:
            alerts = (_alert(message, app, "ArgoCDHealth", health in _BAD_HEALTH, f"{app} is {health}"),)
        if phase:
            failed = phase in _FAILED
            alerts = (*alerts, _alert(message, app, "ArgoCDSync", failed, f"the sync of {app} {phase}"))
        return Parsed(alerts=alerts, changes=changes)


def _change(message: JsonObject, app: str, *, now: datetime) -> Change:
    revision = message.text("revision")
    return Change(
        id=f"argocd/{app}/{revision}/{message.text('finishedAt')}",
        at=message.instant("finishedAt") or now,
        kind=ChangeKind.DEPLOY,
        service=app,
        title=f"{app} synced to {revision[:10]}",
        version=revision[:10],
        commit=revision,
        source="argocd",
        url=message.text("url"),
    )


def _alert(message: JsonObject, app: str, name: str, firing: bool, summary: str) -> AlertSignal:
    return AlertSignal(
        labels={"alertname": name, "app": app, "namespace": message.text("namespace")},
        annotations={"summary": summary},
        status=SignalStatus.FIRING if firing else SignalStatus.RESOLVED,
        starts_at=message.instant("startedAt") if firing else None,
        url=message.text("url"),
    )
