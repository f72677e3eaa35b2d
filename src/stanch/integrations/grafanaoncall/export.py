"""Reads what Grafana OnCall's HTTP API answers about users, schedules, shifts, chains, integrations and routes.

A shift is an event there that is repeated (`frequency`, `interval`, `by_day`); `rolling_users` take it in turn. Here it
is a rotation with restrictions. Where several people hold a shift at once, the first is carried over.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.zone import check_zone
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
    texts_in,
)

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BY_DAY: Final = {"MO": "mon", "TU": "tue", "WE": "wed", "TH": "thu", "FR": "fri", "SA": "sat", "SU": "sun"}
_ROTATIONS: Final = {"hourly": "hourly", "daily": "daily", "weekly": "weekly", "monthly": "monthly"}
_PERIODS: Final = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_TARGETS: Final = {
    "notify_on_call_from_schedule": ("schedule", "notify_on_call_from_schedule"),
    "notify_team_members": ("team", "notify_team_members"),
}
_LAST_WAIT_S: Final = 300.0


class GrafanaOnCallExport:
    """Implements the migration port."""

    name = "grafana-oncall"

    def moved(self, export: Mapping[str, Sequence[Raw]], *, now: datetime) -> Moved:
        """Return the configuration in our words."""
        return _Moving(export, now).all()

    def log(self, export: Mapping[str, Sequence[Raw]]) -> tuple[tuple[OnCallThere, ...], tuple[PagedThere, ...]]:
        """Return `/schedules/<id>/final_shifts` as shifts; pages are not in its exports."""
        return tuple(
            OnCallThere(
                schedule=_known_by(record_in(one, "_parent")),
                who=tuple(text for key in ("user_pk", "user_email", "user_username") if (text := text_in(one, key))),
                start=_instant(text_in(one, "shift_start")),
                end=_instant(text_in(one, "shift_end")),
            )
            for one in export.get("final_shifts", ())
        ), ()


class _Moving:
    """One export on its way."""

    def __init__(self, export: Mapping[str, Sequence[Raw]], now: datetime) -> None:
        self._export = export
        self._now = now
        self._missed: list[Missed] = []
        self._people, self._schedules, self._policies, self._services = Names(), Names(), Names(), Names()
        self._teams = {text_in(one, "id"): text_in(one, "name") for one in export.get("teams", ())}
        self._shifts = {text_in(one, "id"): one for one in export.get("on_call_shifts", ())}

    def all(self) -> Moved:
        """Return everything; names first, as things speak of each other."""
        users, schedules = self._export.get("users", ()), self._export.get("schedules", ())
        chains, integrations = self._export.get("escalation_chains", ()), self._export.get("integrations", ())
        for one in users:
            self._people.give(text_in(one, "id"), text_in(one, "username"), text_in(one, "email").partition("@")[0])
        for names, found in ((self._schedules, schedules), (self._policies, chains), (self._services, integrations)):
            for one in found:
                names.give(text_in(one, "id"), text_in(one, "name"))
        for one in self._export.get("personal_notification_rules", ()):
            who = self._people.get(text_in(one, "user_id"))
            if text_in(one, "type") not in ("wait", "notify_by_email"):
                why = "numbers and accounts are not in its exports: give the person a method of this kind"
                self._miss(f"users {who}", text_in(one, "type"), why)
        return Moved(
            people=tuple(self._person(one) for one in users),
            schedules=tuple(self._schedule(one) for one in schedules),
            policies=tuple(self._policy(one) for one in chains),
            services=tuple(self._service(one) for one in integrations),
            missed=tuple(self._missed),
        )

    def _miss(self, where: str, what: str, why: str) -> None:
        self._missed.append(Missed(where=where, what=what, why=why))

    def _person(self, user: Raw) -> MovedPerson:
        email = text_in(user, "email")
        where = f"users {text_in(user, 'username', 'email')}"
        return MovedPerson(
            name=self._people.get(text_in(user, "id")),
            title=text_in(user, "name", "username", "email"),
            email=email,
            zone=self._zone(text_in(user, "timezone", "time_zone"), where),
            teams=tuple(team for one in texts_in(user, "teams") if (team := self._teams.get(one))),
            methods=(("email", "email", email),) if email else (),
        )

    def _schedule(self, schedule: Raw) -> MovedSchedule:
        title = text_in(schedule, "name")
        where = f"schedules {title}"
        zone = self._zone(text_in(schedule, "time_zone"), where) or "UTC"
        shifts = [self._shifts[one] for one in texts_in(schedule, "shifts") if one in self._shifts]
        for one in texts_in(schedule, "shifts"):
            if one not in self._shifts:
                self._miss(where, f"shift {one}", "it is not in the export")
        layers, overrides = [], []
        for shift in sorted(shifts, key=lambda one: number_in(one, "level")):
            if text_in(shift, "type") in ("single_event", "override"):
                overrides += self._stints(shift, where=where, zone=zone)
            else:
                layers += self._layers(shift, where=where, zone=zone)
        calendars = [url for key in ("ical_url_primary", "ical_url_overrides") if (url := text_in(schedule, key))]
        layers += [MovedLayer(name=f"calendar-{number}", calendar=url) for number, url in enumerate(calendars, start=1)]
        return MovedSchedule(
            name=self._schedules.get(text_in(schedule, "id")),
            title=title,
            zone=zone,
            team=self._teams.get(text_in(schedule, "team_id"), ""),
            layers=tuple(layers),
            overrides=tuple(overrides),
        )

    def _layers(self, shift: Raw, *, where: str, zone: str) -> list[MovedLayer]:
        name = text_in(shift, "name", "id")
        rotation = _ROTATIONS.get(text_in(shift, "frequency") or "weekly")
        until = text_in(shift, "until")
        if until and _naive(until) <= self._now.replace(tzinfo=None):
            return []
        groups = self._groups(shift)
        people = [self._first(group, where=where, name=name) for group in groups]
        turn = int(number_in(shift, "start_rotation_from_user_index"))
        people = [one for one in people[turn:] + people[:turn] if one]
        if not people or rotation is None or texts_in(shift, "by_month") or shift.get("by_monthday"):
            self._miss(where, name, "nobody of it is in the export" if not people else "its repetition cannot be said")
            return []
        interval = int(number_in(shift, "interval", 1)) or 1
        if text_in(shift, "type") == "recurrent_event" and interval > 1:
            self._miss(where, name, f"it is repeated every {interval} times only, by one person: make it a rotation")
            return []
        start = _naive(text_in(shift, "rotation_start", "start"))
        clock = _naive(text_in(shift, "start"))
        begin = datetime.combine(start.date(), clock.time(), tzinfo=None)
        own = text_in(shift, "time_zone")
        days = [_BY_DAY[day] for day in texts_in(shift, "by_day") if day in _BY_DAY]
        return [
            MovedLayer(
                name=name,
                people=tuple(people),
                rotation=rotation,
                length=interval,
                start=f"{begin:%Y-%m-%dT%H:%M}",
                end=f"{_naive(until):%Y-%m-%dT%H:%M}" if until else "",
                hand_over_day=_BY_DAY.get(text_in(shift, "week_start"), "") if days and rotation == "weekly" else "",
                zone=self._zone(own, where) if own and own != zone else "",
                restrictions=tuple(_windows(begin, number_in(shift, "duration"), rotation, interval, days)),
            )
        ]

    def _groups(self, shift: Raw) -> list[list[str]]:
        rolling = shift.get("rolling_users")
        if isinstance(rolling, list) and rolling:
            return [[one for one in group if isinstance(one, str)] for group in rolling if isinstance(group, list)]
        return [texts_in(shift, "users")]

    def _first(self, group: Sequence[str], *, where: str, name: str) -> str:
        known = [person for one in group if (person := self._people.get(one))]
        if len(known) > 1:
            why = "several people at once: name them in another schedule and page both in the policy"
            self._miss(where, f"{name}: {', '.join(known[1:])}", why)
        return known[0] if known else ""

    def _stints(self, shift: Raw, *, where: str, zone: str) -> list[MovedStint]:
        start = _naive(text_in(shift, "start"))
        end = start + timedelta(seconds=number_in(shift, "duration"))
        if end <= self._now.replace(tzinfo=None) - timedelta(days=1):
            return []
        own = text_in(shift, "time_zone")
        if own and own != zone:
            self._miss(where, text_in(shift, "name", "id"), f"its times are of {own}: check the override")
        person = self._first(
            [one for group in self._groups(shift) for one in group], where=where, name=text_in(shift, "name", "id")
        )
        return (
            [MovedStint(person=person, start=f"{start:%Y-%m-%dT%H:%M}", end=f"{end:%Y-%m-%dT%H:%M}")] if person else []
        )

    def _policy(self, chain: Raw) -> MovedPolicy:
        title, key = text_in(chain, "name"), text_in(chain, "id")
        where = f"escalation_chains {title}"
        rules = [
            one for one in self._export.get("escalation_policies", ()) if text_in(one, "escalation_chain_id") == key
        ]
        steps: list[tuple[list[str], float]] = []
        repeat, fresh = 0, True
        for one in sorted(rules, key=lambda rule: number_in(rule, "position")):
            kind = text_in(one, "type")
            if kind == "wait":
                if steps:
                    steps[-1] = (steps[-1][0], max(10.0, number_in(one, "duration", _LAST_WAIT_S)))
                fresh = True
            elif kind == "repeat_escalation":
                repeat = 5
            elif targets := self._reached(one, kind):
                if fresh:
                    steps.append((targets, _LAST_WAIT_S))
                else:
                    steps[-1] = ([*steps[-1][0], *targets], steps[-1][1])
                fresh = False
            else:
                self._miss(where, kind, "a policy here pages people, schedules and teams, and nothing else")
        return MovedPolicy(
            name=self._policies.get(key),
            title=title,
            steps=tuple((tuple(dict.fromkeys(targets)), wait) for targets, wait in steps),
            repeat=repeat,
        )

    def _reached(self, rule: Raw, kind: str) -> list[str]:
        if kind in ("notify_persons", "notify_person_next_each_time"):
            return [f"person:{name}" for one in texts_in(rule, "persons_to_notify") if (name := self._people.get(one))]
        word, key = _TARGETS.get(kind, ("", ""))
        id_ = text_in(rule, key, "team_to_notify") if key else ""
        name = self._schedules.get(id_) if word == "schedule" else self._teams.get(id_, "")
        return [f"{word}:{name}"] if name else []

    def _service(self, integration: Raw) -> MovedService:
        title, key = text_in(integration, "name"), text_in(integration, "id")
        where = f"integrations {title}"
        default = text_in(record_in(integration, "default_route"), "escalation_chain_id")
        for one in self._export.get("routes", ()):
            if text_in(one, "integration_id") != key:
                continue
            if one.get("is_the_last_route") is True:
                default = default or text_in(one, "escalation_chain_id")
            else:
                why = "only the default route is carried over: route by labels in alertmanager.yml"
                self._miss(where, f"route {text_in(one, 'routing_regex', 'id')}", why)
        if records_in(integration, "templates") or record_in(integration, "templates"):
            self._miss(where, "templates", "messages are written from the facts here")
        self._miss(where, f"sender {text_in(integration, 'type')}", "point the sender at /hooks/... here")
        return MovedService(
            name=self._services.get(key),
            title=title,
            team=self._teams.get(text_in(integration, "team_id"), ""),
            policy=self._policies.get(default),
        )

    def _zone(self, zone: str, where: str) -> str:
        try:
            return check_zone(zone) if zone else ""
        except Invalid:
            self._miss(where, f"time zone {zone}", "it is no name of the IANA database")
            return ""


def _windows(
    begin: datetime, duration_s: float, rotation: str, interval: int, days: Sequence[str]
) -> Iterable[MovedWindow]:
    """Yield when a shift holds within its turn; nothing where it fills the turn."""
    length = timedelta(seconds=duration_s)
    end = begin + length
    period = _PERIODS.get(rotation)
    whole = period is not None and length >= period * interval
    if rotation == "hourly" or (whole and not days):
        return
    if days:
        for day in days:
            at = _DAYS.index(day)
            last = _DAYS[(at + (end.date() - begin.date()).days) % 7]
            yield MovedWindow(days=(day,), start=f"{begin:%H:%M}", end=f"{end:%H:%M}", end_day=last)
    elif rotation == "weekly":
        day, last = _DAYS[begin.weekday()], _DAYS[end.weekday()]
        yield MovedWindow(days=(day,), start=f"{begin:%H:%M}", end=f"{end:%H:%M}", end_day=last)
    elif rotation == "daily":
        yield MovedWindow(start=f"{begin:%H:%M}", end=f"{end:%H:%M}")


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=None)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _known_by(record: Raw) -> tuple[str, ...]:
    return tuple(value for key in ("id", "name") if (value := text_in(record, key)))
