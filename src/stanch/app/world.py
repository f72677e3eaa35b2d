"""The world of a process: configuration to store, checks, collectors, channels and actuators.

Everything a command needs that works without a server; what a server takes in from outside is `wiring`'s. Integrations
stand in explicit tables here; a stranger's integration enters by the same doors.
"""

import importlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar, cast

from stanch.app.actuators import open_actuators
from stanch.app.budget import agent_limits
from stanch.app.logging import configure_logging
from stanch.app.subscribers import subscriber_channels
from stanch.app.systems import open_systems
from stanch.app.thinker import open_thinker
from stanch.catalog.checks import Check
from stanch.catalog.load import FILE_NAME, load_catalog
from stanch.catalog.model import Catalog, ChannelSpec
from stanch.catalog.pagers import SERVES, WITHOUT_SETTINGS, PagerSpec
from stanch.catalog.trackers import TrackerSpec
from stanch.comms.status.tables import StatusProjector
from stanch.comms.templates import open_templates
from stanch.engine import (
    beats,
    board,
    cadence,
    calendars,
    changes,
    effect,
    follow,
    foresee,
    hold,
    items,
    remind,
    reports,
    run,
    runbooks,
    statuspage,
    think,
    tickets,
    tidy,
    tracker,
    verify,
    watch,
    watchdog,
)
from stanch.engine.collect import collect_duty
from stanch.engine.loop import Duty, Engine
from stanch.engine.next_test import next_test_duty
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.apprise import AppriseChannel, ApprisePager
from stanch.integrations.dependency import Dependencies, Target
from stanch.integrations.deploylog import DeployLog
from stanch.integrations.discord import DiscordChannel
from stanch.integrations.dns import DnsSampler
from stanch.integrations.fetching import HttpGet
from stanch.integrations.file import FileChannel, FilePager
from stanch.integrations.git import GitChanges, GitCollector
from stanch.integrations.github.issues import GitHubIssues
from stanch.integrations.host import HostCollector
from stanch.integrations.http import HttpSampler, JourneySampler
from stanch.integrations.jira import JiraIssues
from stanch.integrations.jsonlog import JsonLogSampler, LogPatternSampler
from stanch.integrations.matrix import MatrixChannel, MatrixPager
from stanch.integrations.mattermost import MattermostChannel
from stanch.integrations.ntfy import NtfyPager
from stanch.integrations.openmetrics import OpenMetricsSampler
from stanch.integrations.promql import PromqlSampler
from stanch.integrations.slack import SlackChannel, SlackPager
from stanch.integrations.smtp import MailChannel, SmtpPager
from stanch.integrations.statuspage import StatuspageChannel
from stanch.integrations.tcp import TcpSampler
from stanch.integrations.teams import TeamsChannel
from stanch.integrations.tls import TlsSampler
from stanch.integrations.twilio import TwilioPager
from stanch.integrations.webhook import WebhookChannel, WebhookPager
from stanch.kernel.clock import Clock, SystemClock
from stanch.kernel.codec import from_data
from stanch.kernel.redaction import hide_emails
from stanch.oncall.pages.tables import PageProjector
from stanch.operations.all import all_operations
from stanch.operations.analysing import KIND as ANALYSIS
from stanch.operations.investigation import conclude
from stanch.operations.oncall.facts import uses_calendars
from stanch.operations.thought import KIND as THINK
from stanch.operations.tickets import TICKET
from stanch.operations.world import World
from stanch.operations.writeback import WRITING
from stanch.packs.reading import open_packs
from stanch.ports.calendars import Calendars
from stanch.ports.changes import ChangeSource
from stanch.ports.channel import Channel, ChannelSettings
from stanch.ports.checks import (
    DnsCheck,
    HttpCheck,
    JourneyCheck,
    LogCheck,
    MetricsCheck,
    PromqlCheck,
    TcpCheck,
    TlsCheck,
)
from stanch.ports.evidence import Collector
from stanch.ports.pager import Pager, PagerSettings
from stanch.ports.sampler import Sampler
from stanch.ports.ticketing import TicketTracker, TrackerSettings
from stanch.review.figures.tables import CourseProjector
from stanch.review.items.tables import ItemProjector
from stanch.review.similar.tables import TraitsProjector
from stanch.store import Store
from stanch.surfaces.cli.embedded import EmbeddedWay

T = TypeVar("T")

DEFAULT_URL: Final = "http://127.0.0.1:8484"
DATABASE: Final = "stanch.db"
PROJECTORS: Final = (
    IncidentProjector(),
    PageProjector(),
    ItemProjector(),
    CourseProjector(),
    TraitsProjector(),
    StatusProjector(),
)

