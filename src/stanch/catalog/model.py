"""Records of the catalog, as `stanch.toml` declares them."""

from dataclasses import dataclass, field

from stanch.catalog.acting import Approvals, Automatic, Guard
from stanch.catalog.alerting import Alerting, Heartbeat
from stanch.catalog.channels import ChannelSpec, Comms, StakeholderSpec
from stanch.catalog.checks import Check
from stanch.catalog.inbox import MailSpec, ReportSpec
from stanch.catalog.maintenance import MaintenanceSpec
from stanch.catalog.oncall import Method, NotifyRule, OnCall
from stanch.catalog.pagers import PagerSpec
from stanch.catalog.runbooks import Runbooks
from stanch.catalog.status import StatusSpec
from stanch.catalog.systems import SystemConfig
from stanch.catalog.thinker import ThinkerSpec
from stanch.catalog.trackers import TrackerSpec
from stanch.catalog.tree import SHIPPED_TREE, Branch
from stanch.catalog.watchdog import Watchdog
from stanch.catalog.writeup import WriteUp

__all__ = [
    "ActionSpec",
    "Catalog",
    "ChannelSpec",
    "Check",
    "Person",
    "Service",
    "SourceSpec",
    "StakeholderSpec",
    "Thresholds",
    "Timing",
]


@dataclass(frozen=True, kw_only=True)
class ActionSpec:
    """Something that may be done to a service, declared by its owner. Arguments are a list; no shell reads them.

    `mitigation` is the word of the decision tree it serves (`rollback`, `rollback_config`, `restart`,
    `circuit_breaker`, `scale_up`, ...). `{service}`, `{version}`, `{previous}` and `{change}` in an argument are
    filled from the diagnosis, each into its one argument. `then` are further commands, run in order after `run`
    while each succeeds.

    `uses` names what carries it out: `command` runs `run`; any other is given `settings`, filled in the same way, and
    `undo_settings` take it back. One that is `automatic` runs without a person's yes while every line of its `guard`
    holds.
    """

    name: str
    mitigation: str
    title: str
    run: tuple[str, ...] = ()
    uses: str = "command"
    settings: dict[str, str] = field(default_factory=dict)
    undo_settings: dict[str, str] = field(default_factory=dict)
    then: tuple[tuple[str, ...], ...] = ()
    dry_run: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    risk: str = "high"
    cwd: str = ""
    timeout_s: float = 60.0
    effect: str = ""
    automatic: bool = False
    guard: Guard = field(default_factory=Guard)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service. `weight` is its share of the business, 0..1; an `external` one is somebody else's.

    `policy` and `specialists` say who is paged about it. With `unseen_declares` that no check sees it is an incident.
    """

    name: str
    title: str = ""
    description: str = ""
    tier: int = 2
    weight: float = 0.5
    external: bool = False
    team: str = ""
    environment: str = "production"
    depends_on: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    repository: str = ""
    paths: tuple[str, ...] = ()
    deploy_log: str = ""
    status_page: str = ""
    logs: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    unseen_declares: bool = False
    actions: tuple[ActionSpec, ...] = ()
    policy: str = ""
    specialists: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who can be given a role, can approve and can be on call.

    `zone` is theirs, empty for the installation's; in `quiet_hours` (there) only SEV1 pages reach them. `calendar` is
    the path or URL of an iCalendar file with their time off, `holidays` a country such as `FI`, or such a file. `chat`
    is who they are in a chat, by its kind.
    """

    id: str
    name: str = ""
    email: str = ""
    teams: tuple[str, ...] = ()
    zone: str = ""
    methods: tuple[Method, ...] = ()
    rules: tuple[NotifyRule, ...] = ()
    quiet_hours: tuple[str, str] | None = None
    calendar: str = ""
    holidays: str = ""
    chat: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """A sender of alerts or changes, posted to `/hooks/<name>`. `kind` says how it is understood.

    The secret is in the environment variable `secret_env` and never here. `topics` are those of CloudWatch. The paths
    below them are for `kind = "json"`; `severity` and `service` stand in where the sender says none.
    """

    name: str
    kind: str = ""
    secret_env: str = ""
    topics: tuple[str, ...] = ()
    severity: str = ""
    service: str = ""
    items: str = ""
    title_at: str = "title"
    status_at: str = ""
    resolved: tuple[str, ...] = ("resolved", "ok", "closed", "up", "recovered")
    severity_at: str = ""
    service_at: str = ""
    summary_at: str = ""
    url_at: str = ""
    started_at: str = ""
    id_at: str = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """When a reading is an alert: the shipped defaults of D2, each beside the factor over normal it must also exceed.

    Ratios are 0..1, latency is milliseconds; `for_s` is how long the condition must hold, in seconds.
    """

    error_ratio: float = 0.05
    error_factor: float = 3.0
    latency_p95_ms: float = 1000.0
    latency_factor: float = 2.0
    saturation: float = 0.8
    memory: float = 0.8
    disk: float = 0.9
    for_s: float = 60.0
    resolve_for_s: float = 120.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Windows in seconds. The verification window is per severity, SEV1 first; an entry shorter than the shipped one
    is said to be shortened, with `shortened_because`. The alert of a fault that was resolved `reopen_s` ago or less
    takes its incident up again; with 0 it always declares another."""

    verification_s: tuple[float, float, float, float] = (1800.0, 900.0, 900.0, 900.0)
    shortened_because: str = ""
    baseline_s: float = 3600.0
    detect_window_s: float = 60.0
    investigation_s: float = 20.0
    approval_s: float = 900.0
    remeasure_s: float = 60.0
    reopen_s: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything that is configured. `root` is the folder that relative paths in it start from."""

    name: str = "stanch"
    root: str = "."
    zone: str = "UTC"
    status_page: str = ""
    url: str = ""
    war_room: str = ""
    revenue_per_hour: float = 0.0
    currency: str = ""
    links: dict[str, str] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, ChannelSpec] = field(default_factory=dict)
    stakeholders: dict[str, StakeholderSpec] = field(default_factory=dict)
    comms: Comms = field(default_factory=Comms)
    sources: dict[str, SourceSpec] = field(default_factory=dict)
    systems: dict[str, SystemConfig] = field(default_factory=dict)
    packs: str = "packs"
    programs: tuple[str, ...] = ()
    redact_emails: bool = False
    alerting: Alerting = field(default_factory=Alerting)
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    pagers: dict[str, PagerSpec] = field(default_factory=dict)
    watchdog: Watchdog = field(default_factory=Watchdog)
    runbooks: Runbooks = field(default_factory=Runbooks)
    oncall: OnCall = field(default_factory=OnCall)
    maintenance: dict[str, MaintenanceSpec] = field(default_factory=dict)
    mail: MailSpec = field(default_factory=MailSpec)
    report: ReportSpec = field(default_factory=ReportSpec)
    status: StatusSpec = field(default_factory=StatusSpec)
    postmortem: WriteUp = field(default_factory=WriteUp)
    thinker: ThinkerSpec = field(default_factory=ThinkerSpec)
    trackers: dict[str, TrackerSpec] = field(default_factory=dict)
    approvals: Approvals = field(default_factory=Approvals)
    tree: tuple[Branch, ...] = field(default_factory=lambda: SHIPPED_TREE)
    automatic: Automatic = field(default_factory=Automatic)
    thresholds: Thresholds = field(default_factory=Thresholds)
    timing: Timing = field(default_factory=Timing)
    drill: bool = False
