"""Every key that `stanch.toml` may hold: its type, its bounds, what it means. The documentation is tested against it.

Owns the list only: reading is `reader`, the records are `model`, where the defaults stand that are given here too.
"""

from dataclasses import MISSING, fields
from typing import Final

from stanch.catalog.acting import APPROVALS, AUTOMATIC, GUARD, RUNBOOK, Approvals, Automatic, AutomaticRunbook, Guard
from stanch.catalog.actuators import ACTUATORS
from stanch.catalog.alerting import Alerting, Heartbeat
from stanch.catalog.alerting_keys import ALERTING, HEARTBEAT
from stanch.catalog.channels import CHANNEL, COMMS, STAKEHOLDER, ChannelSpec, Comms, StakeholderSpec
from stanch.catalog.check_keys import (
    CHECK,
    DNS,
    HTTP,
    JOURNEY,
    JOURNEY_STEP,
    KINDS,
    LOGPATTERN,
    PROMQL,
    SERIES_RULE,
    TCP,
    TLS,
)
from stanch.catalog.checks import Check, Rule
from stanch.catalog.inbox import MAIL, MAIL_RULE, REPORT, MailRule, MailSpec, ReportSpec
from stanch.catalog.key import Key, Type
from stanch.catalog.maintenance import MAINTENANCE, MaintenanceSpec
from stanch.catalog.model import (
    ActionSpec,
    Catalog,
    Person,
    Service,
    SourceSpec,
    Thresholds,
    Timing,
)
from stanch.catalog.oncall import Layer, NotifyRule, OnCall, Policy, Schedule, SeverityPaging, Step, Stint, Window
from stanch.catalog.oncall_keys import LAYER, ONCALL, POLICY, RULE, SCHEDULE, SEVERITY, STEP, STINT, WINDOW
from stanch.catalog.pagers import PAGER, PagerSpec
from stanch.catalog.runbooks import RUNBOOKS, Runbooks
from stanch.catalog.status import COMPONENT, STATUS, ComponentSpec, StatusSpec
from stanch.catalog.systems import SYSTEM, SystemConfig
from stanch.catalog.thinker import THINKER, ThinkerSpec
from stanch.catalog.trackers import TRACKER, TrackerSpec
from stanch.catalog.tree import BRANCH, WHEN, Branch, When
from stanch.catalog.watchdog import WATCHDOG, Watchdog
from stanch.catalog.writeup import POSTMORTEM, WriteUp
from stanch.ports.checks import (
    DnsCheck,
    HttpCheck,
    JourneyCheck,
    JourneyStep,
    LogCheck,
    PromqlCheck,
    TcpCheck,
    TlsCheck,
)

__all__ = ["CHECK", "Key", "Type"]


SAMPLERS: Final = tuple(KINDS)
"""What a check may be read with, as shipped."""

RISKS: Final = ("read", "low", "high", "irreversible")
MITIGATIONS: Final = (
    "rollback",
    "rollback_config",
    "rollback_migration",
    "flag_off",
    "hotfix",
    "restart",
    "scale_up",
    "scale_down",
    "circuit_breaker",
    "traffic_shift",
    "rate_limit",
    "failover",
    "revert",
    "kill_queries",
    "read_replica",
    "raise_pool",
    "serve_cached",
)
"""Words of the decision tree that an action can serve (M2)."""