CHANNELS: Final[Mapping[str, Callable[[ChannelSettings], Channel]]] = {
    "file": lambda one: FileChannel(name=one.name, folder=Path(one.root) / one.target),
    "webhook": lambda one: WebhookChannel(name=one.name, url=one.target),
    "slack": SlackChannel,
    "matrix": MatrixChannel,
    "mattermost": MattermostChannel,
    "teams": TeamsChannel,
    "discord": DiscordChannel,
    "email": MailChannel,
    "apprise": AppriseChannel,
    "statuspage": StatuspageChannel,
}

TRACKERS: Final[Mapping[str, Callable[[TrackerSettings], TicketTracker]]] = {
    "github": GitHubIssues,
    "jira": JiraIssues,
}

PAGERS: Final[Mapping[str, Callable[[PagerSettings], Pager]]] = {
    "ntfy": NtfyPager,
    "smtp": SmtpPager,
    "twilio": TwilioPager,
    "slack": SlackPager,
    "matrix": MatrixPager,
    "webhook": WebhookPager,
    "apprise": ApprisePager,
    "file": FilePager,
}

# Made only where a check uses them: a client for HTTPS takes a while to read the certificates it trusts.
SAMPLERS: Final[Mapping[str, Callable[[Check], Sampler]]] = {
    "http": lambda check: HttpSampler(_settings(check, HttpCheck), **_time_of(check)),
    "openmetrics": lambda check: OpenMetricsSampler(_settings(check, MetricsCheck), **_time_of(check)),
    "jsonlog": lambda check: JsonLogSampler(),
    "tcp": lambda check: TcpSampler(_settings(check, TcpCheck), **_time_of(check)),
    "tls": lambda check: TlsSampler(_settings(check, TlsCheck), **_time_of(check)),
    "dns": lambda check: DnsSampler(_settings(check, DnsCheck), **_time_of(check)),
    "journey": lambda check: JourneySampler(from_data(check.settings, JourneyCheck), **_time_of(check)),
    "logpattern": lambda check: LogPatternSampler(from_data(check.settings, LogCheck)),
    "promql": lambda check: PromqlSampler(from_data(check.settings, PromqlCheck), **_time_of(check)),
}

DUTIES: Final[Mapping[str, Duty]] = {
    "watch": watch.watch,
    "changes": changes.poll,
    "calendars": calendars.fetch,
    "collect": collect_duty(conclude=conclude),
    "test": next_test_duty(conclude=conclude),
    "look": foresee.look,
    "run": run.run,
    "effect": effect.check_effect,
    "verify": verify.verify,
    "target": remind.target,
    "remind": cadence.remind,
    "measure": remind.remeasure,
    watchdog.KIND: watchdog.watch_self,
    runbooks.KIND: runbooks.try_all,
    "follow": follow.follow,
    "heartbeat": beats.check,
    "tidy": tidy.tidy,
    "hold": hold.hold,
    "items": items.remind,
    "board": board.keep_board,
    "reports": reports.settle,
    statuspage.KIND: statuspage.keep,
    THINK: think.think,
    WRITING: tracker.write,
    ANALYSIS: tracker.analyse,
    TICKET: tickets.keep_ticket,
    tickets.TRACKER: tickets.poll,
}


def open_world(
    *,
    catalog: Catalog,
    database: str | Path,
    clock: Clock | None = None,
    node: str = "",
    url: str = DEFAULT_URL,
    data: Path | None = None,
) -> World:
    """Open the store and put together everything the process has. Raises what opening a database raises.

    `data` is the folder of the data; without one it is that of the database, where that is a file.
    """
    clock = clock or SystemClock()
    root = Path(catalog.root)
    hide_emails(catalog.redact_emails)
    systems = open_systems(catalog, data=data or _folder_of(database))
    sources = (*_change_sources(catalog), *systems.changes)
    return World(
        store=Store.open(database, clock=clock, projectors=PROJECTORS),
        clock=clock,
        catalog=catalog,
        node=node or f"{socket.gethostname()}-{os.getpid()}",
        url=url.rstrip("/"),
        collectors=(*_collectors(catalog, sources), *systems.collectors),
        change_sources=sources,
        systems=systems.sources,
        endpoints=systems.endpoints,
        log_sources=systems.logs,
        trackers=systems.trackers,
        packs=open_packs(root / catalog.packs),
        templates=open_templates(root / catalog.comms.templates),
        samplers=samplers_for(catalog),
        actuators=open_actuators(systems, programs=catalog.programs),
        calendars=calendars_for(catalog),
        thinker=open_thinker(catalog.thinker),
        channels={
            name: CHANNELS[spec.kind](_channel(spec, catalog, url=url)) for name, spec in catalog.channels.items()
        }
        | subscriber_channels(catalog),
        unset=_unset(catalog),
        pagers=_pagers(catalog),
        desks=dict(systems.desks),
        ticketing={name: TRACKERS[spec.kind](_tracker(spec)) for name, spec in catalog.trackers.items()},
        fetch=HttpGet(),
        agent_limits=agent_limits(),
    )


