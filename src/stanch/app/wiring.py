"""The wiring: configuration to store, integrations and engine. The one place that knows every integration.

Integrations stand in explicit tables here; a stranger's integration enters by the same doors.
"""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stanch.alerts.intake.config import CheckSettings, read_routing
from stanch.alerts.intake.routes import Routing, default_routing
from stanch.catalog.load import FILE_NAME, load_catalog
from stanch.catalog.model import Catalog, ChannelSpec, SourceSpec
from stanch.engine import changes, remind, run, verify, watch
from stanch.engine.collect import collect_duty
from stanch.engine.intake import Intake, MakeNotifier
from stanch.engine.loop import Duty, Engine
from stanch.gameday.shop.faults import describe_faults
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.alertmanager import WebhookNotifier, check_webhook
from stanch.integrations.alertmanagerhook import AlertmanagerHook
from stanch.integrations.argocd import ArgoCD
from stanch.integrations.cloudwatch import CloudWatch, over_https
from stanch.integrations.command import CommandActuator
from stanch.integrations.datadog import Datadog
from stanch.integrations.dependency import Dependencies, Target
from stanch.integrations.deploylog import DeployLog
from stanch.integrations.file import FileChannel
from stanch.integrations.genericjson import FieldMapping, GenericJson
from stanch.integrations.git import GitChanges, GitCollector
from stanch.integrations.github import GitHub
from stanch.integrations.gitlab import GitLab
from stanch.integrations.googlecloud import GoogleCloud
from stanch.integrations.grafana import Grafana
from stanch.integrations.healthchecks import Healthchecks
from stanch.integrations.host import HostCollector
from stanch.integrations.http import HttpSampler
from stanch.integrations.jsonlog import JsonLogSampler
from stanch.integrations.newrelic import NewRelic
from stanch.integrations.openmetrics import OpenMetricsSampler
from stanch.integrations.opsgenie import Opsgenie
from stanch.integrations.pagerduty import PagerDutyEvents, PagerDutyWebhooks
from stanch.integrations.pingdom import Pingdom
from stanch.integrations.sentry import Sentry
from stanch.integrations.uptimerobot import UptimeRobot
from stanch.integrations.webhook import WebhookChannel
from stanch.kernel.clock import Clock, SystemClock
from stanch.kernel.errors import Invalid, NotFound
from stanch.operations.all import all_operations
from stanch.operations.investigation import conclude
from stanch.operations.world import World
from stanch.ports.changes import ChangeSource
from stanch.ports.channel import Channel
from stanch.ports.evidence import Collector
from stanch.ports.signals import SignalSource
from stanch.store import Store
from stanch.surfaces.cli.embedded import EmbeddedWay

DEFAULT_URL: Final = "http://127.0.0.1:8484"
DATABASE: Final = "stanch.db"
PROJECTORS: Final = (IncidentProjector(),)

CHANNELS: Final[Mapping[str, Callable[[ChannelSpec, Path], Channel]]] = {
    "file": lambda spec, root: FileChannel(name=spec.name, folder=root / spec.target),
    "webhook": lambda spec, root: WebhookChannel(name=spec.name, url=spec.target),
}

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

NOTICE_SETTINGS: Final[Mapping[str, CheckSettings]] = {"webhook": check_webhook}
NOTIFIERS: Final[Mapping[str, MakeNotifier]] = {"webhook": lambda one: WebhookNotifier(one.settings)}

DUTIES: Final[Mapping[str, Duty]] = {
    "watch": watch.watch,
    "changes": changes.poll,
    "collect": collect_duty(conclude=conclude),
    "run": run.run,
    "effect": verify.check_effect,
    "verify": verify.verify,
    "target": remind.target,
    "remind": remind.remind,
    "measure": remind.remeasure,
}


