"""Reads what Opsgenie's API and its backup tool say about users, teams, schedules, escalations, services and routing.

Rotations of one schedule hold side by side there; here a later one wins where both hold. The delay of a rule counts
from the alert there, here a step waits after the one before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.zone import check_zone, in_zone
from stanch.ports.migration import (
    Missed,
    Moved,
    MovedLayer,
    MovedPerson,
    MovedPolicy,
    MovedSchedule,
    MovedService,
    MovedStint,
    MovedWindow,
    Names,
    OnCallThere,
    PagedThere,
    Raw,
    number_in,
    record_in,
    records_in,
    text_in,
)

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_METHODS: Final = {"voice": "voice", "sms": "sms", "email": "email"}
_UNITS: Final = {"minutes": 60, "hours": 3600, "days": 86_400}
_LAST_WAIT_S: Final = 300.0
_NOT_MOVED: Final = {
    "integrations": "point the sender at /hooks/... (stanch alert sources lists them)",
    "policies": "alert and notification policies are not carried over: route by labels in alertmanager.yml",
    "heartbeats": "heartbeats are configured anew, [heartbeats.<name>]",
    "maintenance": "maintenance is planned anew",
    "forwarding_rules": "forwarding is an override here: stanch oncall override",
}


class OpsgenieExport:
    """Implements the migration port."""

    name = "opsgenie"

    def moved(self, export: Mapping[str, Sequence[Raw]], *, now: datetime) -> Moved:
        """Return the configuration in our words."""
        return _Moving(export, now).all()

    def log(self, export: Mapping[str, Sequence[Raw]]) -> tuple[tuple[OnCallThere, ...], tuple[PagedThere, ...]]:
        """Return the `finalTimeline` of schedules as shifts; pages are not in its exports."""
        shifts = []
        for timeline in export.get("timelines", ()):
            schedule = _known_by(record_in(timeline, "_parent"))
            for rotation in records_in(record_in(timeline, "finalTimeline"), "rotations"):
                for period in records_in(rotation, "periods"):
                    who = _known_by(record_in(period, "recipient"))
                    if who:
                        start, end = (_instant(text_in(period, key)) for key in ("startDate", "endDate"))
                        shifts.append(OnCallThere(schedule=schedule, who=who, start=start, end=end))
        return tuple(shifts), ()


class _Moving:
    """One export on its way."""

    def __init__(self, export: Mapping[str, Sequence[Raw]], now: datetime) -> None:
        self._export = export
        self._now = now
        self._missed: list[Missed] = []
        self._people, self._schedules, self._policies, self._services = Names(), Names(), Names(), Names()
        self._teams = {text_in(one, "id"): text_in(one, "name") for one in export.get("teams", ())}
        self._routed: dict[str, str] = {}
        self._extra: list[MovedPolicy] = []

    def all(self) -> Moved:
        """Return everything; names first, as things speak of each other."""
        users, schedules = self._export.get("users", ()), self._export.get("schedules", ())
        escalations, services = self._export.get("escalations", ()), self._export.get("services", ())
        for one in users:
            name = self._people.give(text_in(one, "id"), text_in(one, "username").partition("@")[0])
            # Some answers name users by their address only.
            self._people.taken.setdefault(text_in(one, "username"), name)
        for names, found in ((self._schedules, schedules), (self._policies, escalations), (self._services, services)):
            for one in found:
                names.give(text_in(one, "id"), text_in(one, "name"))
        for kind, why in _NOT_MOVED.items():
            for one in self._export.get(kind, ()):
                self._miss(kind, text_in(one, "name", "id"), why)
        for one in self._export.get("routing_rules", ()):
            self._route(one)
        return Moved(
            people=tuple(self._person(one) for one in users),
            schedules=tuple(self._schedule(one) for one in schedules),
            policies=(*(self._policy(one) for one in escalations), *self._extra),
            services=tuple(self._service(one) for one in services),
            missed=tuple(self._missed),
        )

    def _miss(self, where: str, what: str, why: str) -> None:
        self._missed.append(Missed(where=where, what=what, why=why))

    def _person(self, user: Raw) -> MovedPerson:
        id_, email = text_in(user, "id"), text_in(user, "username")
        where = f"users {email}"
        if user.get("blocked") is True:
            self._miss(where, "blocked", "the person is carried over all the same: take them out of the rotations")
        methods: list[tuple[str, str, str]] = []
        for one in records_in(user, "userContacts"):
            kind = _METHODS.get(text_in(one, "contactMethod"))
            if kind:
                methods.append((f"{kind}-{len(methods) + 1}", kind, _address(text_in(one, "to"), kind)))
            else:
                self._miss(
                    where, text_in(one, "contactMethod"), "an app of theirs: give the person a push topic instead"
                )
        if email and not any(kind == "email" for _, kind, _ in methods):
            methods.append(("email", "email", email))
        for one in self._export.get("notification_rules", ()):
            if text_in(record_in(one, "_parent"), "id", "username") in (id_, email):
                self._miss(where, text_in(one, "name", "id"), "rules of people are not carried over: say them in rules")
        teams = [
            text_in(team, "name")
            for team in self._export.get("teams", ())
            for member in records_in(team, "members")
            if text_in(record_in(member, "user"), "id", "username") in (id_, email)
        ]
        return MovedPerson(
            name=self._people.get(id_),
            title=text_in(user, "fullName", "username"),
            email=email,
            zone=self._zone(text_in(user, "timeZone"), where),
            teams=tuple(dict.fromkeys(teams)),
            methods=tuple(methods),
        )

    def _schedule(self, schedule: Raw) -> MovedSchedule:
        title = text_in(schedule, "name")
        where = f"schedules {title}"
        zone = self._zone(text_in(schedule, "timezone"), where) or "UTC"
        if schedule.get("enabled") is False:
            self._miss(where, "disabled", "it is in force here as soon as a policy names it")
        rotations = records_in(schedule, "rotations")
        layers = [layer for one in rotations if (layer := self._layer(one, where=where, zone=zone))]
        if len(layers) > 1:
            names = ", ".join(layer.name for layer in layers)
            why = "where two rotations hold at once, both are paged there; here the later one wins"
            self._miss(where, f"rotations {names}", why)
        overrides = []
        for one in self._export.get("overrides", ()):
            parent = _known_by(record_in(one, "_parent"))
            person = self._person_named(record_in(one, "user"))
            if person and text_in(schedule, "id") in parent and _instant(text_in(one, "endDate")) > self._now:
                start, end = (_local(_instant(text_in(one, key)), zone) for key in ("startDate", "endDate"))
                overrides.append(MovedStint(person=person, start=start, end=end, why="carried over"))
        return MovedSchedule(
            name=self._schedules.get(text_in(schedule, "id")),
            title=title,
            zone=zone,
            team=text_in(record_in(schedule, "ownerTeam"), "name"),
            layers=tuple(layers),
            overrides=tuple(overrides),
        )

    def _layer(self, rotation: Raw, *, where: str, zone: str) -> MovedLayer | None:
        name = text_in(rotation, "name", "id")
        end = text_in(rotation, "endDate")
        if end and _instant(end) <= self._now:
            return None
        people = []
        for one in records_in(rotation, "participants"):
            person = self._person_named(one) if text_in(one, "type") in ("user", "") else ""
            if person:
                people.append(person)
            else:
                what = f"{name}: {text_in(one, 'type')} {text_in(one, 'name', 'username', 'id')}".strip()
                self._miss(where, what, "only people take turns here; the turns are those of the others")
        if not people:
            self._miss(where, name, "nobody of this rotation is a person in the export")
            return None
        kind = text_in(rotation, "type")
        return MovedLayer(
            name=name,
            people=tuple(people),
            rotation=kind if kind in ("hourly", "daily", "weekly") else "weekly",
            length=int(number_in(rotation, "length", 1)) or 1,
            start=_local(_instant(text_in(rotation, "startDate")), zone),
            end=_local(_instant(end), zone) if end else "",
            restrictions=tuple(_windows(record_in(rotation, "timeRestriction"))),
        )

    def _policy(self, escalation: Raw) -> MovedPolicy:
        title = text_in(escalation, "name")
        where = f"escalations {title}"
        levels: dict[float, list[str]] = {}
        for rule in records_in(escalation, "rules"):
            if text_in(rule, "condition") == "if-not-closed":
                self._miss(where, "if-not-closed", "an acknowledgement stops paging here, until it goes stale")
            if text_in(rule, "notifyType") not in ("", "default", "all"):
                why = "whoever is on call is paged here; name the person or the backup's schedule"
                self._miss(where, f"notify {text_in(rule, 'notifyType')}", why)
            target = self._target(record_in(rule, "recipient"))
            delay = record_in(rule, "delay")
            after_s = number_in(delay, "timeAmount") * _UNITS.get(text_in(delay, "timeUnit") or "minutes", 60)
            if target:
                levels.setdefault(after_s, []).append(target)
            else:
                self._miss(
                    where, text_in(record_in(rule, "recipient"), "name", "id", "type"), "it is not in the export"
                )
        delays = sorted(levels)
        if delays and delays[0]:
            self._miss(where, f"first delay of {delays[0] / 60:g} min", "the first level is paged at once here")
        again = record_in(escalation, "repeat")
        last = number_in(again, "waitInterval") * 60 or _LAST_WAIT_S
        waits = [later - earlier for earlier, later in pairwise(delays)]
        return MovedPolicy(
            name=self._policies.get(text_in(escalation, "id")),
            title=title,
            steps=tuple(
                (tuple(dict.fromkeys(levels[delay])), wait) for delay, wait in zip(delays, [*waits, last], strict=False)
            ),
            repeat=int(number_in(again, "count")),
        )

    def _route(self, rule: Raw) -> None:
        """Take the default rule of a team as the policy of its services; the others cannot be said."""
        team = text_in(record_in(rule, "_parent"), "name", "id") or text_in(rule, "teamName", "teamId")
        team = self._teams.get(team, team)
        where = f"routing rules {team}"
        notify = record_in(rule, "notify")
        if rule.get("isDefault") is not True:
            why = "only the default rule is carried over: route by labels in alertmanager.yml"
            self._miss(where, text_in(rule, "name", "id"), why)
            return
        if text_in(notify, "type") == "escalation":
            self._routed[team] = self._policies.get(text_in(notify, "id"))
        elif text_in(notify, "type") == "schedule" and (schedule := self._schedules.get(text_in(notify, "id"))):
            name = self._policies.give(f"route {team}", f"{team}-route")
            steps = (((f"schedule:{schedule}",), _LAST_WAIT_S),)
            self._extra.append(MovedPolicy(name=name, title=f"{team}: {schedule}", steps=steps))
            self._routed[team] = name
        else:
            self._miss(where, f"notify {text_in(notify, 'type')}", "nobody is paged by it")

    def _service(self, service: Raw) -> MovedService:
        title = text_in(service, "name")
        team = self._teams.get(text_in(service, "teamId"), "")
        policy = self._routed.get(team, "")
        if not policy:
            owned = [
                text_in(one, "id")
                for one in self._export.get("escalations", ())
                if team and text_in(record_in(one, "ownerTeam"), "name") == team
            ]
            policy = self._policies.get(owned[0]) if len(owned) == 1 else ""
        if not policy:
            self._miss(f"services {title}", "its policy", "its team has no default routing rule in the export")
        return MovedService(
            name=self._services.get(text_in(service, "id")),
            title=title,
            description=text_in(service, "description"),
            team=team,
            policy=policy,
        )

    def _target(self, recipient: Raw) -> str:
        kind = text_in(recipient, "type")
        if kind == "user":
            person = self._person_named(recipient)
            return f"person:{person}" if person else ""
        if kind == "schedule":
            schedule = self._schedules.get(text_in(recipient, "id"))
            return f"schedule:{schedule}" if schedule else ""
        team = self._teams.get(text_in(recipient, "id")) if kind == "team" else ""
        return f"team:{team}" if team else ""

    def _person_named(self, record: Raw) -> str:
        return self._people.get(text_in(record, "id")) or self._people.get(text_in(record, "username", "name"))

    def _zone(self, zone: str, where: str) -> str:
        try:
            return check_zone(zone) if zone else ""
        except Invalid:
            self._miss(where, f"time zone {zone}", "it is no name of the IANA database")
            return ""


def _windows(restriction: Raw) -> Iterable[MovedWindow]:
    if text_in(restriction, "type") == "time-of-day":
        start, end = _clocks(record_in(restriction, "restriction"))
        yield MovedWindow(start=start, end=end)
    for one in records_in(restriction, "restrictions"):
        first, last = (_day(text_in(one, key)) for key in ("startDay", "endDay"))
        start, end = _clocks(one)
        yield MovedWindow(days=(first,), start=start, end=end, end_day=last)


def _clocks(record: Raw) -> tuple[str, str]:
    hour = {key: int(number_in(record, key)) for key in ("startHour", "startMin", "endHour", "endMin")}
    return (
        f"{hour['startHour'] % 24:02}:{hour['startMin']:02}",
        f"{hour['endHour'] % 24:02}:{hour['endMin']:02}",
    )


def _day(name: str) -> str:
    short = name[:3].lower()
    return short if short in _DAYS else "mon"


def _address(text: str, kind: str) -> str:
    """Return an address; phone numbers stand there as `358-401234567`."""
    return text if kind == "email" else f"+{text.lstrip('+').replace('-', '')}"


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _local(at: datetime, zone: str) -> str:
    return f"{in_zone(at, zone):%Y-%m-%dT%H:%M}"


def _known_by(record: Raw) -> tuple[str, ...]:
    return tuple(value for key in ("id", "username", "name", "fullName") if (value := text_in(record, key)))
