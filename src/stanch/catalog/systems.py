"""Systems that evidence is read from: their record, their keys, and what their values must mean."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.errortracker import TRACKER, complain_of_tracker
from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean

SYSTEM_KINDS: Final = {
    "postgresql": ("postgresql", "postgres"),
    "mysql": ("mysql", "mariadb"),
    "sqlite": (),
    "redis": ("redis", "rediss"),
    "rabbitmq": ("http", "https"),
    "nginx": ("http", "https"),
    "prometheus": ("http", "https"),
    "http": ("http", "https"),
    "github": ("http", "https"),
    "gitlab": ("http", "https"),
    "sentry": ("http", "https"),
    "sentry-mcp": ("http", "https"),
    "launchdarkly": ("http", "https"),
    "unleash": ("http", "https"),
    "flagd": (),
    "kubernetes": (),
    "journald": (),
    "linux": (),
    "jvm": (),
    "python": (),
}
"""What a system may be, with the schemes of its URL; none where it has no URL."""

_NEEDED: Final = {
    "postgresql": ("url",),
    "mysql": ("url",),
    "sqlite": ("path",),
    "redis": ("url",),
    "rabbitmq": ("url",),
    "nginx": ("url",),
    "prometheus": ("url",),
    "http": ("url",),
    "github": ("project",),
    "gitlab": ("project",),
    "sentry": ("organization",),
    "sentry-mcp": ("organization",),
    "launchdarkly": ("project",),
    "unleash": ("url",),
    "flagd": ("path",),
    "jvm": ("pid",),
    "python": ("pid",),
}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_{][\w.@:=,/{}!() -]{0,250}")
# They become one argument of a program, or a part of a path; no option may hide there.
_PLAIN_KEYS: Final = (
    *("namespace", "context", "selector", "unit", "project", "organization", "environment", "vhost", "path"),
)

SYSTEM: Final = (
    Key(name="kind", type=Type.TEXT, doc="What it is; by default the key.", words=tuple(SYSTEM_KINDS)),
    Key(name="url", type=Type.TEXT, doc="Where it is, e.g. `postgresql://stanch@db:5432/orders`; without a password."),
    Key(name="url_env", type=Type.TEXT, doc="The environment variable that holds the URL, where it is secret itself."),
    Key(name="user", type=Type.TEXT, doc="Who asks, where the URL does not say."),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable that holds the password or token."),
    Key(name="services", type=Type.TEXTS, doc="Which services use it; by default every question is put to it."),
    Key(name="namespace", type=Type.TEXT, doc="For `kubernetes`: the namespace."),
    Key(name="context", type=Type.TEXT, doc="For `kubernetes`: the context of the kubeconfig; by default its own."),
    Key(name="kubeconfig", type=Type.TEXT, doc="For `kubernetes`: path of the kubeconfig; by default kubectl's."),
    Key(
        name="selector",
        type=Type.TEXT,
        doc="For `kubernetes`: labels of a service's pods, `{service}` is its name; for their logs.",
    ),
    Key(name="unit", type=Type.TEXT, doc="For `journald`: the unit of a service, `{service}` is its name."),
    Key(name="pid", type=Type.TEXT, doc="For `jvm` and `python`: number of the process."),
    Key(name="vhost", type=Type.TEXT, doc="For `rabbitmq`: the virtual host."),
    Key(
        name="project",
        type=Type.TEXT,
        doc="For `github` and `gitlab`: `owner/name` of the repository. For `sentry`: the slug of a service's project, "
        "`{service}` is its name, and the default. For `launchdarkly` and `unleash`: the project of the flags.",
    ),
    Key(name="organization", type=Type.TEXT, doc="For `sentry` and `sentry-mcp`: the slug of the organization."),
    *TRACKER,
    Key(
        name="environment",
        type=Type.TEXT,
        doc="For `github`, `gitlab`, `sentry`, `launchdarkly`, `unleash`: this environment alone.",
    ),
    Key(
        name="path",
        type=Type.TEXT,
        doc="For `flagd`: the file with the flags, in a git repository. For `sqlite`: the database, on this machine.",
    ),
    Key(name="ca_file", type=Type.TEXT, doc="For `http`: the certificates that are believed; by default the system's."),
    Key(
        name="statements",
        type=Type.TEXTS,
        doc="For databases: statements that a runbook may plan here, `?` for what is bound, `*` for anything.",
    ),
    Key(name="statement_user", type=Type.TEXT, doc="Who carries them out; by default `user`."),
    Key(name="statement_secret_env", type=Type.TEXT, doc="The environment variable with that account's password."),
    Key(name="timeout_s", type=Type.SECONDS, doc="How long all its queries may take in a look.", low=0.1, high=60),
)


@dataclass(frozen=True, kw_only=True)
class SystemConfig:
    """A system. The secret is in the environment variable `secret_env`, and never here."""

    name: str
    kind: str = ""
    url: str = ""
    url_env: str = ""
    user: str = ""
    secret_env: str = ""
    services: tuple[str, ...] = ()
    namespace: str = "default"
    context: str = ""
    kubeconfig: str = ""
    selector: str = "app={service}"
    unit: str = "{service}"
    pid: str = ""
    vhost: str = "/"
    project: str = ""
    organization: str = ""
    write_back: tuple[str, ...] = ()
    assign_to: str = "{team}"
    resolve_as: str = "resolved"
    seer: bool = False
    seer_per_incident: int = 1
    seer_per_day: int = 5
    seer_wait_s: float = 900.0
    command: tuple[str, ...] = ()
    environment: str = ""
    path: str = ""
    ca_file: str = ""
    statements: tuple[str, ...] = ()
    statement_user: str = ""
    statement_secret_env: str = ""
    timeout_s: float = 8.0


def kind_of(name: str, table: object) -> str:
    """Return the kind of the system `name` as its table says, right or wrong."""
    given = table.get("kind") if isinstance(table, dict) else None
    return given if isinstance(given, str) else name


def read_system(reader: Reader, *, name: str, services: Sequence[str]) -> dict[str, object]:
    """Return the fields of a system; complain of what it lacks and of what is no place for a secret."""
    kind = reader.kind(default=name)
    if kind is None:
        return {}
    if kind not in SYSTEM_KINDS:
        reader.complain("kind", f"must be one of {', '.join(SYSTEM_KINDS)}{did_you_mean(kind, tuple(SYSTEM_KINDS))}")
    for needed in _NEEDED.get(kind, ()):
        if not reader.text(needed) and not (needed == "url" and reader.text("url_env")):
            reader.complain(needed, f"is missing: {kind} needs it")
    if url := reader.text("url"):
        _complain_of_url(reader, url, schemes=SYSTEM_KINDS.get(kind, ()))
    for key in ("url_env", "secret_env", "statement_secret_env"):
        if (variable := reader.text(key)) and not _VARIABLE.fullmatch(variable):
            reader.complain(key, "must be the name of an environment variable; the secret itself is never here")
    for key in _PLAIN_KEYS:
        # The one file that may stand anywhere; where it stands is no part of a command line.
        value = reader.text(key)
        plain = value.removeprefix("/") if (kind, key) == ("sqlite", "path") else value
        if value and not (_PLAIN.fullmatch(plain) or (key == "vhost" and value == "/")):
            reader.complain(key, f"must be plain text that does not begin with a dash, not {value!r}")
    if reader.texts("statements") and kind not in ("postgresql", "mysql"):
        reader.complain("statements", f"is not used by {kind}: only a database takes them")
    complain_of_tracker(reader, kind=kind)
    if (pid := reader.text("pid")) and not pid.isdigit():
        reader.complain("pid", "must be the number of a process")
    for service in reader.texts("services"):
        if service not in services:
            reader.complain("services", f"names no service: {service!r}{did_you_mean(service, services)}")
    return {**reader.given(), "name": name, "kind": kind}


def _complain_of_url(reader: Reader, url: str, *, schemes: Sequence[str]) -> None:
    try:
        parts = urlsplit(url)
        password, host = parts.password, parts.hostname
    except ValueError as error:
        reader.complain("url", f"is not a URL: {error}")
        return
    if not schemes:
        reader.complain("url", "is not used by this kind")
    elif parts.scheme not in schemes or (not host and schemes[0] not in ("postgresql", "redis")):
        reader.complain("url", f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and name a host")
    elif password:
        reader.complain("url", "must hold no password: name an environment variable in `secret_env`")