ROOT: Final = (
    Key(name="name", type=Type.TEXT, doc="What this installation is called; shown in titles and messages."),
    Key(name="root", type=Type.TEXT, doc="Folder that relative paths start from; by default that of this file."),
    Key(name="zone", type=Type.TEXT, doc="Time zone that people read, an IANA name such as `Europe/Berlin`."),
    Key(name="status_page", type=Type.TEXT, doc="Where customers read; pinned in the incident's channel."),
    Key(name="url", type=Type.TEXT, doc="Where people reach this server; every link begins with it."),
    Key(name="war_room", type=Type.TEXT, doc="Where responders meet, e.g. a call; pinned as well."),
    Key(name="revenue_per_hour", type=Type.NUMBER, doc="What all services together earn in an hour.", low=0),
    Key(name="currency", type=Type.TEXT, doc="What it is earned in, e.g. `EUR`."),
    Key(name="links", type=Type.TABLE, doc='Pages elsewhere with placeholders, `Grafana = "https://..."`; see Links.'),
    Key(name="drill", type=Type.BOOLEAN, doc="This is an exercise: every message and page says so."),
    Key(name="services", type=Type.TABLES, doc="The services by name, `[services.payments]`."),
    Key(name="people", type=Type.TABLES, doc="Who can be given a role and can approve, `[people.alice]`."),
    Key(name="channels", type=Type.TABLES, doc="Where messages go, `[channels.incidents]`."),
    Key(name="stakeholders", type=Type.TABLES, doc="Who is told of which services, `[stakeholders.merchants]`."),
    Key(name="comms", type=Type.TABLE, doc="Who keeps updates coming."),
    Key(name="sources", type=Type.TABLES, doc="Senders of alerts and changes, `[sources.sentry]`."),
    Key(name="systems", type=Type.TABLES, doc="What evidence is read from, `[systems.orders-db]`."),
    Key(name="packs", type=Type.TEXT, doc="Folder of own query packs, which replace and add to the shipped ones."),
    Key(name="programs", type=Type.TEXTS, doc="Programs that commands may run, as they are called; by default any."),
    Key(name="redact_emails", type=Type.BOOLEAN, doc="Take e-mail addresses out of what is stored, as secrets are."),
    Key(name="alerting", type=Type.TABLE, doc="What alerts from outside lead to."),
    Key(name="heartbeats", type=Type.TABLES, doc="What must be heard regularly, `[heartbeats.backup]`."),
    Key(name="pagers", type=Type.TABLES, doc="Providers that pages go through, `[pagers.twilio]`."),
    Key(name="watchdog", type=Type.TABLE, doc="What watches Stanch itself."),
    Key(name="runbooks", type=Type.TABLE, doc="How runbooks are kept working."),
    Key(name="oncall", type=Type.TABLE, doc="Who is on call and who is paged; also in files in `oncall/`."),
    Key(name="maintenance", type=Type.TABLES, doc="When something is expected to fail, `[maintenance.db-upgrade]`."),
    Key(name="mail", type=Type.TABLE, doc="Alerts that come by mail."),
    Key(name="report", type=Type.TABLE, doc="The form for customers' reports."),
    Key(name="status", type=Type.TABLE, doc="The status page of its own."),
    Key(name="postmortem", type=Type.TABLE, doc="How post-mortems are written and reviewed."),
    Key(name="thinker", type=Type.TABLE, doc="Which language model may be asked, and for what; none by default."),
    Key(name="trackers", type=Type.TABLES, doc="Where action items have their tickets, `[trackers.github]`."),
    Key(name="approvals", type=Type.TABLE, doc="How many people must say yes to an action."),
    Key(name="tree", type=Type.LIST_OF_TABLES, doc="The decision tree, `[[tree]]`; or in the file `tree.toml`."),
    Key(name="automatic", type=Type.TABLE, doc="What holds for all actions that run by themselves."),
    Key(name="thresholds", type=Type.TABLE, doc="When a reading is an alert."),
    Key(name="timing", type=Type.TABLE, doc="Windows and how long things may take."),
)

SERVICE: Final = (
    Key(name="title", type=Type.TEXT, doc="The name that people read; by default the key."),
    Key(name="description", type=Type.TEXT, doc="What it does, in a sentence."),
    Key(name="tier", type=Type.INTEGER, doc="1 is critical: a failure of it alone is SEV1 or SEV2.", low=1, high=4),
    Key(name="weight", type=Type.RATIO, doc="Its share of the business.", low=0, high=1),
    Key(name="external", type=Type.BOOLEAN, doc="Somebody else runs it; nothing can be rolled back there."),
    Key(name="team", type=Type.TEXT, doc="Who owns it."),
    Key(name="environment", type=Type.TEXT, doc="Where it runs."),
    Key(name="depends_on", type=Type.TEXTS, doc="The services it calls. Each must be declared; cycles are allowed."),
    Key(name="endpoints", type=Type.TEXTS, doc="Paths that it answers, so that a report naming one finds it."),
    Key(name="repository", type=Type.TEXT, doc="Folder of its git repository."),
    Key(name="paths", type=Type.TEXTS, doc="Its part of the repository; empty means all of it."),
    Key(name="deploy_log", type=Type.TEXT, doc="File to which each deploy adds one line of JSON."),
    Key(name="health", type=Type.TEXT, doc="URL of its health end point; becomes a check read with `http`."),
    Key(name="metrics", type=Type.TEXT, doc="URL of its OpenMetrics page; becomes a check read with `openmetrics`."),
    Key(
        name="logs", type=Type.TEXTS, doc="Its log files, one JSON object a line; each becomes a check with `jsonlog`."
    ),
    Key(name="check_every_s", type=Type.SECONDS, doc="How often the checks above look; 15 s.", low=0.2, high=86_400),
    Key(name="status_page", type=Type.TEXT, doc="Status page of an external service."),
    Key(name="checks", type=Type.LIST_OF_TABLES, doc="Further checks, `[[services.payments.checks]]`."),
    Key(name="rules", type=Type.LIST_OF_TABLES, doc="When other series of its metrics page are an alert."),
    Key(
        name="unseen_declares",
        type=Type.BOOLEAN,
        doc="That no check sees it is an incident; for tier 1. Otherwise it is an alert alone.",
    ),
    Key(name="actions", type=Type.LIST_OF_TABLES, doc="What may be done to it, `[[services.payments.actions]]`."),
    Key(name="policy", type=Type.TEXT, doc="Its escalation policy; by default that of `[oncall]`."),
    Key(name="specialists", type=Type.TEXTS, doc="Who is paged too where a severity asks for a specialist: targets."),
)

