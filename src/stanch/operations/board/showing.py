"""The operation that shows one alert: what it says, what became of it and why, and what it belongs to."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from stanch.alerts.board.keeping.tables import find_unplaced, listed
from stanch.alerts.board.model import Found, Narrowing, outside_ref
from stanch.alerts.board.tables import find_one
from stanch.alerts.intake.decisions import Reason
from stanch.alerts.intake.fingerprint import shown_fingerprint
from stanch.alerts.intake.flushing import CHANNEL
from stanch.alerts.intake.groups.tables import group_with_key
from stanch.alerts.intake.model import Group
from stanch.alerts.intake.quiet import quiet_at
from stanch.alerts.intake.reading.tables import Standing, episodes_of, standing_of
from stanch.alerts.intake.routes import group_key
from stanch.alerts.intake.silenced.tables import find_silence
from stanch.alerts.intake.subject import naming
from stanch.alerts.model import Alert
from stanch.alerts.model import Outcome as Judged
from stanch.alerts.tables import alerts_like, get_alert
from stanch.incidents.tables import find
from stanch.kernel.errors import NotFound
from stanch.operations import cases
from stanch.operations.board.groups import rows_of
from stanch.operations.board.listing import row_of
from stanch.operations.board.views import AlertRow, AlertView, GroupRow, IncidentLink, Notice, Outcome, Transition
from stanch.operations.following import led_words
from stanch.operations.registry import Effect, operation
from stanch.operations.silencing import view_of
from stanch.operations.world import Call
from stanch.store import Transaction
from stanch.store.deliveries import newest_below
from stanch.store.types import from_micros, to_micros

_MOST_EPISODES: Final = 40
_MOST_NOTICES: Final = 30
_MOST_SIMILAR: Final = 8
_MOST_INCIDENTS: Final = 20

_texts: Final = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, kw_only=True)
class OneAlert:
    """An alert by its id, as `alert.list` gives it."""

    id: str


@operation("alert.show", effect=Effect.READ, example={"id": "x1"})
def show_alert(call: Call, request: OneAlert) -> AlertView:
    """Show one alert: labels, history, groups, silences, notifications, and the reason for each outcome."""
    ref = outside_ref(request.id)
    with call.world.store.reading() as view:
        found = find_one(view.connection, request.id, now=call.now)
        if found is None and ref is not None:
            found = find_unplaced(view.connection, ref, now=call.now, service_of=naming(call.world.catalog))
        if found is None:
            raise NotFound(f"there is no alert {request.id[:40]!r}", hint="see the list: stanch alert list")
        return _own(view, call, found) if found.ref is None else _from_outside(view, call, found, found.ref)


def _from_outside(view: Transaction, call: Call, found: Found, ref: int) -> AlertView:
    stored = standing_of(view.connection, ref)
    if stored is None:
        raise NotFound(f"there is no alert {found.id}")
    quiet = quiet_at(view.connection, call.world.routing.now, call.now)
    led_to, decided_at = led_words(view.connection, call.world, ref, found.labels)
    row = row_of(found, call.world, quiet, now=call.now)
    groups, matched = _groups(view, call, found)
    silences = [find_silence(view.connection, id) for id in row.silenced_by]
    telling = {name for name, one in call.world.routing.now.receivers.items() if one.integrations}
    notices = [one for group in matched for one in _notices(view, group, ref)]
    return AlertView(
        alert=row,
        annotations=_texts.decode(stored.annotations),
        link=stored.generator_url,
        fingerprint=shown_fingerprint(found.labels),
        first_seen=from_micros(stored.first_seen),
        updated_at=from_micros(stored.updated_at or stored.ends_at or stored.first_seen),
        openings=stored.openings or 1,
        history=_history(view, ref, stored, now=call.now),
        outcomes=(
            Outcome(what="incidents", why=led_to, at=decided_at),
            *(
                Outcome(what="flapping", why=Reason.FLAPPING.words, at=since)
                for since in [quiet.flapping.get(ref)]
                if since is not None
            ),
            *_outcomes(row.quiet, groups, fires=found.ended_at is None, telling=telling),
        ),
        groups=groups,
        silences=tuple(view_of(one, now=call.now) for one in silences if one is not None),
        notices=tuple(sorted(notices, key=lambda one: one.at, reverse=True)),
        incidents=_incidents(view, call, found, held=lambda id, labels: id == found.id),
        similar=_similar(view, call, found),
    )


def _own(view: Transaction, call: Call, found: Found) -> AlertView:
    alert = get_alert(view.connection, found.id)
    if alert is None:
        raise NotFound(f"there is no alert {found.id}")
    quiet = quiet_at(view.connection, call.world.routing.now, call.now)
    judged = Outcome(what="rule", why=alert.outcome.words, at=alert.updated_at, detail=alert.detail)
    held = (Outcome(what="no incident", why=alert.quiet, at=alert.detected_at),) if alert.quiet else ()
    row = row_of(found, call.world, quiet, now=call.now)
    silences = [find_silence(view.connection, id) for id in row.silenced_by]
    return AlertView(
        alert=row,
        annotations={"summary": alert.summary, "detail": alert.detail} if alert.detail else {"summary": alert.summary},
        link="",
        fingerprint=alert.fingerprint,
        first_seen=alert.detected_at,
        updated_at=alert.updated_at,
        openings=alert.openings,
        history=_own_history(alerts_like(view.connection, alert.fingerprint, most=_MOST_EPISODES)),
        outcomes=(judged, *held),
        silences=tuple(view_of(one, now=call.now) for one in silences if one is not None),
        incidents=_incidents(view, call, found, held=lambda id, labels: id == found.id),
        similar=_similar(view, call, found),
    )


def _history(view: Transaction, ref: int, stored: Standing, *, now: datetime) -> tuple[Transition, ...]:
    """Return what happened to an alert from outside, the newest first."""
    entries: list[Transition] = []
    if stored.starts_at is not None and stored.ends_at is not None:
        entries.append(Transition(at=from_micros(stored.starts_at), what="fires"))
        if stored.ends_at <= to_micros(now):
            entries.append(Transition(at=from_micros(stored.ends_at), what="resolved"))
    present = {(one.at, one.what) for one in entries}
    for told in episodes_of(view.connection, ref, most=_MOST_EPISODES):
        detail = f"{told.receiver}: {told.outcome}"
        over = Transition(at=from_micros(told.ends_at), what="resolved", detail=detail)
        began = Transition(at=from_micros(told.starts_at), what="fires")
        if (over.at, over.what) in present:
            # The episode that has just ended: the same instant, with what a receiver made of it.
            entries = [one for one in entries if (one.at, one.what, one.detail) != (over.at, over.what, "")]
        entries.append(over)
        if (began.at, began.what) not in present:
            present.add((began.at, began.what))
            entries.append(began)
    first = from_micros(stored.first_seen)
    return (*sorted(entries, key=lambda one: one.at, reverse=True), Transition(at=first, what="first seen"))


def _own_history(known: list[Alert]) -> tuple[Transition, ...]:
    entries: list[Transition] = []
    for one in known:
        if one.ended_at is not None:
            entries.append(Transition(at=one.ended_at, what="resolved", detail=Judged.ENDED.words))
        if one.openings > 1:
            times = f"{one.openings} times in all"
            entries.append(Transition(at=one.updated_at, what="came back", detail=times))
        entries.append(Transition(at=one.detected_at, what="fires", detail=one.summary))
        entries.append(Transition(at=one.starts_at, what="began", detail="estimated from the samples"))
    return tuple(sorted(entries, key=lambda one: one.at, reverse=True)[:_MOST_EPISODES])


def _groups(view: Transaction, call: Call, found: Found) -> tuple[tuple[GroupRow, ...], list[Group]]:
    routes = call.world.routing.now.root.match(found.labels)
    keys = [f"{route.id}:{group_key(route, route.group_labels(found.labels))}" for route in routes]
    known = [group for key in keys if (group := group_with_key(view.connection, key)) is not None]
    return rows_of(view.connection, known, now_us=to_micros(call.now)), known


def _outcomes(
    quiet: tuple[str, ...], groups: tuple[GroupRow, ...], *, fires: bool, telling: Set[str]
) -> tuple[Outcome, ...]:
    """Return why somebody was told about the alert, or nobody; `telling` are the receivers with an integration."""
    found = [Outcome(what="nobody is told now", why=reason) for reason in quiet]
    for group in groups:
        named = ", ".join(f"{name}={value}" for name, value in group.labels.items()) or "everything together"
        if fires:
            found.append(Outcome(what=f"grouped for {group.receiver}", why=f"by {named}", at=group.created_at))
        found += [replace(one, what=f"{group.receiver}, {one.what}") for one in group.outcomes]
        if fires and not group.outcomes:
            why = "the group wait is not over" if group.receiver in telling else "the receiver has no integration"
            found.append(Outcome(what=f"nobody is told by {group.receiver}", why=why, at=group.flushed_at))
    if not groups:
        found.append(Outcome(what="no group holds it now", why="it is over, or the routes have changed"))
    return tuple(found)


def _notices(view: Transaction, group: Group, ref: int) -> list[Notice]:
    notices = []
    for one in newest_below(view.connection, prefix=f"notice/{group.id}/", limit=_MOST_NOTICES):
        ids, ends = one.message.get("ids"), one.message.get("ends")
        if not isinstance(ids, list) or not isinstance(ends, list) or ref not in ids:
            continue
        receiver, _, integration = one.channel.removeprefix(CHANNEL).rpartition("/")
        notices.append(
            Notice(
                at=one.ended_at or one.created_at,
                receiver=receiver,
                integration=integration,
                why=one.purpose.replace("_", " "),
                state=one.state.value,
                detail=one.detail,
                told="resolved" if ends[ids.index(ref)] else "firing",
            )
        )
    return notices


def _incidents(
    view: Transaction, call: Call, found: Found, *, held: Callable[[str, Mapping[str, str]], bool]
) -> tuple[IncidentLink, ...]:
    """Return the incidents that hold the alert, of those that were open while it fired."""
    until = found.ended_at or call.now
    near = [
        one
        for one in find(view.connection, limit=200)
        if one.declared_at <= until and (one.resolved_at is None or one.resolved_at >= found.starts_at)
    ]
    links = []
    for one in near[:_MOST_INCIDENTS]:
        state = cases.load(view, one.number)
        if any(held(id, known.alert.labels) for id, known in state.alerts.items()):
            links.append(
                IncidentLink(
                    number=one.number,
                    key=state.key,
                    title=one.title,
                    status=one.status.value,
                    url=f"{call.world.url}/i/{one.number}",
                )
            )
    return tuple(links)


def _similar(view: Transaction, call: Call, found: Found) -> tuple[AlertRow, ...]:
    """Return the newest other alerts of the same name."""
    if not found.name:
        return ()
    quiet = quiet_at(view.connection, call.world.routing.now, call.now)
    service_of = naming(call.world.catalog)
    page = listed(
        view.connection, Narrowing(name=found.name), now=call.now, limit=_MOST_SIMILAR + 1, service_of=service_of
    )
    others = [one for one in page.alerts if one.id != found.id][:_MOST_SIMILAR]
    return tuple(row_of(one, call.world, quiet, now=call.now) for one in others)
