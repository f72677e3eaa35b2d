"""What each actuator is told in `settings`: the names, which must be there, and what a value may look like.

Owns what `stanch check` can say of an action without asking anything outside. Whether it can be carried out is the
actuator's to say; an actuator that has no list here is not checked beforehand. The documentation is tested against it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

_NAME: Final = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
_BRANCH: Final = r"(?!-)[\w./-]{1,200}"
_VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,252}"
_SECONDS: Final = r"\d{1,5}(\.\d{1,3})?"
_TROUBLES: Final = r"(blocking|long|idle_in_transaction)([, ]+(blocking|long|idle_in_transaction))*"
_URL: Final = r"https?://.+"
_TRUTH: Final = ("true", "false")
_PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One text that an actuator is told. `pattern` fits all of it; one with a placeholder is checked when filled."""

    name: str
    doc: str
    required: bool = False
    words: tuple[str, ...] = ()
    pattern: str = ""


_CLUSTER: Final = (
    Setting(name="on", doc="the configured system of kind `kubernetes`; by default the only one", pattern=r"[\w.-]+"),
    Setting(name="namespace", doc="by default that of the system", pattern=_NAME),
)
_NAMED: Final = Setting(name="name", doc="the object's name", required=True, pattern=_NAME)
_REPOSITORY: Final = (
    Setting(name="repository", doc="folder of the clone; by default the service's"),
    Setting(name="branch", doc="the new branch", pattern=_BRANCH),
    Setting(name="push", doc="the remote it is pushed to", pattern=_BRANCH),
)
_COMMIT: Final = Setting(name="commit", doc="the commit to take back", required=True, pattern=r"[0-9a-f]{7,64}")
_BASE: Final = Setting(name="base", doc="the branch it is on; `main`", pattern=_BRANCH)
_REQUEST: Final = (
    _COMMIT,
    _BASE,
    *_REPOSITORY,
    Setting(name="project", doc="`owner/name`; by default that of the remote", pattern=r"(?![-/])[\w./-]{1,200}"),
    Setting(name="label", doc="the label that it gets"),
    Setting(name="incident", doc="what the text names, `{incident}`"),
    Setting(name="token_env", doc="the variable that holds the token", pattern=r"[A-Za-z_][A-Za-z0-9_]*"),
    Setting(name="url", doc="the API, for an installation of one's own", pattern=r"https?://.+"),
)