ACTION: Final = (
    Key(name="name", type=Type.TEXT, doc="Its name within the service.", required=True),
    Key(
        name="mitigation",
        type=Type.TEXT,
        doc="The word of the decision tree that it serves, e.g. `rollback`.",
        required=True,
        words=MITIGATIONS,
    ),
    Key(name="title", type=Type.TEXT, doc="What it does, in words; by default its name."),
    Key(name="run", type=Type.TEXTS, doc="The command, an argument each; no shell reads it."),
    Key(name="uses", type=Type.TEXT, doc="What carries it out, instead of a command.", words=ACTUATORS),
    Key(name="settings", type=Type.TABLE, doc="What `uses` is told, a text each; filled in as in `run`."),
    Key(name="undo_settings", type=Type.TABLE, doc="What `uses` is told to take it back."),
    Key(name="then", type=Type.LISTS_OF_TEXTS, doc="Commands to run after `run`, in order, while each succeeds."),
    Key(name="dry_run", type=Type.TEXTS, doc="The command that shows what `run` would do."),
    Key(name="undo", type=Type.TEXTS, doc="The command that takes it back."),
    Key(name="risk", type=Type.TEXT, doc="`read`, `low`, `high` or `irreversible`.", words=RISKS),
    Key(name="cwd", type=Type.TEXT, doc="Folder to run in; by default `root`."),
    Key(name="timeout_s", type=Type.SECONDS, doc="When it is stopped.", low=0.1, high=86_400),
    Key(name="effect", type=Type.TEXT, doc="What should be better afterwards, in words."),
    Key(name="automatic", type=Type.BOOLEAN, doc="It may run by itself, as far as its guard allows."),
    Key(name="guard", type=Type.TABLE, doc="When it may run by itself."),
)

PERSON: Final = (
    Key(name="name", type=Type.TEXT, doc="The name to show; by default the key."),
    Key(name="email", type=Type.TEXT, doc="Their address."),
    Key(name="teams", type=Type.TEXTS, doc="The teams they are in."),
    Key(name="zone", type=Type.TEXT, doc="Their time zone; by default the installation's."),
    Key(
        name="methods",
        type=Type.TABLE,
        doc="How to reach them: an address for a kind (`push`, `email`, `sms`, `voice`, `slack`, `matrix`, `webhook`, "
        '`apprise`), or `{kind = "sms", address = "+358..."}` under any name.',
    ),
    Key(name="rules", type=Type.LIST_OF_TABLES, doc="Which method when; by default all at once."),
    Key(name="quiet_hours", type=Type.CLOCKS, doc="When only urgent pages reach them, in their zone."),
    Key(name="calendar", type=Type.TEXT, doc="Their time off: an iCalendar file or URL."),
    Key(name="holidays", type=Type.TEXT, doc="Their public holidays: a country (`FI`, `DE-BY`) or an iCalendar file."),
    Key(name="chat", type=Type.TABLE, doc='Who they are in a chat, `slack = "U012AB3CD"`; `matrix`, `mattermost`.'),
)

SOURCE_KINDS: Final = (
    "alertmanager",
    "argocd",
    "cloudwatch",
    "datadog",
    "github",
    "gitlab",
    "googlecloud",
    "grafana",
    "healthchecks",
    "json",
    "newrelic",
    "opsgenie",
    "pagerduty",
    "pagerduty-events",
    "pingdom",
    "sentry",
    "uptimerobot",
)
"""How a sender may be understood, as shipped."""

