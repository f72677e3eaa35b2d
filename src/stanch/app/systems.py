"""Systems that evidence is read from: configuration to query sources, log sources, change sources and collectors.

Modules of drivers are imported only where a system of their kind is configured: each takes a while, and most
installations have two or three of them. Secrets are read from the environment here and nowhere else.
"""

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from stanch.catalog.model import Catalog
from stanch.catalog.systems import SystemConfig
from stanch.integrations.fetching import HttpGet
from stanch.integrations.program import LocalPrograms
from stanch.ports.changes import ChangeSource
from stanch.ports.evidence import Collector
from stanch.ports.issues import IssueDesk
from stanch.ports.logsource import LogSource
from stanch.ports.query import QuerySource, SystemSpec
from stanch.ports.sessions import SessionServer
from stanch.ports.statements import StatementServer
from stanch.ports.tracker import Tracker

_SETTINGS: Final = (
    *("namespace", "context", "selector", "unit", "pid", "vhost", "project", "organization", "environment"),
)
_TRACKER: Final = ("assign_to", "resolve_as", "seer_per_incident", "seer_per_day", "seer_wait_s")
"""Settings of a tracker of errors beside its lists."""
_PATHS: Final = ("kubeconfig", "path", "ca_file")
"""Settings that are paths, from the folder of the configuration."""

# Kind -> (module, its class, what the class needs besides the specification).
SOURCES: Final[Mapping[str, tuple[str, str, str]]] = {
    "postgresql": ("postgresql", "PostgresSource", ""),
    "mysql": ("mysql", "MysqlSource", ""),
    "sqlite": ("sqlite", "SqliteSource", ""),
    "redis": ("redis", "RedisSource", ""),
    "rabbitmq": ("rabbitmq", "RabbitSource", "fetch"),
    "nginx": ("nginx", "NginxSource", "fetch"),
    "prometheus": ("prometheus", "PrometheusSource", "fetch"),
    "http": ("http", "HttpSource", ""),
    "kubernetes": ("kubernetes", "KubernetesSource", "programs"),
    "linux": ("program", "ProgramSource", "programs"),
    "jvm": ("program", "ProgramSource", "programs"),
    "python": ("program", "ProgramSource", "programs"),
}
LOGS: Final[Mapping[str, tuple[str, str, str]]] = {
    "kubernetes": ("kubernetes", "KubernetesLogs", "programs"),
    "journald": ("journald", "Journal", "programs"),
}
CHANGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "kubernetes": ("kubernetes", "Rollouts", "programs"),
    "github": ("github", "GitHubDeployments", "fetch"),
    "gitlab": ("gitlab", "GitLabDeployments", "fetch"),
    "sentry": ("sentry", "SentryDeploys", "fetch"),
    "launchdarkly": ("launchdarkly", "LaunchDarklyFlags", "fetch"),
    "unleash": ("unleash", "UnleashFlags", "fetch"),
    "flagd": ("git", "FlagdFile", ""),
}
SETTINGS: Final[Mapping[str, tuple[str, str, str]]] = {
    "kubernetes": ("kubernetes", "ConfigMaps", "programs"),
}
"""Further changes that a system tells: what is configured beside what is rolled out."""
SESSIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "postgresql": ("postgresql", "PostgresSessions", ""),
    "mysql": ("mysql", "MysqlSessions", ""),
    "sqlite": ("sqlite", "SqliteSessions", ""),
}
STATEMENTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "postgresql": ("postgresql", "PostgresStatements", ""),
    "mysql": ("mysql", "MysqlStatements", ""),
}
COLLECTORS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sentry": ("sentry", "SentryCollector", "fetch"),
    "sentry-mcp": ("sentry.throughmcp", "McpCollector", ""),
}


DESKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sentry": ("sentry", "SentryDesk", "fetch"),
    "sentry-mcp": ("sentry.throughmcp", "McpDesk", ""),
}
TRACKERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sentry": ("sentry", "SentryTracker", "fetch"),
    "sentry-mcp": ("sentry.mcptracker", "McpTracker", ""),
}

GRANTED: Final = frozenset({"sentry"})
"""Systems that can be connected by OAuth; what they grant is kept in a file of its own, in the folder of the data."""


@dataclass(frozen=True, kw_only=True)
class Systems:
    """What the configured systems give."""

    sources: tuple[QuerySource, ...] = ()
    logs: tuple[LogSource, ...] = ()
    changes: tuple[ChangeSource, ...] = ()
    collectors: tuple[Collector, ...] = ()
    trackers: tuple[Tracker, ...] = ()
    sessions: Mapping[str, Mapping[str, SessionServer]] = field(default_factory=dict)
    """By kind, then by the system's name."""
    clusters: tuple[SystemSpec, ...] = ()
    statements: Mapping[str, tuple[StatementServer, tuple[str, ...]]] = field(default_factory=dict)
    """By the system's name, with what its owner allows."""
    desks: Mapping[str, IssueDesk] = field(default_factory=dict)
    """Trackers of errors, by the system's name."""
    endpoints: tuple[QuerySource, ...] = ()
    """Where the services answer by their own checks: asked without any token."""