def build_world(
    *, catalog: Catalog, database: str | Path, clock: Clock | None = None, node: str = "", url: str = DEFAULT_URL
) -> World:
    """Open the store and put together everything the process has. Raises what opening a database raises."""
    clock = clock or SystemClock()
    root = Path(catalog.root)
    sources = _change_sources(catalog)
    return World(
        store=Store.open(database, clock=clock, projectors=PROJECTORS),
        clock=clock,
        catalog=catalog,
        node=node or f"{socket.gethostname()}-{os.getpid()}",
        url=url.rstrip("/"),
        collectors=_collectors(catalog, sources),
        change_sources=sources,
        samplers={one.kind: one for one in (HttpSampler(), OpenMetricsSampler(), JsonLogSampler())},
        actuators={one.name: one for one in (CommandActuator(),)},
        channels={name: CHANNELS[spec.kind](spec, root) for name, spec in catalog.channels.items()},
        signal_sources=_signal_sources(catalog),
        signal_secrets={
            # Two secrets with a space between them while one replaces the other.
            name: tuple(os.environ.get(spec.secret_env, "").split()) if spec.secret_env else ()
            for name, spec in catalog.sources.items()
        },
    )


def build_engine(world: World) -> Engine:
    """Return the engine of `world`, with its recurring timers in place."""
    with world.store.writing() as tx:
        watch.schedule_watches(tx, world)
        if world.change_sources:
            tx.schedule(changes.first_timer(world.clock.now()))
    return Engine(world, DUTIES)


def build_intake(world: World, routing: str | None) -> Intake:
    """Return what takes in alerts from outside, routed by the `alertmanager.yml` at `routing`, if there is one.

    Raises `NotFound` without the file and `Invalid` for its mistakes.
    """

    def load() -> Routing:
        return read_routing(_text_of(routing), kinds=NOTICE_SETTINGS) if routing else default_routing()

    world.routing.now = load()
    return Intake(world, makers=NOTIFIERS, load=load)


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no configuration at {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=path) from error


def read_catalog(config: str | None) -> Catalog:
    """Return the configured catalog; without one, that of `stanch.toml` in this folder, or an empty one."""
    if config is not None:
        return load_catalog(config)
    return load_catalog(FILE_NAME) if Path(FILE_NAME).is_file() else Catalog(root=str(Path.cwd()))


def embedded_way(folder: Path, *, actor: str) -> EmbeddedWay:
    """Return the way to the operations in this process, on the store in `folder`. Watches nothing by itself."""
    catalog = read_catalog(None)
    world = build_world(catalog=catalog, database=folder / DATABASE)
    return EmbeddedWay(world, Engine(world, DUTIES), operations=all_operations(), actor=actor)


def operation_list() -> dict[str, dict[str, str]]:
    """Return every operation with its effect and its summary."""
    return {name: {"effect": one.effect.value, "summary": one.summary} for name, one in all_operations().items()}


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


def _change_sources(catalog: Catalog) -> tuple[ChangeSource, ...]:
    logs: dict[Path, list[str]] = {}
    repositories: dict[Path, dict[str, tuple[str, ...]]] = {}
    root = Path(catalog.root)
    for service in catalog.services.values():
        if service.deploy_log:
            logs.setdefault(root / service.deploy_log, []).append(service.name)
        if service.repository:
            repositories.setdefault(root / service.repository, {})[service.name] = service.paths
    if not catalog.services and any(
        (folder / ".git").exists() for folder in (root.absolute(), *root.absolute().parents)
    ):
        # Nothing is configured: the repository one stands in is the best place to look.
        repositories[root] = {}
    found: list[ChangeSource] = [
        DeployLog(path, service=names[0] if len(names) == 1 else "") for path, names in logs.items()
    ]
    return (*found, *(GitChanges(path, services=parts) for path, parts in repositories.items()))


def _collectors(catalog: Catalog, sources: tuple[ChangeSource, ...]) -> tuple[Collector, ...]:
    found: list[Collector] = [HostCollector()]
    found += [GitCollector(source) for source in sources if isinstance(source, GitChanges)]
    if not catalog.services and len(found) == 1:
        # No repository to poll for changes, but an investigation says that it could not look into one.
        found.append(GitCollector(GitChanges(Path(catalog.root), services={})))
    targets = tuple(
        Target(
            name=service.name,
            url=next((check.target for check in service.checks if check.sampler == "http"), ""),
            status_page=service.status_page,
            used_by=tuple(other.name for other in catalog.services.values() if service.name in other.depends_on),
        )
        for service in catalog.services.values()
    )
    if targets:
        found.append(Dependencies(targets))
    return tuple(found)
