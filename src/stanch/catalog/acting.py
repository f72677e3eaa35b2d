"""How an action is decided on: how many people say yes, and when it may run by itself. Records and their keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.oncall import DAY_WORDS
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Invalid
from stanch.kernel.zone import check_zone

_MOST_PEOPLE: Final = 5
_SEVERITIES: Final = ("SEV1", "SEV2", "SEV3", "SEV4")

APPROVALS: Final = tuple(
    Key(name=risk, type=Type.COUNTS_BY_SEVERITY, doc=doc, low=1, high=_MOST_PEOPLE)
    for risk, doc in (
        ("low", "How many different people must say yes to an action of low risk."),
        ("high", "... of high risk."),
        ("irreversible", "... of what cannot be taken back."),
    )
)

GUARD: Final = (
    Key(name="most", type=Type.INTEGER, doc="So often at most ...", low=1, high=1_000),
    Key(name="within_s", type=Type.SECONDS, doc="... in this time.", low=60, high=31_536_000),
    Key(name="score", type=Type.RATIO, doc="The leading cause must be at least so likely.", low=0.5, high=1),
    Key(name="worst", type=Type.TEXT, doc="The worst severity in which it acts without a person.", words=_SEVERITIES),
    Key(name="share", type=Type.RATIO, doc="At most this share of all own services may be hit.", low=0, high=1),
    Key(name="risk", type=Type.TEXT, doc="The highest risk that it takes by itself.", words=("low", "high")),
    Key(name="hours", type=Type.CLOCKS, doc="Only between these times of day; may go over midnight."),
    Key(name="days", type=Type.TEXTS, doc="Only on these days: `mon` to `sun`, `weekday`, `weekend`."),
    Key(name="zone", type=Type.TEXT, doc="Time zone of `hours` and `days`; by default the installation's."),
)

RUNBOOK: Final = (
    Key(name="runbook", type=Type.TEXT, doc="The runbook's name.", required=True),
    Key(name="block", type=Type.INTEGER, doc="Which of its blocks, counted from 1.", required=True, low=1, high=1_000),
    Key(name="services", type=Type.TEXTS, doc="The services at which it may run by itself.", required=True),
    Key(name="guard", type=Type.TABLE, doc="When it may; the keys are those of an action's guard."),
)

AUTOMATIC: Final = (
    Key(
        name="runbooks",
        type=Type.LIST_OF_TABLES,
        doc="Blocks of runbooks that may run by themselves, `[[automatic.runbooks]]`.",
    ),
    Key(name="services", type=Type.TEXTS, doc="Only these services; by default all that mark an action."),
    Key(name="most", type=Type.INTEGER, doc="So many runs at most of everything together ...", low=0, high=1_000),
    Key(name="within_s", type=Type.SECONDS, doc="... in this time.", low=60, high=31_536_000),
)

_DAYS: Final = tuple(word for word in DAY_WORDS if word not in ("workday", "holiday"))


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """How many different people must say yes, by risk, SEV1 first. What only reads needs nobody.

    While everything is down one person's word is enough; what cannot be undone is worth a second look otherwise.
    """

    low: tuple[int, int, int, int] = (1, 1, 1, 1)
    high: tuple[int, int, int, int] = (1, 1, 1, 1)
    irreversible: tuple[int, int, int, int] = (1, 2, 2, 2)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """When an action that is marked automatic may run without a person's yes. Every line of it must hold."""

    most: int = 1
    within_s: float = 3600.0
    score: float = 0.9
    worst: str = "SEV2"
    share: float = 0.34
    risk: str = "low"
    hours: tuple[str, str] | None = None
    days: tuple[str, ...] = ()
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class AutomaticRunbook:
    """A block of a runbook that may run by itself at these services, where the runbook fits the incident."""

    runbook: str
    block: int
    services: tuple[str, ...] = ()
    guard: Guard = field(default_factory=Guard)


@dataclass(frozen=True, kw_only=True)
class Automatic:
    """What holds for all automatic actions together, and the runbooks among them."""

    runbooks: tuple[AutomaticRunbook, ...] = ()
    services: tuple[str, ...] = ()
    most: int = 3
    within_s: float = 3600.0


def read_guard(reader: Reader) -> dict[str, object]:
    """Return the fields of a guard; complain of days and zones that are none."""
    for day in reader.texts("days"):
        if day not in _DAYS:
            reader.complain("days", f"{day!r} is none of {', '.join(_DAYS)}{did_you_mean(day, _DAYS)}")
    zone = reader.text("zone")
    try:
        check_zone(zone or "UTC")
    except Invalid as error:
        reader.complain("zone", error.problems[0].message)
    return reader.given()


def read_automatic(reader: Reader, services: Sequence[str]) -> dict[str, object]:
    """Return the fields of the table; complain of services that are not declared."""
    _complain_of_services(reader, services)
    found = []
    for number, table in enumerate(reader.tables("runbooks")):
        one = reader.inner(table, at=f"runbooks.{number}", keys=RUNBOOK)
        _complain_of_services(one, services)
        found.append({**one.given(), "guard": read_guard(one.inner(one.table("guard"), at="guard", keys=GUARD))})
    return {**reader.given(), "runbooks": found}


def _complain_of_services(reader: Reader, services: Sequence[str]) -> None:
    for name in reader.texts("services"):
        if name not in services:
            reader.complain("services", f"names no service: {name!r}{did_you_mean(name, services)}")