def open_systems(catalog: Catalog, *, environment: Mapping[str, str] = os.environ, data: Path | None = None) -> Systems:
    """Return what the systems of `catalog` give; connects to nothing. What was granted is kept below `data`."""
    given: dict[str, object] = {"fetch": HttpGet(), "programs": LocalPrograms()}
    specs = [spec_of(config, catalog, environment=environment, data=data) for config in catalog.systems.values()]

    def made(table: Mapping[str, tuple[str, str, str]]) -> list[object]:
        return [_made(table[spec.kind], spec, given) for spec in specs if spec.kind in table]

    return Systems(
        sources=tuple(cast("QuerySource", one) for one in made(SOURCES)),
        logs=tuple(cast("LogSource", one) for one in made(LOGS)),
        changes=tuple(cast("ChangeSource", one) for one in (*made(CHANGES), *made(SETTINGS))),
        collectors=tuple(cast("Collector", one) for one in made(COLLECTORS)),
        trackers=tuple(cast("Tracker", one) for one in made(TRACKERS)),
        clusters=tuple(spec for spec in specs if spec.kind == "kubernetes"),
        sessions={
            kind: {spec.name: cast("SessionServer", _made(entry, spec, given)) for spec in specs if spec.kind == kind}
            for kind, entry in SESSIONS.items()
        },
        statements={
            config.name: (cast("StatementServer", _made(STATEMENTS[config.kind], spec, given)), config.statements)
            for config in catalog.systems.values()
            if config.statements and config.kind in STATEMENTS
            for spec in (_acting(spec_of(config, catalog, environment=environment), config, environment),)
        },
        desks={desk.name: desk for desk in (cast("IssueDesk", one) for one in made(DESKS))},
        endpoints=tuple(_endpoints(catalog)),
    )


def _acting(spec: SystemSpec, config: SystemConfig, environment: Mapping[str, str]) -> SystemSpec:
    """Return a system as the account that carries statements out there."""
    secret = environment.get(config.statement_secret_env, "") if config.statement_secret_env else spec.secret
    return replace(spec, user=config.statement_user or spec.user, secret=secret)


def _endpoints(catalog: Catalog) -> Iterator[QuerySource]:
    """Yield the addresses that the checks of our services look at, one for each service and address."""
    for service in catalog.services.values():
        checks = [
            check for check in service.checks if check.sampler in ("http", "openmetrics") and not service.external
        ]
        bases = {f"{parts.scheme}://{parts.netloc}": parts for check in checks if (parts := urlsplit(check.target))}
        for base, parts in bases.items():
            if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
                spec = SystemSpec(name=service.name, kind="http", url=base, services=(service.name,))
                yield cast("QuerySource", _made(SOURCES["http"], spec, {}))


def spec_of(
    config: SystemConfig, catalog: Catalog, *, environment: Mapping[str, str], data: Path | None = None
) -> SystemSpec:
    """Return a system with its secrets, which the environment holds, or with the file in which they are granted."""
    settings = {name: str(getattr(config, name)) for name in _SETTINGS if getattr(config, name)}
    if config.kind in DESKS:
        settings |= {name: str(getattr(config, name)) for name in _TRACKER}
        settings |= {"write_back": " ".join(config.write_back), "seer": "true" if config.seer else ""}
        settings |= {"command": json.dumps(config.command)} if config.command else {}
    settings |= {name: str(Path(catalog.root) / getattr(config, name)) for name in _PATHS if getattr(config, name)}
    if config.kind in GRANTED and config.secret_env:
        settings["secret_env"] = config.secret_env
    if config.kind in GRANTED and data is not None:
        settings["secrets"] = str(data / "secrets" / f"{config.kind}-{config.name}.json")
    return SystemSpec(
        name=config.name,
        kind=config.kind,
        url=environment.get(config.url_env, "") if config.url_env else config.url,
        user=config.user,
        secret=environment.get(config.secret_env, "") if config.secret_env else "",
        services=config.services,
        settings=settings,
        timeout_s=config.timeout_s,
    )


def _made(entry: tuple[str, str, str], spec: SystemSpec, given: Mapping[str, object]) -> object:
    module, name, needs = entry
    make = cast("Callable[..., object]", getattr(importlib.import_module(f"stanch.integrations.{module}"), name))
    return make(spec, **{needs: given[needs]}) if needs else make(spec)
