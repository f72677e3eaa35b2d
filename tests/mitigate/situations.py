"""Incidents with a known cause, for the tests of the tree and of verification."""

from datetime import UTC, datetime

from stanch.catalog.model import ActionSpec, Catalog, Check, Service
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis, Reading, Severity, SeverityRuling, Status
from stanch.incidents.state import AttachedAlert, IncidentState

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
_SCRAPE = (Check(sampler="openmetrics", target="http://127.0.0.1:1/metrics", every_s=1.0),)


def action(mitigation: str, *run: str, then: tuple[tuple[str, ...], ...] = ()) -> ActionSpec:
    """Return an action named after its mitigation."""
    return ActionSpec(name=mitigation, mitigation=mitigation, title=mitigation, run=("ctl", *run), then=then)


def shop(*actions: ActionSpec, of: str = "payments") -> Catalog:
    """Return gateway, checkout, payments and somebody else's acquirer, with the actions of one of them."""
    calls = {"gateway": ("checkout",), "checkout": ("payments",), "payments": ("acquirer",)}
    ours = {
        name: Service(name=name, depends_on=needs, checks=_SCRAPE, actions=actions if name == of else ())
        for name, needs in calls.items()
    }
    return Catalog(services={**ours, "acquirer": Service(name="acquirer", external=True)})


def incident(*readings: Reading, cause: Hypothesis | None = None, services: tuple[str, ...] = ()) -> IncidentState:
    """Return an open incident that `readings` raised, with `cause` known."""
    alerts = {
        f"a{number}": AttachedAlert(
            alert=ev.AlertAttached(alert=f"a{number}", summary="", starts_at=NOW, reading=reading)
        )
        for number, reading in enumerate(readings)
    }
    return IncidentState(
        number=1,
        title="",
        summary="",
        source="alert",
        status=Status.IDENTIFIED,
        ruling=SeverityRuling(severity=Severity.SEV2, rule="", reason=""),
        services=services or tuple(dict.fromkeys(reading.service for reading in readings)),
        declared_at=NOW,
        started_at=NOW,
        channel="",
        seq=1,
        version=1,
        alerts=alerts,
        hypotheses=(cause,) if cause else (),
        cause_known=cause is not None,
    )


def cause_of(
    kind: str, *mitigations: str, service: str = "payments", version: str = "", previous: str = ""
) -> Hypothesis:
    """Return a cause that is all but certain."""
    return Hypothesis(
        id="h1",
        kind=kind,
        title=kind,
        score=0.9,
        service=service,
        version=version,
        previous=previous,
        mitigations=mitigations,
    )
