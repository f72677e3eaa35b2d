"""Hand-built evidence of a small shop, gateway -> checkout -> payments -> acquirer, for the tests of the ranking."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stanch.diagnose.model import Graph
from stanch.diagnose.rank import rank
from stanch.incidents.events import HypothesesRanked
from stanch.incidents.model import Hypothesis
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal

ONSET = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=2)
SHOP = Graph(
    depends_on={"gateway": ("checkout",), "checkout": ("payments",), "payments": ("acquirer",), "mailer": ()},
    external=frozenset({"acquirer"}),
)
TYPE_ERROR = "TypeError: 'NoneType' object is not subscriptable"


def before(seconds: float) -> datetime:
    """Return the instant this long before the onset."""
    return ONSET - timedelta(seconds=seconds)


def finding(id: str, *signals: Signal, status: FindingStatus = FindingStatus.OK, command: str = "") -> Finding:
    """Return a finding that tells these signals."""
    return Finding(
        id=id,
        collector=id.split("-")[1],
        source="test",
        command=command,
        status=status,
        summary=id,
        start=before(3600),
        end=NOW,
        signals=signals,
    )


def reading(name: str, service: str, value: float, normal: float | None = None, **data: JSON) -> Signal:
    """Return one measured value beside its normal."""
    trend = str(data.pop("trend", ""))
    at = data.pop("after", None)
    return Signal(
        name=name,
        service=service,
        value=value,
        normal=normal,
        trend=trend,
        at=ONSET + timedelta(seconds=float(at)) if isinstance(at, int | float) else None,
        data=data,
    )


def error(service: str, text: str, count: float, *, normal: float = 0, after: float = 1, **data: JSON) -> Signal:
    """Return an error group that was first seen `after` seconds from the onset."""
    at = ONSET + timedelta(seconds=after)
    return Signal(name="error_group", service=service, value=count, normal=normal, text=text, at=at, data=data)


def change(kind: ChangeKind, service: str, version: str, seconds_before: float, **fields: object) -> Change:
    """Return a change this long before the onset."""
    made = Change(
        id=f"{kind.value}/{service}/{version}", at=before(seconds_before), kind=kind, service=service, version=version
    )
    return Change(**{**vars(made), **fields})


def failing(ratio: float = 0.45) -> list[Signal]:
    """Return the picture of payments failing by itself and its callers failing with it."""
    return [
        reading("error_ratio", "payments", ratio, 0.002, trend="step"),
        reading("error_ratio", "checkout", ratio, 0.002, trend="step"),
        reading("error_ratio", "gateway", ratio * 0.9, 0.001, trend="step"),
        reading("dependency_error_ratio", "checkout", ratio, 0.001, target="payments"),
        reading("dependency_error_ratio", "gateway", ratio * 0.9, 0.001, target="checkout"),
        reading("dependency_error_ratio", "payments", 0.001, 0.001, target="acquirer"),
        reading("dependency_latency_p95_ms", "payments", 48, 46, target="acquirer"),
        *(reading("request_rate", service, 20, 20) for service in ("gateway", "checkout", "payments")),
    ]


def upstream_errors(versions: Sequence[str] = ("v3.2.0",)) -> list[Signal]:
    """Return the errors that the callers of payments log because payments fails."""
    return [
        error("checkout", "UpstreamError: payments answered 500 to POST /payments", 900, versions=list(versions)),
        error("gateway", "UpstreamError: checkout answered 502 to POST /checkout", 850, versions=list(versions)),
    ]


def ranked(
    findings: Sequence[Finding],
    changes: Sequence[Change] = (),
    *,
    graph: Graph = SHOP,
    services: Sequence[str] = ("checkout",),
) -> HypothesesRanked:
    """Rank the causes; a finding of the changes collector tells of every change, as in the product."""
    told = [Signal(name="change", service=each.service, text=each.title, data={"id": each.id}) for each in changes]
    looked = finding("f1-changes-1", *told, status=FindingStatus.OK if told else FindingStatus.NO_DATA)
    return rank([looked, *findings], changes=changes, onset=ONSET, graph=graph, now=NOW, services=services)


def top(ranking: HypothesesRanked) -> Hypothesis:
    """Return the likeliest hypothesis."""
    return ranking.hypotheses[0]
