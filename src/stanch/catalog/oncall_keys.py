"""The keys of on-call: those of `[oncall]`, of the files in `oncall/`, and what a person says about being reached."""

from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.oncall import ROTATIONS, URGENCIES, WEEKDAYS

ONCALL: Final = (
    Key(name="policy", type=Type.TEXT, doc="The escalation policy of services that name none."),
    Key(name="check_days", type=Type.INTEGER, doc="How far ahead the rules are checked, in days.", low=1, high=1000),
    Key(
        name="time_off",
        type=Type.TEXTS,
        doc="Words, or expressions, by which an event of a person's calendar is time off, in its title or category; "
        "`all` makes every event that takes time some.",
    ),
    Key(
        name="keep_days",
        type=Type.INTEGER,
        doc="How long pages and their attempts are kept once they are over, in days.",
        low=1,
        high=10_000,
    ),
    Key(name="schedules", type=Type.TABLES, doc="Who is on call when, `[oncall.schedules.checkout]`."),
    Key(name="policies", type=Type.TABLES, doc="Who is paged in which order, `[oncall.policies.checkout]`."),
    Key(name="severities", type=Type.TABLES, doc="What a severity changes, `[oncall.severities.SEV1]`."),
)

SCHEDULE: Final = (
    Key(name="title", type=Type.TEXT, doc="The name that people read; by default the key."),
    Key(name="team", type=Type.TEXT, doc="Whose schedule it is."),
    Key(name="zone", type=Type.TEXT, doc="Time zone of its local times; by default the installation's."),
    Key(name="layers", type=Type.LIST_OF_TABLES, doc="The rotations; later ones win over earlier ones."),
    Key(name="secondary", type=Type.TEXT, doc="The schedule of those who back this one up."),
    Key(name="gaps_on_purpose", type=Type.LIST_OF_TABLES, doc="When nobody needs to be on call."),
    Key(name="overrides", type=Type.LIST_OF_TABLES, doc="Who is on for a time, whatever the layers say."),
    Key(name="max_days", type=Type.INTEGER, doc="Days in a row a person may be on; 0: no limit.", low=0, high=366),
    Key(name="rest_hours", type=Type.NUMBER, doc="Hours between two shifts of a person; 0: none.", low=0, high=168),
    Key(name="holidays", type=Type.TEXT, doc="Public holidays: a country (`FI`, `DE-BY`) or an iCalendar file."),
)

LAYER: Final = (
    Key(name="name", type=Type.TEXT, doc="Its name within the schedule; by default its number."),
    Key(name="people", type=Type.TEXTS, doc="Who takes turns, in this order."),
    Key(name="rotation", type=Type.TEXT, doc="`hourly`, `daily`, `weekly`, `monthly` or `custom`.", words=ROTATIONS),
    Key(name="length", type=Type.INTEGER, doc="How many hours, days, weeks or months a turn lasts.", low=1, high=1000),
    Key(name="length_s", type=Type.SECONDS, doc="How long a `custom` turn lasts.", low=60, high=31_622_400),
    Key(name="start", type=Type.LOCAL, doc="When the first person's first turn begins."),
    Key(name="end", type=Type.LOCAL, doc="When the layer ends; by default never."),
    Key(name="hand_over", type=Type.CLOCK, doc="When turns change; by default the time of `start`, or 09:00."),
    Key(name="hand_over_day", type=Type.TEXT, doc="The day on which weekly turns change.", words=WEEKDAYS),
    Key(name="zone", type=Type.TEXT, doc="Time zone of its local times; by default the schedule's."),
    Key(name="restrictions", type=Type.LIST_OF_TABLES, doc="The only times in which the layer holds."),
    Key(name="calendar", type=Type.TEXT, doc="Instead of a rotation: an iCalendar file or URL that says who is on."),
)

WINDOW: Final = (
    Key(name="days", type=Type.TEXTS, doc="`mon` to `sun`, `weekday`, `weekend`, `workday`, `holiday`; else all."),
    Key(name="start", type=Type.CLOCK, doc="From when on each of these days."),
    Key(name="end", type=Type.CLOCK, doc="Until when; not after `start` means on the next day."),
    Key(name="end_day", type=Type.TEXT, doc="The day of `end`, where it is a later one.", words=WEEKDAYS),
    Key(name="zone", type=Type.TEXT, doc="Time zone of these times, or `person` for that of whose turn it is."),
)

STINT: Final = (
    Key(name="person", type=Type.TEXT, doc="Who is on.", required=True),
    Key(name="start", type=Type.LOCAL, doc="From when.", required=True),
    Key(name="end", type=Type.LOCAL, doc="Until when.", required=True),
    Key(name="why", type=Type.TEXT, doc="The reason, for people."),
)

POLICY: Final = (
    Key(name="title", type=Type.TEXT, doc="The name that people read; by default the key."),
    Key(name="steps", type=Type.LIST_OF_TABLES, doc="The levels, in order.", required=True),
    Key(name="repeat", type=Type.INTEGER, doc="How many times all steps are gone through again.", low=0, high=20),
    Key(name="fallback", type=Type.TEXTS, doc="Who is paged when nobody answered at any level."),
    Key(
        name="stale_after_s",
        type=Type.SECONDS,
        doc="After how long without any action an acknowledgement goes stale; 0: never.",
        low=0,
        high=604_800,
    ),
)

STEP: Final = (
    Key(
        name="targets",
        type=Type.TEXTS,
        doc="`person:alice`, `schedule:checkout`, `schedule:checkout/all` or `team:commerce`.",
        required=True,
    ),
    Key(name="wait_s", type=Type.SECONDS, doc="How long they have to answer.", low=10, high=86_400),
)

SEVERITY: Final = (
    Key(name="everyone", type=Type.BOOLEAN, doc="Page everyone of the first step's rotations at once."),
    Key(name="specialist", type=Type.BOOLEAN, doc="Page the service's `specialists` too."),
    Key(name="also", type=Type.TEXTS, doc="Further targets of the first step."),
    Key(name="policy", type=Type.TEXT, doc="Use this policy instead of the service's."),
    Key(name="urgency", type=Type.TEXT, doc="`high` or `low`: which notification rules hold.", words=URGENCIES[:2]),
)

RULE: Final = (
    Key(name="method", type=Type.TEXT, doc="The name of one of their methods.", required=True),
    Key(name="after_s", type=Type.SECONDS, doc="How long after the page.", low=0, high=86_400),
    Key(name="urgency", type=Type.TEXT, doc="For pages of which urgency: `high`, `low` or `any`.", words=URGENCIES),
)

FILE: Final = (
    *ONCALL,
    Key(name="people", type=Type.TABLES, doc="As in `stanch.toml`."),
    Key(name="services", type=Type.TABLES, doc="As in `stanch.toml`."),
)
"""What a file in `oncall/` may hold: the keys of `[oncall]` without that word, people and services."""
