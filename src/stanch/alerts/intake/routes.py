"""The routing tree: which receivers an alert goes to, and with which others it is grouped. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from stanch.alerts.intake.inhibition import InhibitRule
from stanch.alerts.intake.intervals import NamedInterval
from stanch.alerts.intake.matchers import Matcher, matches_all, quoted

ALL_LABELS: Final = "..."


@dataclass(frozen=True, kw_only=True)
class Integration:
    """One thing a receiver notifies: `kind` names what sends, `index` counts within the kind from 0.

    `settings` are the kind's own, as configured, and may hold secrets.
    """

    kind: str
    index: int
    send_resolved: bool
    settings: Mapping[str, object] = field(repr=False)

    @property
    def name(self) -> str:
        """Return what tells it apart in its receiver, e.g. `webhook[0]`."""
        return f"{self.kind}[{self.index}]"


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A name for the integrations that are notified together."""

    name: str
    integrations: tuple[Integration, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A node of the tree. `id` is its place (`0/2/1`), `key` its matchers from the root down, as notifications say it.

    `group_by` is sorted; None groups by all labels.
    """

    id: str
    key: str
    receiver: str
    group_by: tuple[str, ...] | None
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    mute_intervals: tuple[str, ...] = ()
    active_intervals: tuple[str, ...] = ()
    routes: tuple["Route", ...] = ()

    def match(self, labels: Mapping[str, str]) -> list["Route"]:
        """Return the routes an alert takes, in order: the deepest that match, this one when no child does."""
        if not matches_all(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            below = child.match(labels)
            found += below
            if below and not child.goes_on:
                break
        return found or [self]

    def walk(self) -> Iterator["Route"]:
        """Yield this route and every one below it."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of the group that an alert with `labels` belongs to, by name."""
        if self.group_by is None:
            return dict(sorted(labels.items()))
        return {name: labels[name] for name in self.group_by if name in labels}


@dataclass(frozen=True, kw_only=True)
class Routing:
    """The whole configuration that alerts from outside are handled by.

    `digest` is that of its text; `original` is the text with secrets taken out, for people to read.
    """

    root: Route
    receivers: Mapping[str, Receiver]
    inhibit_rules: tuple[InhibitRule, ...] = ()
    intervals: Mapping[str, NamedInterval] = field(default_factory=dict)
    resolve_timeout: timedelta = timedelta(minutes=5)
    digest: str = ""
    original: str = ""
    _by_id: dict[str, Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {route.id: route for route in self.root.walk()})

    def route(self, id: str) -> Route | None:
        """Return the route with this place in the tree, None when there is none."""
        return self._by_id.get(id)

    def receiver_of(self, route: Route) -> Receiver:
        """Return the receiver of `route`."""
        return self.receivers[route.receiver]


# Clients read the configuration out of the status and stop when it has no route.
_DEFAULT_TEXT: Final = """\
route:
  receiver: default
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
- name: default
"""


def default_routing() -> Routing:
    """Return what holds while nothing is configured: everything grouped by name, nobody notified."""
    root = Route(
        id="0",
        key="{}",
        receiver="default",
        group_by=("alertname",),
        group_wait=timedelta(seconds=30),
        group_interval=timedelta(minutes=5),
        repeat_interval=timedelta(hours=4),
    )
    return Routing(root=root, receivers={"default": Receiver(name="default")}, original=_DEFAULT_TEXT)


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """Return what a group is called in notifications: `{}/{sev="page"}:{alertname="DiskFull"}`."""
    inner = ", ".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items()))
    return f"{route.key}:{{{inner}}}"


class CurrentRouting:
    """The routing that holds now; a reload puts another in its place."""

    def __init__(self, routing: Routing | None = None) -> None:
        self.now = routing or default_routing()