SOURCE: Final = (
    Key(name="kind", type=Type.TEXT, doc="What posts there, e.g. `grafana`; by default the key.", words=SOURCE_KINDS),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable that holds the secret or token."),
    Key(name="topics", type=Type.TEXTS, doc="ARNs of the SNS topics that `cloudwatch` takes and confirms."),
    Key(name="severity", type=Type.TEXT, doc="Severity of its alerts when it says none, e.g. `critical`."),
    Key(name="service", type=Type.TEXT, doc="Service of its alerts when it says none."),
    Key(name="items", type=Type.TEXT, doc="For `json`: dotted path of the list of alerts; by default the whole body."),
    Key(name="title_at", type=Type.TEXT, doc="For `json`: dotted path of the alert's name, e.g. `rule.name`."),
    Key(name="status_at", type=Type.TEXT, doc="... of its status; without one everything fires."),
    Key(name="resolved", type=Type.TEXTS, doc="Values of the status, in lower case, that mean that it is over."),
    Key(name="severity_at", type=Type.TEXT, doc="... of its severity."),
    Key(name="service_at", type=Type.TEXT, doc="... of its service."),
    Key(name="summary_at", type=Type.TEXT, doc="... of a sentence about it."),
    Key(name="url_at", type=Type.TEXT, doc="... of a page about it."),
    Key(name="started_at", type=Type.TEXT, doc="... of its start."),
    Key(name="id_at", type=Type.TEXT, doc="... of what tells it apart from others of the same name."),
    Key(name="labels", type=Type.TABLE, doc='... of further labels, by their name here: `{team = "tags.team"}`.'),
)

THRESHOLDS: Final = (
    Key(
        name="error_ratio", type=Type.RATIO, doc="Share of failing requests above which it is an alert.", low=0, high=1
    ),
    Key(name="error_factor", type=Type.NUMBER, doc="... and how many times normal it must be.", low=1),
    Key(name="latency_p95_ms", type=Type.NUMBER, doc="P95 in milliseconds above which it is an alert.", low=0),
    Key(name="latency_factor", type=Type.NUMBER, doc="... and how many times normal it must be.", low=1),
    Key(name="saturation", type=Type.RATIO, doc="Share of a pool or other resource in use.", low=0, high=1),
    Key(name="memory", type=Type.RATIO, doc="The same for memory.", low=0, high=1),
    Key(name="disk", type=Type.RATIO, doc="The same for disks.", low=0, high=1),
    Key(name="for_s", type=Type.SECONDS, doc="How long it must hold before it is an alert.", low=0, high=86_400),
    Key(name="resolve_for_s", type=Type.SECONDS, doc="How long it must be well before it ends.", low=0, high=86_400),
)

TIMING: Final = (
    Key(
        name="verification_s",
        type=Type.SECONDS_BY_SEVERITY,
        doc="How long all must be well before an incident counts as verified.",
        low=1,
        high=86_400,
    ),
    Key(name="shortened_because", type=Type.TEXT, doc="Why `verification_s` is shorter than shipped; it is shown."),
    Key(name="baseline_s", type=Type.SECONDS, doc="How far back normal is taken from.", low=10, high=2_592_000),
    Key(name="detect_window_s", type=Type.SECONDS, doc="The window that alerts are judged on.", low=1, high=86_400),
    Key(name="investigation_s", type=Type.SECONDS, doc="Budget of one round of collectors.", low=1, high=3_600),
    Key(name="approval_s", type=Type.SECONDS, doc="How long an approval stays good.", low=1, high=86_400),
    Key(name="remeasure_s", type=Type.SECONDS, doc="How often the impact is measured again.", low=1, high=86_400),
    Key(
        name="reopen_s",
        type=Type.SECONDS,
        doc="How long after its end the same fault's alert takes an incident up again; 0: never.",
        low=0,
        high=604_800,
    ),
)

