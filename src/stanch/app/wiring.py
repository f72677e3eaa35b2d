"""The wiring of a server: the world of `world`, with what it takes in from outside and tells to others.

Senders stand in an explicit table here; a stranger's enters by the same doors.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from stanch.alerts.intake.config import Defaults, read_routing, template_files
from stanch.alerts.intake.routes import Routing, default_routing
from stanch.alerts.intake.subject import check_matchers
from stanch.app.world import DATABASE, DEFAULT_URL, DUTIES, PROJECTORS, open_world, read_catalog
from stanch.catalog.model import Catalog, SourceSpec
from stanch.engine import board, calendars, changes, runbooks, statuspage, tickets, tidy, watch, watchdog
from stanch.engine.intake import Intake, MakeNotifier
from stanch.engine.loop import Engine
from stanch.gameday.shop.faults import describe_faults
from stanch.integrations.alertmanager import GLOBALS, SENDS_RESOLVED, Receivers, read_words
from stanch.integrations.alertmanagerhook import AlertmanagerHook
from stanch.integrations.argocd import ArgoCD
from stanch.integrations.cloudwatch import CloudWatch, over_https
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
from stanch.kernel.clock import Clock
from stanch.kernel.errors import Invalid, NotFound
from stanch.operations.beating import HEARTBEAT, schedule_beats
from stanch.operations.maintenance import follow_catalog
from stanch.operations.world import World
from stanch.ports.signals import SignalSource

__all__ = [
    "DATABASE",
    "DUTIES",
    "PROJECTORS",
    "SIGNAL_SOURCES",
    "build_engine",
    "build_intake",
    "build_world",
    "fault_list",
    "read_catalog",
]

SIGNAL_SOURCES: Final[Mapping[str, Callable[[SourceSpec], SignalSource]]] = {
    "alertmanager": lambda spec: AlertmanagerHook(),
    "argocd": lambda spec: ArgoCD(),
    "cloudwatch": lambda spec: CloudWatch(topics=spec.topics, fetch=over_https),
    "datadog": lambda spec: Datadog(),
    "github": lambda spec: GitHub(),
    "gitlab": lambda spec: GitLab(),
    "googlecloud": lambda spec: GoogleCloud(),
    "grafana": lambda spec: Grafana(),
    "healthchecks": lambda spec: Healthchecks(),
    "json": lambda spec: GenericJson(_mapping(spec), name=spec.name),
    "newrelic": lambda spec: NewRelic(),
    "opsgenie": lambda spec: Opsgenie(),
    "pagerduty": lambda spec: PagerDutyWebhooks(),
    "pagerduty-events": lambda spec: PagerDutyEvents(),
    "pingdom": lambda spec: Pingdom(),
    "sentry": lambda spec: Sentry(),
    "uptimerobot": lambda spec: UptimeRobot(),
}

_DEFAULTS: Final = Defaults(shared=GLOBALS, send_resolved=SENDS_RESOLVED)


def build_world(
    *,
    catalog: Catalog,
    database: str | Path,
    clock: Clock | None = None,
    node: str = "",
    url: str = DEFAULT_URL,
    data: Path | None = None,
) -> World:
    """Open the store and put together everything the process has; `data` is the folder of the data.

    Raises what opening a database raises, and `Invalid` for matchers of the catalog that are none.
    """
    check_matchers(catalog)
    world = open_world(catalog=catalog, database=database, clock=clock, node=node, url=url, data=data)
    return replace(
        world,
        signal_sources=_signal_sources(catalog),
        signal_secrets={
            # Two secrets with a space between them while one replaces the other.
            name: tuple(os.environ.get(spec.secret_env, "").split()) if spec.secret_env else ()
            for name, spec in catalog.sources.items()
        }
        | {
            f"{HEARTBEAT}/{name}": tuple(os.environ.get(beat.secret_env, "").split())
            for name, beat in catalog.heartbeats.items()
            if beat.secret_env
        },
    )


def build_engine(world: World) -> Engine:
    """Return the engine of `world`, with its recurring timers in place."""
    with world.store.writing() as tx:
        follow_catalog(tx, world)
        watch.schedule_watches(tx, world)
        watchdog.schedule_watchdog(tx, world)
        runbooks.schedule_trials(tx, world)
        tx.schedule(board.first_timer(world))
        statuspage.schedule(tx, world)
        for timer in (*tidy.first_timers(world), *tickets.first_timers(world)):
            tx.schedule(timer)
        schedule_beats(tx, world)
        if calendars.places_of(world.catalog):
            tx.schedule(calendars.first_timer(world.clock.now()))
        if world.change_sources:
            tx.schedule(changes.first_timer(world.clock.now()))
    return Engine(world, DUTIES)


def build_intake(world: World, routing: str | None) -> Intake:
    """Return what takes in alerts from outside, routed by the `alertmanager.yml` at `routing`, if there is one.

    Raises `NotFound` without the file and `Invalid` for its mistakes.
    """

    receivers = Receivers()
    checks = receivers.checks()

    def load() -> Routing:
        if not routing:
            return default_routing()
        text = _text_of(routing)
        receivers.words = read_words(template_files(text), folder=Path(routing).absolute().parent)
        return read_routing(text, kinds=checks, defaults=_DEFAULTS)

    def maker(kind: str) -> MakeNotifier:
        return lambda one: receivers.make(kind, one.settings)

    world.routing.now = load()
    return Intake(world, makers={kind: maker(kind) for kind in checks}, load=load)


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no configuration at {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=path) from error


def fault_list() -> list[tuple[str, str]]:
    """Return name and title of every fault of the drill."""
    return describe_faults()


def _signal_sources(catalog: Catalog) -> dict[str, SignalSource]:
    """Return what understands senders: the configured ones by their names, the others by their kinds."""
    shipped = {kind: make(SourceSpec(name=kind, kind=kind)) for kind, make in SIGNAL_SOURCES.items()}
    return shipped | {name: SIGNAL_SOURCES[spec.kind](spec) for name, spec in catalog.sources.items()}


def _mapping(spec: SourceSpec) -> FieldMapping:
    return FieldMapping(
        items=spec.items,
        title=spec.title_at,
        status=spec.status_at,
        resolved=tuple(word.lower() for word in spec.resolved),
        severity=spec.severity_at,
        service=spec.service_at,
        summary=spec.summary_at,
        url=spec.url_at,
        started_at=spec.started_at,
        id=spec.id_at,
        labels=dict(spec.labels),
    )
