"""Reads what PagerDuty's API answers about users, schedules, policies and services, for moving away from it.

Layers stand there with the one that wins first; here it stands last. A layer counts its turns from
`rotation_virtual_start`, whoever is first in `users` being on then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
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
_A_MONDAY: Final = date(2026, 1, 5)
_METHODS: Final = {
    "email_contact_method": "email",
    "phone_contact_method": "voice",
    "sms_contact_method": "sms",
}
_NOT_MOVED: Final = {
    "rulesets": "event rules are not carried over: route alerts by labels in alertmanager.yml",
    "event_orchestrations": "event rules are not carried over: route alerts by labels in alertmanager.yml",
    "maintenance_windows": "maintenance is planned anew: stanch call maintenance.create",
    "business_services": "business services are not carried over: say depends_on and weight of each service",
    "response_plays": "response plays are not carried over: write a runbook",
    "extensions": "extensions are not carried over: name channels in stanch.toml",
}


class PagerDutyExport:
    """Implements the migration port."""

    name = "pagerduty"

    def moved(self, export: Mapping[str, Sequence[Raw]], *, now: datetime) -> Moved:
        """Return the configuration in our words."""
        return _Moving(export, now).all()

    def log(self, export: Mapping[str, Sequence[Raw]]) -> tuple[tuple[OnCallThere, ...], tuple[PagedThere, ...]]:
        """Return `/oncalls` as shifts and the `notify_log_entry` of `/log_entries` as pages."""
        shifts = [
            OnCallThere(
                schedule=_known_by(record_in(one, "schedule")),
                who=_known_by(record_in(one, "user")),
                start=_instant(text_in(one, "start")),
                end=_instant(text_in(one, "end")),
            )
            for one in export.get("oncalls", ())
            if record_in(one, "schedule") and text_in(one, "start") and text_in(one, "end")
        ]
        pages = [
            PagedThere(
                service=_known_by(record_in(one, "service")),
                who=_known_by(record_in(one, "user")),
                at=_instant(text_in(one, "created_at")),
                about=text_in(record_in(one, "incident"), "summary", "id"),
            )
            for one in export.get("log_entries", ())
            if text_in(one, "type") == "notify_log_entry" and record_in(one, "user")
        ]
        return tuple(shifts), tuple(pages)


class _Moving:
    """One export on its way."""

    def __init__(self, export: Mapping[str, Sequence[Raw]], now: datetime) -> None:
        self._export = export
        self._now = now
        self._missed: list[Missed] = []
        self._people, self._schedules, self._policies, self._services = Names(), Names(), Names(), Names()
        self._teams = {text_in(one, "id"): text_in(one, "name", "summary") for one in export.get("teams", ())}

    def all(self) -> Moved:
        """Return everything; names first, as things speak of each other."""
        users, schedules = self._export.get("users", ()), self._export.get("schedules", ())
        policies, services = self._export.get("escalation_policies", ()), self._export.get("services", ())
        for one in users:
            self._people.give(text_in(one, "id"), text_in(one, "email").partition("@")[0], text_in(one, "name"))
        for names, found in ((self._schedules, schedules), (self._policies, policies), (self._services, services)):
            for one in found:
                names.give(text_in(one, "id"), text_in(one, "name", "summary"))
        for kind, why in _NOT_MOVED.items():
            for one in self._export.get(kind, ()):
                self._miss(kind, text_in(one, "name", "summary", "id"), why)
        return Moved(
            people=tuple(self._person(one) for one in users),
            schedules=tuple(self._schedule(one) for one in schedules),
            policies=tuple(self._policy(one) for one in policies),
            services=tuple(self._service(one) for one in services),
            missed=tuple(self._missed),
        )

    def _miss(self, where: str, what: str, why: str) -> None:
        self._missed.append(Missed(where=where, what=what, why=why))

    def _person(self, user: Raw) -> MovedPerson:
        where = f"users {text_in(user, 'name', 'email', 'id')}"
        methods, ids = [], {}
        taken = Names()
        for one in records_in(user, "contact_methods"):
            kind = _METHODS.get(text_in(one, "type"))
            if kind is None:
                why = "an app of theirs: give the person a push topic instead"
                self._miss(where, text_in(one, "type", "summary"), why)
                continue
            address = text_in(one, "address")
            if kind in ("sms", "voice"):
                address = f"+{int(number_in(one, 'country_code', 1))}{address.lstrip('0')}"
            name = taken.give(text_in(one, "id"), kind)
            ids[text_in(one, "id")] = name
            methods.append((name, kind, address))
        rules = []
        for one in records_in(user, "notification_rules"):
            method = ids.get(text_in(record_in(one, "contact_method"), "id"))
            if method:
                after_s = number_in(one, "start_delay_in_minutes") * 60
                rules.append((method, after_s, text_in(one, "urgency") or "any"))
        return MovedPerson(
            name=self._people.get(text_in(user, "id")),
            title=text_in(user, "name", "email"),
            email=text_in(user, "email"),
            zone=self._zone(text_in(user, "time_zone"), where),
            teams=tuple(self._team(one) for one in records_in(user, "teams")),
            methods=tuple(methods),
            rules=tuple(rules),
        )

    def _schedule(self, schedule: Raw) -> MovedSchedule:
        title = text_in(schedule, "name", "summary")
        where = f"schedules {title}"
        zone = self._zone(text_in(schedule, "time_zone"), where) or "UTC"
        layers = [
            layer
            for one in reversed(records_in(schedule, "schedule_layers"))
            if (layer := self._layer(one, where=where, zone=zone))
        ]
        overrides = []
        for one in records_in(schedule, "overrides"):
            person = self._people.get(text_in(record_in(one, "user"), "id"))
            if person and _instant(text_in(one, "end")) > self._now:
                start, end = (_local(_instant(text_in(one, key)), zone) for key in ("start", "end"))
                overrides.append(MovedStint(person=person, start=start, end=end, why="carried over"))
        return MovedSchedule(
            name=self._schedules.get(text_in(schedule, "id")),
            title=title,
            zone=zone,
            team=next((self._team(one) for one in records_in(schedule, "teams")), ""),
            layers=tuple(layers),
            overrides=tuple(overrides),
        )

    def _layer(self, layer: Raw, *, where: str, zone: str) -> MovedLayer | None:
        name = text_in(layer, "name", "id")
        end = text_in(layer, "end")
        if end and _instant(end) <= self._now:
            return None
        people = []
        for one in records_in(layer, "users"):
            person = self._people.get(text_in(record_in(one, "user") or one, "id"))
            if person:
                people.append(person)
            else:
                who = text_in(record_in(one, "user") or one, "summary", "id")
                self._miss(where, f"{name}: {who}", "this user is not in the export; the turns are those of the others")
        if not people:
            self._miss(where, name, "nobody of this layer is in the export")
            return None
        turn_s = int(number_in(layer, "rotation_turn_length_seconds"))
        rotation, length, length_s = _turn(turn_s)
        anchor = _instant(text_in(layer, "rotation_virtual_start", "start"))
        start = _instant(text_in(layer, "start", "rotation_virtual_start"))
        if start > self._now and start > anchor:
            passed = (start - anchor) // timedelta(seconds=turn_s)
            people = people[passed % len(people) :] + people[: passed % len(people)]
            anchor += passed * timedelta(seconds=turn_s)
            if anchor != start:
                self._miss(where, name, "it begins within a turn; here that turn begins a little earlier")
        return MovedLayer(
            name=name,
            people=tuple(people),
            rotation=rotation,
            length=length,
            length_s=length_s,
            start=_local(anchor, zone),
            end=_local(_instant(end), zone) if end else "",
            restrictions=tuple(_windows(records_in(layer, "restrictions"))),
        )

    def _policy(self, policy: Raw) -> MovedPolicy:
        title = text_in(policy, "name", "summary")
        steps = []
        for number, rule in enumerate(records_in(policy, "escalation_rules"), start=1):
            targets = []
            for one in records_in(rule, "targets"):
                kind, names = _target(text_in(one, "type"), self._people, self._schedules)
                name = names.get(text_in(one, "id")) if names else ""
                if name:
                    targets.append(f"{kind}:{name}")
                else:
                    self._miss(
                        f"escalation_policies {title}",
                        f"level {number}: {text_in(one, 'summary', 'id')}",
                        "it is not in the export",
                    )
            if targets:
                steps.append((tuple(targets), number_in(rule, "escalation_delay_in_minutes", 30) * 60))
        return MovedPolicy(
            name=self._policies.get(text_in(policy, "id")),
            title=title,
            steps=tuple(steps),
            repeat=int(number_in(policy, "num_loops")),
        )

    def _service(self, service: Raw) -> MovedService:
        title = text_in(service, "name", "summary")
        where = f"services {title}"
        if text_in(service, "status") == "disabled":
            self._miss(where, "disabled", "it pages nobody there; here it does, until its policy is taken away")
        if text_in(record_in(service, "incident_urgency_rule"), "type") == "use_support_hours":
            self._miss(where, "support hours", "urgency here follows the severity of the incident")
        for one in records_in(service, "integrations"):
            why = "point the sender at /hooks/... (stanch alert sources lists them)"
            self._miss(where, f"integration {text_in(one, 'summary', 'name', 'id')}", why)
        return MovedService(
            name=self._services.get(text_in(service, "id")),
            title=title,
            description=text_in(service, "description"),
            team=next((self._team(one) for one in records_in(service, "teams")), ""),
            policy=self._policies.get(text_in(record_in(service, "escalation_policy"), "id")),
        )

    def _team(self, team: Raw) -> str:
        return self._teams.get(text_in(team, "id")) or text_in(team, "summary", "name", "id")

    def _zone(self, zone: str, where: str) -> str:
        try:
            return check_zone(zone) if zone else ""
        except Invalid:
            self._miss(where, f"time zone {zone}", "it is no name of the IANA database")
            return ""


def _target(kind: str, people: Names, schedules: Names) -> tuple[str, Names | None]:
    if kind.startswith("user"):
        return "person", people
    return ("schedule", schedules) if kind.startswith("schedule") else ("", None)


def _turn(seconds: int) -> tuple[str, int, int]:
    """Return rotation, length and the length of a custom one: 1,209,600 s is two weeks."""
    for rotation, unit in (("weekly", 604_800), ("daily", 86_400), ("hourly", 3600)):
        if seconds and not seconds % unit:
            return rotation, seconds // unit, 0
    return "custom", 1, max(60, seconds)


def _windows(restrictions: Iterable[Raw]) -> Iterable[MovedWindow]:
    for one in restrictions:
        clock = text_in(one, "start_time_of_day") or "00:00:00"
        length = timedelta(seconds=number_in(one, "duration_seconds"))
        begin = datetime.combine(_A_MONDAY, time.fromisoformat(clock), tzinfo=None)
        if text_in(one, "type") != "weekly_restriction":
            end = begin + length
            yield MovedWindow(start=f"{begin:%H:%M}", end=f"{end:%H:%M}")
            continue
        begin += timedelta(days=int(number_in(one, "start_day_of_week", 1)) - 1)
        end = begin + length
        yield MovedWindow(
            days=(_DAYS[begin.weekday()],), start=f"{begin:%H:%M}", end=f"{end:%H:%M}", end_day=_DAYS[end.weekday()]
        )


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _local(at: datetime, zone: str) -> str:
    return f"{in_zone(at, zone):%Y-%m-%dT%H:%M}"


def _known_by(record: Raw) -> tuple[str, ...]:
    return tuple(value for key in ("id", "email", "name", "summary") if (value := text_in(record, key)))