_TOKEN: Final = Setting(name="token_env", doc="the variable that holds the token", pattern=r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME: Final = Setting(name="scheme", doc="the word before the token; `Bearer`")
_FLAG: Final = (
    Setting(name="flag", doc="its name", required=True),
    Setting(name="set", doc="`on`, `off`, or a percentage", required=True, pattern=r"on|off|\d{1,3}(\.\d{1,3})?\s?%?"),
)
_SESSIONS: Final = (
    Setting(name="on", doc="the configured database", required=True, pattern=r"[\w.-]+"),
    Setting(name="which", doc="`blocking`, `long`, `idle_in_transaction`, with commas; `blocking`", pattern=_TROUBLES),
    Setting(name="at_least_s", doc="from how many seconds on; 30", pattern=_SECONDS),
    Setting(name="at_most", doc="how many at the most, up to 20; 5", pattern=r"[1-9]|1\d|20"),
    Setting(name="users", doc="only sessions of these users, with commas"),
    Setting(name="databases", doc="only sessions on these databases, with commas"),
    Setting(name="grace_s", doc="how long a cancel is given before the session is ended; 3", pattern=_SECONDS),
)


def _kind(*kinds: str) -> Setting:
    return Setting(name="kind", doc=f"`{'`, `'.join(kinds)}`; by default the first", words=kinds)


SETTINGS: Final[Mapping[str, tuple[Setting, ...]]] = MappingProxyType(
    {
        "kubernetes.undo": (
            *_CLUSTER,
            _NAMED,
            _kind("deployment", "statefulset", "daemonset"),
            Setting(name="to", doc="an image, its tag, or the name of a ReplicaSet; by default the one before"),
        ),
        "kubernetes.scale": (
            *_CLUSTER,
            _NAMED,
            _kind("deployment", "statefulset"),
            Setting(name="replicas", doc="how many, or `+2`, `-1`", required=True, pattern=r"[+-]?\d{1,4}"),
            Setting(name="most", doc="never more than these; 50", pattern=r"\d{1,4}"),
        ),
        "kubernetes.restart": (*_CLUSTER, _NAMED, _kind("deployment", "statefulset", "daemonset")),
        "kubernetes.env": (
            *_CLUSTER,
            _NAMED,
            _kind("deployment", "statefulset", "daemonset"),
            Setting(name="container", doc="by default the first", pattern=_NAME),
            Setting(name="variable", doc="the variable", required=True, pattern=_VARIABLE),
            Setting(name="value", doc="its value"),
            Setting(name="remove", doc="`true` takes it away", words=_TRUTH),
        ),
        "kubernetes.configmap": (
            *_CLUSTER,
            _NAMED,
            Setting(name="key", doc="the key", required=True, pattern=r"[-._a-zA-Z0-9]{1,253}"),
            Setting(name="value", doc="its value"),
            Setting(name="remove", doc="`true` takes it away", words=_TRUTH),
        ),
        "kubernetes.pause": (
            *_CLUSTER,
            _NAMED,
            Setting(name="paused", doc="`false` resumes; `true`", words=_TRUTH),
        ),
        "kubernetes.traffic": (
            *_CLUSTER,
            _NAMED,
            _kind("service", "ingress"),
            Setting(name="selector", doc="of a Service: all labels of its pods, `app=pay,track=stable`"),
            Setting(name="weight", doc="of a canary Ingress: its share, 0 to 100", pattern=r"\d{1,3}"),
        ),
        "systemd": (
            Setting(name="unit", doc="the unit", required=True, pattern=r"(?!-)[\w:.@\\-]{1,250}"),
            Setting(name="units", doc="the units it may be, with commas; needed where `unit` is filled in"),
            Setting(name="action", doc="what is done", words=("restart", "start", "stop", "reload")),
            Setting(name="scope", doc="whose manager: `system`, `user`", words=("system", "user")),
        ),
        "docker": (
            Setting(name="container", doc="its name or id", required=True, pattern=r"[a-zA-Z0-9][\w.-]{0,127}"),
            Setting(name="action", doc="what is done", words=("restart", "start", "stop", "limits")),
            Setting(name="memory", doc="for `limits`: `512m`, `2g`", pattern=r"\d{1,9}[bkmg]?"),
            Setting(name="cpus", doc="for `limits`: `1.5`", pattern=r"\d{1,3}(\.\d{1,3})?"),
            Setting(name="grace_s", doc="how long it is waited for before it is killed; 10", pattern=r"\d{1,4}"),
            Setting(name="socket", doc="the Engine's socket; `/var/run/docker.sock`", pattern=r"/.+"),
        ),
        "git.revert": (_COMMIT, _BASE, *_REPOSITORY),
        "git.hotfix": (
            Setting(name="from", doc="what runs in production: a tag or a commit", required=True, pattern=_BRANCH),
            Setting(
                name="commits",
                doc="what is taken over, with commas",
                required=True,
                pattern=r"[0-9a-f]{7,64}([, ]+[0-9a-f]{7,64})*",
            ),
            *_REPOSITORY,
        ),
        "github.revert": _REQUEST,
        "gitlab.revert": _REQUEST,
        "http": (
            Setting(name="url", doc="where it goes", required=True, pattern=_URL),
            Setting(name="method", doc="by default `POST`", words=("GET", "POST", "PUT", "PATCH", "DELETE")),
            Setting(name="body", doc="what is sent"),
            Setting(name="type", doc="the body's; `application/json`"),
            _TOKEN,
            _SCHEME,
            Setting(name="check_url", doc="what is read before and afterwards", pattern=_URL),
            Setting(name="check_path", doc="where in its JSON, `limits.per_second`; by default all of it"),
            Setting(name="check_is", doc="what it must say afterwards"),
            Setting(name="check_within_s", doc="for how long it is waited for; 5", pattern=_SECONDS),
        ),
        "flag.http": (
            *_FLAG,
            Setting(name="url", doc="where it is written, with `$flag`, `$value`", required=True, pattern=_URL),
            Setting(name="read_url", doc="where it is read; by default `url`", pattern=_URL),
            Setting(name="path", doc="where in the answer the value is, `flag.enabled`"),
            Setting(name="method", doc="`PUT`, `POST` or `PATCH`; the first", words=("PUT", "POST", "PATCH")),
            Setting(name="body", doc='JSON with `$flag`, `$value`; `{"value": $value}`'),
            Setting(name="type", doc="the body's; `application/json`"),
            Setting(name="on", doc="what is on, as JSON; `true`"),
            Setting(name="off", doc="what is off, as JSON; `false`"),
            Setting(name="environment", doc="named in what is told"),
            _TOKEN,
            _SCHEME,
        ),
        "flag.launchdarkly": (
            *_FLAG,
            Setting(name="project", doc="the project's key", required=True),
            Setting(name="environment", doc="the environment's key", required=True),
            replace(_TOKEN, required=True),
            Setting(name="variation", doc="the one that is on for a share; by default that of `true`"),
            Setting(name="url", doc="`https://app.launchdarkly.com`", pattern=_URL),
        ),
        "flag.unleash": (
            *_FLAG,
            Setting(name="url", doc="of the installation", required=True, pattern=_URL),
            Setting(name="environment", doc="the environment", required=True),
            Setting(name="project", doc="the project; `default`"),
            replace(_TOKEN, required=True),
        ),
        "flag.flagd": (
            *_FLAG,
            Setting(name="file", doc="the definitions, from `cwd` or within `repository`", required=True),
            Setting(name="on", doc="the variant that is on; by default that of `true`"),
            Setting(name="off", doc="the variant that is off; by default that of `false`"),
            Setting(name="repository", doc="folder of the clone, where the file is kept in git"),
            Setting(name="branch", doc="its branch; `main`", pattern=_BRANCH),
            Setting(name="remote", doc="its remote; `origin`", pattern=_BRANCH),
            Setting(name="ofrep_url", doc="where flagd is asked what it serves now", pattern=_URL),
            Setting(name="environment", doc="named in what is told"),
            _TOKEN,
            _SCHEME,
        ),
        "postgresql.kill": _SESSIONS,
        "mysql.kill": _SESSIONS,
        "sqlite.kill": _SESSIONS,
    }
)

ACTUATORS: Final = (
    *("command", "http", "systemd", "docker"),
    *(name for name in SETTINGS if "." in name),
)
"""What can carry an action out."""

NEVER_LOW: Final = frozenset({"postgresql.kill", "mysql.kill", "sqlite.kill"})
"""Those whose risk is not the owner's to play down: it would take fewer people, and might run by itself."""

IN_REPOSITORY: Final = frozenset({"git.revert", "git.hotfix", "github.revert", "gitlab.revert"})
"""Those that work in the clone of the service."""


def system_kind(actuator: str) -> str:
    """Return the kind of the configured systems that `on` of an actuator's settings names, empty where it has none."""
    if actuator.startswith("kubernetes."):
        return "kubernetes"
    return actuator.removesuffix(".kill") if actuator.endswith(".kill") else ""


def wrong_settings(actuator: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the settings of an action, a sentence each; placeholders are not filled in yet."""
    known = {one.name: one for one in SETTINGS.get(actuator, ())}
    if not known:
        return
    for name in settings.keys() - known.keys():
        yield f"{name} is not known: {actuator} is told {', '.join(known)}"
    for name, setting in known.items():
        value = settings.get(name, "")
        if not value:
            if setting.required:
                yield f"{name} is missing: {setting.doc}"
        elif _PLACEHOLDER.search(value):
            continue
        elif setting.words and value not in setting.words:
            yield f"{name} must be one of {', '.join(setting.words)}"
        elif setting.pattern and not re.fullmatch(setting.pattern, value, re.ASCII):
            yield f"{name} cannot be {value!r}: {setting.doc}"
    yield from _wrong_together(actuator, settings)


def _wrong_together(actuator: str, settings: Mapping[str, str]) -> Iterator[str]:
    match actuator:
        case "kubernetes.env" | "kubernetes.configmap":
            if ("value" in settings) == (settings.get("remove") == "true"):
                yield 'value is missing, or remove = "true"; one of the two'
        case "kubernetes.traffic":
            wanted = "weight" if settings.get("kind") == "ingress" else "selector"
            if not settings.get(wanted):
                yield f"{wanted} is missing"
        case "systemd":
            if _PLACEHOLDER.search(settings.get("unit", "")) and not settings.get("units"):
                yield "units is missing: which units it may be, since unit is filled in"
        case "docker":
            if settings.get("action") == "limits" and not (settings.get("memory") or settings.get("cpus")):
                yield "memory or cpus is missing: the new limit"
