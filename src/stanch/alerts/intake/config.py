"""Reads an `alertmanager.yml` into a `Routing`, or says everything that is wrong with it, key by key.

The keys are those of https://prometheus.io/docs/alerting/latest/configuration/. A key that is not known is a mistake,
never passed over. What a kind of integration wants for itself is checked by whoever sends it.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from stanch.alerts.intake.config_times import named_intervals
from stanch.alerts.intake.durations import parse_length
from stanch.alerts.intake.inhibition import InhibitRule
from stanch.alerts.intake.intervals import NamedInterval
from stanch.alerts.intake.matchers import Matcher, Op, parse_matchers, shown
from stanch.alerts.intake.routes import ALL_LABELS, Integration, Receiver, Route, Routing
from stanch.alerts.intake.yml import Node, parse_yaml, written
from stanch.kernel.errors import Invalid, Problem

CheckSettings = Callable[[Mapping[str, object]], None]
"""Checks the settings of one integration; raises `Invalid` whose fields are below the integration."""

_TOP: Final = (
    "global",
    "route",
    "receivers",
    "inhibit_rules",
    "templates",
    "mute_time_intervals",
    "time_intervals",
)
# Defaults of receivers that are refused when they are used; alone they do nothing, so they may stand.
_GLOBAL: Final = re.compile(
    r"resolve_timeout|http_config|(?:smtp|slack|victorops|pagerduty|opsgenie|wechat|telegram|webex|rocketchat|jira"
    r"|mattermost|incidentio)_[a-z_]+"
)
_ROUTE: Final = (
    "receiver",
    "group_by",
    "match",
    "match_re",
    "matchers",
    "continue",
    "routes",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "mute_time_intervals",
    "active_time_intervals",
)
_INHIBIT: Final = (
    "source_match",
    "source_match_re",
    "source_matchers",
    "target_match",
    "target_match_re",
    "target_matchers",
    "equal",
)
_SECRETS: Final = re.compile(
    r"(?:.*(?:password|secret|token|credentials|_key|api_url|webhook_url)|url|bearer_token|service_key|routing_key)",
    re.I,
)
_DEFAULTS: Final = {
    "group_wait": timedelta(seconds=30),
    "group_interval": timedelta(minutes=5),
    "repeat_interval": timedelta(hours=4),
}


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What holds for a kind of integration where it says nothing itself.

    `shared` are keys by kind, each with the keys of `global` that stand in for it: the value, then the name of a file.
    `send_resolved` is true for kinds that are not in it.
    """

    shared: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    send_resolved: Mapping[str, bool] = field(default_factory=dict)


_NO_DEFAULTS: Final = Defaults()


def template_files(text: str) -> tuple[str, ...]:
    """Return the file patterns of `templates`. Raises `Invalid` where the text is no YAML."""
    return Node(parse_yaml(text), at="", problems=[]).texts("templates")


def read_routing(text: str, *, kinds: Mapping[str, CheckSettings], defaults: Defaults = _NO_DEFAULTS) -> Routing:
    """Return the routing that the text of an `alertmanager.yml` describes.

    `kinds` are the kinds of integration there are, by the word before `_configs`. Raises `Invalid` with one problem
    per mistake.
    """
    document = parse_yaml(text)
    problems: list[Problem] = []
    top = Node(document, at="", problems=problems).keys(_TOP)
    if not isinstance(document, dict):
        raise Invalid("this is no alertmanager.yml: it has no keys", field="config")
    settings = top.inner("global")
    for name, _ in settings.mapping():
        if not _GLOBAL.fullmatch(name):
            settings.complain("is not a key here", name=name)
    intervals = named_intervals(top)
    receivers = _receivers(top, kinds, shared=settings.plain(), defaults=defaults)
    root = _root(top, receivers, intervals)
    rules = tuple(_rule(node) for node in top.items("inhibit_rules"))
    resolve_timeout = settings.read("resolve_timeout", parse_length, default=timedelta(minutes=5))
    if problems:
        raise Invalid("", problems=problems)
    return Routing(
        root=root,
        receivers=receivers,
        inhibit_rules=rules,
        intervals=intervals,
        resolve_timeout=resolve_timeout,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        original=written(_without_secrets(document)),
    )


def _receivers(
    top: Node, kinds: Mapping[str, CheckSettings], *, shared: object, defaults: Defaults
) -> dict[str, Receiver]:
    found: dict[str, Receiver] = {}
    for node in top.items("receivers"):
        name = node.text("name")
        if not name:
            node.complain("is missing", name="name")
        elif name in found:
            node.complain(f"{name!r} stands twice", name="name")
        integrations: list[Integration] = []
        for key, inner in node.mapping():
            kind = key.removesuffix("_configs")
            if key in ("name", "labels"):
                continue
            if kind == key or kind not in kinds:
                known = ", ".join(f"{one}_configs" for one in kinds)
                inner.complain(f"is not a kind of integration here; there are {known}")
                continue
            for number, one in enumerate(node.items(key)):
                given = shared if isinstance(shared, dict) else {}
                integrations.append(_integration(one, kind, number, kinds[kind], shared=given, defaults=defaults))
        found[name] = Receiver(name=name, integrations=tuple(integrations), labels=node.pairs("labels"))
    if not found:
        top.complain("at least one receiver is needed", name="receivers")
    return found


