"""Alerts as readers see them: those that fire, with receivers and what keeps each quiet at this very moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from stanch.alerts.intake.fingerprint import shown_fingerprints
from stanch.alerts.intake.groups.tables import all_groups
from stanch.alerts.intake.model import Group
from stanch.alerts.intake.quiet import Quiet, muted_by, quiet_at
from stanch.alerts.intake.reading.tables import Row, firing, with_ids
from stanch.alerts.intake.routes import Routing
from stanch.store import Connection

_labels = msgspec.json.Decoder(dict[str, str])


class Shown(NamedTuple):
    """An alert that fires. `row` is what is stored; `groups` are those it is in, by id."""

    row: Row
    labels: dict[str, str]
    fingerprint: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]

    @property
    def is_suppressed(self) -> bool:
        """Tell whether nobody is told about it now."""
        return bool(self.silenced_by or self.inhibited_by or self.muted_by)


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything that fires at one instant, and the groups."""

    alerts: list[Shown]
    groups: dict[int, Group]


def view_at(connection: Connection, routing: Routing, now: datetime) -> View:
    """Return what fires at `now`, by id."""
    quiet = quiet_at(connection, routing, now)
    groups = {group.id: group for group in all_groups(connection)}
    muting = _muting(routing, groups.values(), now)
    receivers: dict[tuple[int, ...], tuple[str, ...]] = {}
    muted: dict[tuple[int, ...], tuple[str, ...]] = {}
    alerts = []
    inhibitors: dict[int, None] = {}
    for row in firing(connection, now):
        labels = _labels.decode(row.labels)
        if row.groups not in receivers:
            known = [groups[id] for id in row.groups if id in groups]
            receivers[row.groups] = tuple(dict.fromkeys(group.receiver for group in known))
            muted[row.groups] = tuple(dict.fromkeys(name for group in known for name in muting[group.id]))
        silenced_by, inhibitor = _kept_quiet(quiet, labels)
        held = quiet.in_maintenance(labels)
        if inhibitor is not None:
            inhibitors[inhibitor] = None
        alerts.append((row, labels, silenced_by, inhibitor, (held.window.name,) if held is not None else ()))
    shown = shown_fingerprints([labels for _, labels, _, _, _ in alerts])
    names = _fingerprints(connection, [row.id for row, _, _, _, _ in alerts], shown, inhibitors)
    return View(
        alerts=[
            Shown(
                row,
                labels,
                fingerprint,
                receivers[row.groups],
                silenced_by,
                () if inhibitor is None else (names[inhibitor],),
                (*muted[row.groups], *held_by),
            )
            for (row, labels, silenced_by, inhibitor, held_by), fingerprint in zip(alerts, shown, strict=True)
        ],
        groups=groups,
    )


def _kept_quiet(quiet: Quiet, labels: Mapping[str, str]) -> tuple[tuple[str, ...], int | None]:
    if not quiet.can_suppress:
        return (), None
    return quiet.silenced_by(labels), quiet.inhibited_by(labels)


def _muting(routing: Routing, groups: Iterable[Group], now: datetime) -> dict[int, tuple[str, ...]]:
    by_route: dict[str, tuple[str, ...]] = {}
    found: dict[int, tuple[str, ...]] = {}
    for group in groups:
        if group.route not in by_route:
            route = routing.route(group.route)
            by_route[group.route] = () if route is None else muted_by(routing, route, now)
        found[group.id] = by_route[group.route]
    return found


def _fingerprints(
    connection: Connection, ids: list[int], shown: list[str], wanted: Mapping[int, None]
) -> dict[int, str]:
    if not wanted:
        return {}
    known = {id: fingerprint for id, fingerprint in zip(ids, shown, strict=True) if id in wanted}
    missing = [id for id in wanted if id not in known]
    if missing:
        rows = with_ids(connection, missing)
        known |= dict(zip(rows, shown_fingerprints([_labels.decode(row.labels) for row in rows.values()]), strict=True))
    return {id: known.get(id, "") for id in wanted}
