"""The blast radius: who is upstream of what fails, and what that means for severity. Pure."""

from collections.abc import Iterable

from stanch.catalog.model import Catalog
from stanch.catalog.rules import upstream
from stanch.incidents.model import Impact
from stanch.incidents.severity import OUTAGE_RATIO, Case


def upstream_of(catalog: Catalog, services: Iterable[str]) -> tuple[str, ...]:
    """Return the services that depend on any of `services`, directly or not, nearest first, without them."""
    given = tuple(dict.fromkeys(services))
    found = dict.fromkeys(name for service in given for name in upstream(catalog, service))
    return tuple(name for name in found if name not in given)


def case_of(
    impact: Impact, catalog: Catalog, *, symptom: str = "", told: str = "", services: Iterable[str] = ()
) -> Case:
    """Return what the severity rules look at: the impact with the tier and weight of the services it reaches.

    `told` is the severity that a sender gives, `services` what its alert is about, whether or not that is measured.
    """
    names = dict.fromkeys((*services, *impact.down, *impact.strained, *impact.affected))
    reached = [catalog.services[name] for name in names if name in catalog.services]
    own = [service for service in reached if not service.external]
    critical = [service for service in catalog.services.values() if service.tier == 1 and not service.external]
    return Case(
        impact=impact,
        weight=max((service.weight for service in own), default=0.0),
        critical=any(service.tier == 1 for service in own),
        total_outage=len(critical) > 1
        and all(service.name in impact.down for service in critical)
        and (impact.error_ratio is None or impact.error_ratio >= OUTAGE_RATIO),
        symptom=symptom,
        told=told.strip().lower(),
        tier=min((service.tier for service in reached), default=None),
    )
