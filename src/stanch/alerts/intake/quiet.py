"""What keeps alerts quiet at an instant: silences, inhibition, maintenance, and the time intervals of a route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stanch.alerts.intake.flaps.tables import flapping_at
from stanch.alerts.intake.reading.tables import firing_sources
from stanch.alerts.intake.routes import Route, Routing
from stanch.alerts.intake.silenced.tables import active_silences
from stanch.alerts.intake.silences import Silence
from stanch.alerts.maintenance.model import Holding, Window
from stanch.alerts.maintenance.rules import holding, stretch_at
from stanch.alerts.maintenance.tables import windows_after
from stanch.store import Connection


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """What holds at one instant. `sources` are alert ids by rule and equal key, with whether each is a target too.

    `flapping` are the alerts that come and go, by id, with since when: told once, and then no more until they are calm.
    """

    routing: Routing
    silences: Sequence[Silence] = ()
    sources: Mapping[tuple[int, bytes], Sequence[tuple[int, bool]]] = field(default_factory=dict)
    windows: Sequence[Window] = ()
    flapping: Mapping[int, datetime] = field(default_factory=dict)
    now: datetime | None = None

    @property
    def can_suppress(self) -> bool:
        """Tell whether anything is there that could keep an alert quiet, so that labels must be looked at."""
        return bool(self.silences or self.sources or self.windows)

    def silenced_by(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the ids of the silences that match."""
        return tuple(one.id for one in self.silences if one.silences(labels))

    def in_maintenance(self, labels: Mapping[str, str]) -> Holding | None:
        """Return the maintenance window that covers an alert with `labels`, None when none does."""
        if not self.windows or self.now is None:
            return None
        return holding(self.windows, service=labels.get("service", ""), labels=labels, now=self.now)

    def inhibited_by(self, labels: Mapping[str, str]) -> int | None:
        """Return the id of a firing alert that keeps one with `labels` quiet, None when there is none."""
        if not self.sources:
            return None
        for number, rule in enumerate(self.routing.inhibit_rules):
            if not rule.is_target(labels):
                continue
            found = self.sources.get((number, rule.equal_key(labels)))
            if not found:
                continue
            both = rule.is_source(labels)
            for id, is_target in found:
                if not (both and is_target):
                    return id
        return None


def quiet_at(connection: Connection, routing: Routing, now: datetime) -> Quiet:
    """Return what keeps alerts quiet at `now`."""
    return Quiet(
        routing=routing,
        silences=active_silences(connection, now),
        sources=firing_sources(connection, now) if routing.inhibit_rules else {},
        flapping=flapping_at(connection, now),
        windows=[one for one in windows_after(connection, now) if stretch_at(one, now) is not None],
        now=now,
    )


def muted_by(routing: Routing, route: Route, now: datetime) -> tuple[str, ...]:
    """Return the time intervals because of which `route` tells nobody anything at `now`.

    It is muted while one of its mute intervals holds, or none of its active intervals does.
    """
    muting = tuple(name for name in route.mute_intervals if routing.intervals[name].holds(now))
    if muting:
        return muting
    if route.active_intervals and not any(routing.intervals[name].holds(now) for name in route.active_intervals):
        return route.active_intervals
    return ()
