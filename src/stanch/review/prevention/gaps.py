"""What was missing when the incident came: runbooks, owners, somebody to page, checks, dependencies. Pure.

Every gap names what says so. What a table of the configuration lacks is said with the table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from stanch.catalog.model import Catalog
from stanch.catalog.rules import service_at
from stanch.incidents.state import IncidentState
from stanch.oncall.escalation.rules import Why, policy_for
from stanch.review.prevention.model import Gap, GapKind
from stanch.review.prevention.writing import depends_on

_CALLS: Final = ("dependency_error_ratio", "dependency_latency_p95_ms")
_LONGEST_TARGET: Final = 120


def gaps_of(
    state: IncidentState,
    catalog: Catalog,
    *,
    services: Sequence[str],
    has_runbook: bool,
    measured_calls: Iterable[tuple[str, str]] = (),
) -> tuple[Gap, ...]:
    """Return what was missing, what kept people from being told first.

    `services` are those that the incident is about. `has_runbook` says that one is for its cause, or for its symptoms
    where the cause is not known; `measured_calls` are callers and targets as samples have them.
    """
    own = [name for name in services if name in catalog.services and not catalog.services[name].external]
    return (
        *_nobody_to_page(state, catalog, own),
        *_owners(catalog, own),
        *_checks(catalog, own),
        *_dependencies(state, catalog, measured_calls),
        *(() if has_runbook else (_runbook(state),)),
    )


def cause_of(state: IncidentState) -> tuple[str, str]:
    """Return kind and service of the cause as far as it is known, empty texts where it is not."""
    top = state.known_cause
    return (top.kind, top.service) if top else ("", "")


def _nobody_to_page(state: IncidentState, catalog: Catalog, own: Sequence[str]) -> Iterator[Gap]:
    for name in own:
        found = policy_for(catalog, (name,), severity=int(state.ruling.severity))
        if isinstance(found, Why):
            yield Gap(
                kind=GapKind.ROUTE,
                subject=name,
                text=f"An alert about {name} pages nobody: {found.value}",
                source=f"configuration: services.{name}.policy, oncall.policy",
                todo=f"Give {name} an escalation policy",
            )


def _owners(catalog: Catalog, own: Sequence[str]) -> Iterator[Gap]:
    schedules = {schedule.team for schedule in catalog.oncall.schedules.values()}
    told = set()
    for name in own:
        team = catalog.services[name].team
        if not team:
            yield Gap(
                kind=GapKind.TEAM,
                subject=name,
                text=f"{name} belongs to no team",
                source=f"configuration: services.{name}.team",
                todo=f"Name the team that owns {name}",
            )
        elif team not in schedules and team not in told:
            told.add(team)
            yield Gap(
                kind=GapKind.SCHEDULE,
                subject=team,
                text=f"The team {team}, which owns {name}, has no on-call schedule",
                source="configuration: oncall.schedules",
                todo=f"Give the team {team} an on-call schedule",
            )


def _checks(catalog: Catalog, own: Sequence[str]) -> Iterator[Gap]:
    for name in own:
        if not catalog.services[name].checks:
            yield Gap(
                kind=GapKind.CHECK,
                subject=name,
                text=f"Nothing looks at {name}: it has no check of its own",
                source=f"configuration: services.{name}.checks",
                todo=f"Give {name} a check: its health, its metrics page or its log",
            )


def _dependencies(state: IncidentState, catalog: Catalog, measured_calls: Iterable[tuple[str, str]]) -> Iterator[Gap]:
    seen: dict[tuple[str, str], str] = {}
    for finding in state.findings.values():
        for signal in finding.signals:
            target = signal.data.get("target")
            if signal.name in _CALLS and isinstance(target, str):
                seen.setdefault((signal.service, target), f"finding {finding.id} ({finding.source})")
    for caller, target in measured_calls:
        seen.setdefault((caller, target), f"samples: dependency_error_ratio of {caller} with target {target}")
    yield from _undeclared(catalog, seen)


def _undeclared(catalog: Catalog, seen: Mapping[tuple[str, str], str]) -> Iterator[Gap]:
    told = set()
    for (caller, target), source in seen.items():
        known = catalog.services.get(caller)
        if known is None or not target or len(target) > _LONGEST_TARGET:
            continue
        callee = service_at(catalog, target)
        if callee == caller or callee in known.depends_on or (caller, callee or target) in told:
            continue
        told.add((caller, callee or target))
        if callee is None:
            text = f"{caller} calls {target}, which is not in the catalog"
            todo = f"Declare {target} as a service, and that {caller} depends on it"
        else:
            text = f"{caller} calls {callee}, and its dependencies do not say so"
            todo = f"Declare that {caller} depends on {callee}"
        yield Gap(
            kind=GapKind.DEPENDENCY,
            subject=caller,
            text=text,
            source=source,
            todo=todo,
            toml=depends_on(caller, (*known.depends_on, callee)) if callee else "",
        )


def _runbook(state: IncidentState) -> Gap:
    kind, service = cause_of(state)
    at = f" at {service}" if service else ""
    what = f"{kind.replace('_', ' ')}{at}" if kind else f"what was seen at {', '.join(state.services)}"
    source = f"hypothesis {state.hypotheses[0].id}, and every runbook there is" if kind else "every runbook there is"
    return Gap(
        kind=GapKind.RUNBOOK,
        subject=kind or state.key,
        text=f"No runbook is for {what}",
        source=source,
        todo=f"Write a runbook for {what}",
    )