SECTIONS: Final[dict[str, tuple[Key, ...]]] = {
    "": ROOT,
    "services.<name>": SERVICE,
    "services.<name>.checks": CHECK,
    "services.<name>.checks (http)": HTTP,
    "services.<name>.checks (journey)": JOURNEY,
    "services.<name>.checks.steps": JOURNEY_STEP,
    "services.<name>.checks (tcp)": TCP,
    "services.<name>.checks (tls)": TLS,
    "services.<name>.checks (dns)": DNS,
    "services.<name>.checks (logpattern)": LOGPATTERN,
    "services.<name>.checks (promql)": PROMQL,
    "services.<name>.rules": SERIES_RULE,
    "services.<name>.actions": ACTION,
    "services.<name>.actions.guard": GUARD,
    "people.<id>": PERSON,
    "people.<id>.rules": RULE,
    "channels.<name>": CHANNEL,
    "stakeholders.<name>": STAKEHOLDER,
    "comms": COMMS,
    "sources.<name>": SOURCE,
    "systems.<name>": SYSTEM,
    "pagers.<name>": PAGER,
    "watchdog": WATCHDOG,
    "runbooks": RUNBOOKS,
    "alerting": ALERTING,
    "heartbeats.<name>": HEARTBEAT,
    "maintenance.<name>": MAINTENANCE,
    "mail": MAIL,
    "mail.rules": MAIL_RULE,
    "report": REPORT,
    "status": STATUS,
    "status.components.<service>": COMPONENT,
    "postmortem": POSTMORTEM,
    "thinker": THINKER,
    "trackers.<name>": TRACKER,
    "approvals": APPROVALS,
    "tree": BRANCH,
    "tree.when": WHEN,
    "automatic": AUTOMATIC,
    "automatic.runbooks": RUNBOOK,
    "thresholds": THRESHOLDS,
    "timing": TIMING,
    "oncall": ONCALL,
    "oncall.schedules.<name>": SCHEDULE,
    "oncall.schedules.<name>.layers": LAYER,
    "oncall.schedules.<name>.layers.restrictions": WINDOW,
    "oncall.schedules.<name>.overrides": STINT,
    "oncall.policies.<name>": POLICY,
    "oncall.policies.<name>.steps": STEP,
    "oncall.severities.<severity>": SEVERITY,
}
"""The tables of the file, in the order in which they are documented."""

MODELS: Final[dict[str, type]] = {
    "": Catalog,
    "services.<name>": Service,
    "services.<name>.checks": Check,
    "services.<name>.checks (http)": HttpCheck,
    "services.<name>.checks (journey)": JourneyCheck,
    "services.<name>.checks.steps": JourneyStep,
    "services.<name>.checks (tcp)": TcpCheck,
    "services.<name>.checks (tls)": TlsCheck,
    "services.<name>.checks (dns)": DnsCheck,
    "services.<name>.checks (logpattern)": LogCheck,
    "services.<name>.checks (promql)": PromqlCheck,
    "services.<name>.rules": Rule,
    "services.<name>.actions": ActionSpec,
    "services.<name>.actions.guard": Guard,
    "people.<id>": Person,
    "people.<id>.rules": NotifyRule,
    "channels.<name>": ChannelSpec,
    "stakeholders.<name>": StakeholderSpec,
    "comms": Comms,
    "sources.<name>": SourceSpec,
    "systems.<name>": SystemConfig,
    "pagers.<name>": PagerSpec,
    "watchdog": Watchdog,
    "runbooks": Runbooks,
    "alerting": Alerting,
    "heartbeats.<name>": Heartbeat,
    "maintenance.<name>": MaintenanceSpec,
    "mail": MailSpec,
    "mail.rules": MailRule,
    "report": ReportSpec,
    "status": StatusSpec,
    "status.components.<service>": ComponentSpec,
    "postmortem": WriteUp,
    "thinker": ThinkerSpec,
    "trackers.<name>": TrackerSpec,
    "approvals": Approvals,
    "tree": Branch,
    "tree.when": When,
    "automatic": Automatic,
    "automatic.runbooks": AutomaticRunbook,
    "thresholds": Thresholds,
    "timing": Timing,
    "oncall": OnCall,
    "oncall.schedules.<name>": Schedule,
    "oncall.schedules.<name>.layers": Layer,
    "oncall.schedules.<name>.layers.restrictions": Window,
    "oncall.schedules.<name>.overrides": Stint,
    "oncall.policies.<name>": Policy,
    "oncall.policies.<name>.steps": Step,
    "oncall.severities.<severity>": SeverityPaging,
}
"""The record that each table becomes."""


def default_of(section: str, key: str) -> object:
    """Return the shipped default of a key, or None where it has none (required, a table, or given by another key)."""
    found = {field.name: field.default for field in fields(MODELS[section]) if field.default is not MISSING}
    return found.get(key)
