"""What an incident costs and whom it meets: money by the catalog's weights, users, versions and regions by the logs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from stanch.alerts.series import ServiceReading
from stanch.catalog.model import Catalog
from stanch.incidents.impact import upstream_of
from stanch.incidents.model import Impact
from stanch.kernel.event import JSON
from stanch.ports.evidence import Finding, FindingStatus, Signal

_MOST: Final = 8


def broadened(impact: Impact, findings: Iterable[Finding]) -> Impact:
    """Return `impact` with what logs and metrics pages say of whom it meets: users, versions, regions, what they share.

    Of several services the one whose failures are described most narrowly tells; users are counted where most were
    met, since a user whose request fails within fails at the outer service too.
    """
    signals = [signal for finding in findings if finding.status is FindingStatus.OK for signal in finding.signals]
    users = [round(one.value) for one in signals if one.name == "users_affected" and one.value]
    told = [one for one in signals if one.name == "failure_slice"]
    named = sorted((one for one in told if one.text), key=lambda one: (one.normal or 1.0, one.service))
    first = named[0] if named else None
    return replace(
        impact,
        users=max((*users, impact.users or 0)) if users else impact.users,
        explained=f"{first.service}: {first.text}" if first is not None else impact.explained,
        labels=_texts(first.data.get("labels")) if first is not None else impact.labels,
        regions=_all(told, "regions") or impact.regions,
        versions=_all([first] if first is not None else told, "versions") or impact.versions,
    )


def priced(impact: Impact, catalog: Catalog, readings: Mapping[str, ServiceReading], names: Iterable[str]) -> Impact:
    """Return `impact` with what is lost now: the outermost services' weights times their error rates above normal.

    Worked: checkout has a weight of 40 % and fails 45 % of its requests, normally 1 %: 0.4 * 0.44 = 17.6 % of the
    business; at 10,000 EUR an hour 1,760 EUR an hour.
    """
    own = [name for name in dict.fromkeys(names) if name in catalog.services and not catalog.services[name].external]
    counted = [name for name in own if name in readings and readings[name].error_ratio is not None]
    outer = [name for name in counted if not any(caller in counted for caller in upstream_of(catalog, (name,)))]
    parts = {}
    for name in outer or counted[:1]:
        above = max(0.0, (readings[name].error_ratio or 0.0) - (readings[name].normal_error_ratio or 0.0))
        parts[name] = (catalog.services[name].weight, above)
    if not parts:
        return impact
    share = min(1.0, sum(weight * above for weight, above in parts.values()))
    told = " + ".join(
        f"{_factor(weight)} ({name}) x {_factor(above)} more errors" for name, (weight, above) in parts.items()
    )
    formula = f"share of the business lost now = {told} = {_factor(share)}"
    money = catalog.revenue_per_hour * share if catalog.revenue_per_hour else None
    if money is not None:
        unit = f" {catalog.currency}".rstrip()
        formula += f"; x {catalog.revenue_per_hour:,.0f}{unit} an hour = {money:,.0f}{unit} an hour"
    return replace(
        impact,
        business_share=round(share, 4),
        revenue_per_hour=money,
        currency=catalog.currency,
        revenue_formula=formula,
    )


def _factor(ratio: float) -> str:
    """Return a share in per cent, of three digits: what is told elsewhere is too coarse to compute the sum again."""
    return f"{ratio * 100:.3g} %"


def _all(signals: Iterable[Signal], name: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for signal in signals:
        listed = signal.data.get(name)
        found.update(dict.fromkeys(str(one) for one in listed) if isinstance(listed, list) else {})
    return tuple(found)[:_MOST]


def _texts(value: JSON) -> dict[str, str] | None:
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) and value else None