def _unset(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the variables that channels name and that hold nothing, by channel."""
    named = {one.name: (one.secret_env, one.signing_env, one.socket_env) for one in catalog.channels.values()}
    return {
        name: tuple(variable for variable in variables if variable and not os.environ.get(variable, "").strip())
        for name, variables in named.items()
    }


def _folder_of(database: str | Path) -> Path | None:
    return None if "://" in str(database) else Path(database).parent


def calendars_for(catalog: Catalog) -> Calendars | None:
    """Return what reads calendars, None where nothing that is configured needs any."""
    # The libraries take a third of a second to import, which only those who use calendars shall wait for.
    module = importlib.import_module("stanch.integrations.calendars") if uses_calendars(catalog) else None
    return cast("Calendars", module.CalendarReader()) if module else None


def samplers_for(catalog: Catalog) -> dict[str, Sampler]:
    """Return what reads the checks, by `Check.reader`: checks that are told the same share one."""
    checks = {check.reader: check for service in catalog.services.values() for check in service.checks}
    return {reader: SAMPLERS[check.sampler](check) for reader, check in checks.items() if check.sampler in SAMPLERS}


def _settings(check: Check, kind: type[T]) -> T | None:
    return from_data(check.settings, kind) if check.settings else None


def _time_of(check: Check) -> dict[str, float]:
    """Return the time-out that a check is given, nothing where the sampler's own holds."""
    return {} if check.timeout_s is None else {"timeout_s": check.timeout_s}


def read_catalog(config: str | None) -> Catalog:
    """Return the configured catalog; without one, that of `stanch.toml` in this folder, or an empty one."""
    if config is not None:
        return load_catalog(config)
    return load_catalog(FILE_NAME) if Path(FILE_NAME).is_file() else Catalog(root=str(Path.cwd()))


def embedded_way(folder: Path, *, actor: str) -> EmbeddedWay:
    """Return the way to the operations in this process, on the store in `folder`. Watches nothing by itself."""
    configure_logging()
    catalog = read_catalog(None)
    world = open_world(catalog=catalog, database=folder / DATABASE)
    return EmbeddedWay(world, Engine(world, DUTIES), operations=all_operations(), actor=actor)


def operation_list() -> dict[str, dict[str, str]]:
    """Return every operation with its effect and its summary."""
    return {name: {"effect": one.effect.value, "summary": one.summary} for name, one in all_operations().items()}


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


def _channels(catalog: Catalog, *, url: str) -> dict[str, Channel]:
    return {name: CHANNELS[spec.kind](_channel(spec, catalog, url=url)) for name, spec in catalog.channels.items()}


def _channel(spec: ChannelSpec, catalog: Catalog, *, url: str) -> ChannelSettings:
    return ChannelSettings(
        name=spec.name,
        kind=spec.kind,
        target=spec.target,
        url=spec.url,
        account=spec.account,
        sender=spec.sender,
        to=spec.to,
        secret=os.environ.get(spec.secret_env, "").strip() if spec.secret_env else "",
        pressed_at=f"{url.rstrip('/')}/chat/{spec.name}" if spec.signing_env else "",
        proof=os.environ.get(spec.signing_env, "").strip() if spec.signing_env else "",
        rooms=spec.rooms,
        root=catalog.root,
    )


def _tracker(spec: TrackerSpec) -> TrackerSettings:
    return TrackerSettings(
        name=spec.name,
        kind=spec.kind,
        project=spec.project,
        url=spec.url,
        account=spec.account,
        secret=os.environ.get(spec.secret_env, "").strip(),
        label=spec.label,
        issue_type=spec.issue_type,
        states=dict(spec.states),
    )


def _pagers(catalog: Catalog) -> dict[str, Pager]:
    """Return the providers: the configured ones in their order, then those that need no settings.

    Without anybody who has a contact method there is none: nothing is made that nothing uses.
    """
    used = {method.kind for person in catalog.people.values() for method in person.methods}
    known = {spec.kind for spec in catalog.pagers.values()}
    ready = [PagerSpec(name=kind, kind=kind) for kind in WITHOUT_SETTINGS if kind not in known]
    made = {
        spec.name: PAGERS[spec.kind](
            PagerSettings(
                name=spec.name,
                kind=spec.kind,
                url=spec.url,
                account=spec.account,
                sender=spec.sender,
                secret=os.environ.get(spec.secret_env, "").strip() if spec.secret_env else "",
                kinds=spec.kinds,
                root=catalog.root,
            )
        )
        for spec in (*catalog.pagers.values(), *ready)
        if used & set(SERVES[spec.kind])
    }
    return {name: pager for name, pager in made.items() if used & pager.kinds}