def _integration(
    node: Node, kind: str, number: int, check: CheckSettings, *, shared: Mapping[str, object], defaults: Defaults
) -> Integration:
    plain = node.plain()
    settings: dict[str, object] = dict(plain) if isinstance(plain, dict) else {}
    settings.pop("send_resolved", None)
    if shared.get("http_config") and "http_config" not in settings and kind != "email":
        settings["http_config"] = shared["http_config"]
    for name, (value, *file) in defaults.shared.get(kind, {}).items():
        if name in settings or f"{name}_file" in settings:
            continue
        if shared.get(value):
            settings[name] = shared[value]
        elif file and shared.get(file[0]):
            settings[f"{name}_file"] = shared[file[0]]
    try:
        check(settings)
    except Invalid as error:
        for problem in error.problems:
            node.complain(problem.message, name=problem.field)
    send_resolved = node.truth("send_resolved", default=defaults.send_resolved.get(kind, True))
    return Integration(kind=kind, index=number, send_resolved=send_resolved, settings=settings)


def _root(top: Node, receivers: Mapping[str, Receiver], intervals: Mapping[str, NamedInterval]) -> Route:
    node = top.inner("route")
    if not isinstance(node.value, dict):
        node.complain("is missing: there must be a route")
    if not node.has("receiver"):
        node.complain("is missing: the first route needs a receiver", name="receiver")
    for name in ("match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals"):
        if node.has(name):
            node.complain("must not stand in the first route, which takes everything", name=name)
    if node.truth("continue", default=False):
        node.complain("must not stand in the first route", name="continue")
    return _route(node, None, id="0", receivers=receivers, intervals=intervals)


def _route(
    node: Node,
    parent: Route | None,
    *,
    id: str,
    receivers: Mapping[str, Receiver],
    intervals: Mapping[str, NamedInterval],
) -> Route:
    node.keys(_ROUTE)
    matchers = _matchers(node, "")
    receiver = node.text("receiver", default=parent.receiver if parent else "")
    if receiver and receiver not in receivers:
        node.complain(f"there is no receiver {receiver!r}", name="receiver")
    for name in ("mute_time_intervals", "active_time_intervals"):
        for unknown in (one for one in node.texts(name) if one not in intervals):
            node.complain(f"there is no time interval {unknown!r}", name=name)
    route = Route(
        id=id,
        key=f"{parent.key}/{shown(matchers)}" if parent else "{}",
        receiver=receiver,
        group_by=_group_by(node, parent),
        matchers=matchers,
        goes_on=node.truth("continue", default=False),
        mute_intervals=node.texts("mute_time_intervals"),
        active_intervals=node.texts("active_time_intervals"),
        group_wait=_length(node, "group_wait", parent),
        group_interval=_length(node, "group_interval", parent),
        repeat_interval=_length(node, "repeat_interval", parent),
    )
    children = tuple(
        _route(child, route, id=f"{id}/{number}", receivers=receivers, intervals=intervals)
        for number, child in enumerate(node.items("routes"))
    )
    object.__setattr__(route, "routes", children)  # the parent must be there before its children inherit from it
    return route


def _group_by(node: Node, parent: Route | None) -> tuple[str, ...] | None:
    names = node.texts("group_by")
    if not names:
        return parent.group_by if parent else ()
    if ALL_LABELS in names:
        if len(names) > 1:
            node.complain(f"{ALL_LABELS!r} groups by all labels and stands alone", name="group_by")
        return None
    for name in sorted({one for one in names if names.count(one) > 1}):
        node.complain(f"{name!r} stands twice", name="group_by")
    if not all(names):
        node.complain("the name of a label is empty", name="group_by")
    return tuple(sorted(names))


def _length(node: Node, name: str, parent: Route | None) -> timedelta:
    inherited: timedelta = getattr(parent, name) if parent else _DEFAULTS[name]
    length = node.read(name, parse_length, default=inherited)
    if not length and name != "group_wait":
        node.complain("must be longer than nothing", name=name)
    return length


def _rule(node: Node) -> InhibitRule:
    node.keys(_INHIBIT)
    return InhibitRule(
        source=_matchers(node, "source_"), target=_matchers(node, "target_"), equal=tuple(node.texts("equal"))
    )


def _matchers(node: Node, prefix: str) -> tuple[Matcher, ...]:
    """Return the matchers of all three ways to write them, sorted, as Alertmanager keeps them."""
    found = [Matcher(name=name, value=value) for name, value in node.pairs(f"{prefix}match").items()]
    for name, value in node.pairs(f"{prefix}match_re").items():
        inner = node.inner(f"{prefix}match_re").inner(name)
        found += inner.parsed(value, _regex(name), default=())
    for item in node.items(f"{prefix}matchers"):
        if isinstance(item.value, str):
            found += item.parsed(item.value, parse_matchers, default=())
        else:
            item.complain('must be a text such as severity="page"')
    return tuple(sorted(found, key=lambda one: (one.name, one.value, one.op)))


def _regex(name: str) -> Callable[[str], Sequence[Matcher]]:
    return lambda value: (Matcher(name=name, value=value, op=Op.REGEX),)


def _without_secrets(value: object, *, secret: bool = False) -> object:
    if isinstance(value, dict):
        return {
            name: _without_secrets(inner, secret=isinstance(name, str) and _SECRETS.fullmatch(name) is not None)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    return _hidden(value) if secret and value else value


def _hidden(value: object) -> str:
    # Where something is told is no secret, the path to it often is. Old clients stop at a URL without scheme and host.
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
    except ValueError:
        return "<secret>"
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "<secret>"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/<secret>"
