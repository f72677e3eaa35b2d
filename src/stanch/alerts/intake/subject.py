"""What an alert from outside is about, and whether it is an incident. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from stanch.alerts.intake.matchers import Matcher, matches_all, parse_matchers
from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, Problem


class LedTo(StrEnum):
    """What an alert led to in the incidents, or why to nothing."""

    DECLARED = "declared"
    ATTACHED = "attached"
    GROUPED = "grouped"
    BELOW_THRESHOLD = "below_threshold"
    NO_SERVICE = "no_service"
    UNKNOWN_SERVICE = "unknown_service"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MAINTENANCE = "maintenance"
    FLAPPING = "flapping"
    OVER = "over"

    @property
    def words(self) -> str:
        """Return it as a person reads it."""
        return _WORDS[self]


_WORDS = {
    LedTo.DECLARED: "declared",
    LedTo.ATTACHED: "grouped into",
    LedTo.GROUPED: "grouped into, where so many are listed already that this one is only counted",
    LedTo.BELOW_THRESHOLD: "below threshold: no matcher of alerting.declare_when fits, so it is only listed",
    LedTo.NO_SERVICE: "only listed: no label names a service",
    LedTo.UNKNOWN_SERVICE: "only listed: the service is not in the catalog",
    LedTo.SILENCED: "silenced by",
    LedTo.INHIBITED: "inhibited by",
    LedTo.MAINTENANCE: "expected:",
    LedTo.FLAPPING: "flapping: it comes and goes, and counts as firing until it is calm",
    LedTo.OVER: "it was over before it could lead to anything",
}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Whether an alert is to be an incident, for which service, and why not where it is none."""

    declares: bool
    service: str = ""
    why: LedTo | None = None


def judge(labels: Mapping[str, str], catalog: Catalog) -> Judgement:
    """Return whether an alert with `labels` declares or joins an incident."""
    rules = catalog.alerting
    severity = labels.get("severity", "")
    if not severity.islower():
        # Senders write Critical and CRITICAL too.
        labels = {**labels, "severity": severity.lower()}
    if not any(matches_all(one, labels) for one in parsed(rules.declare_when)):
        return Judgement(declares=False, why=LedTo.BELOW_THRESHOLD)
    service = service_of(labels, catalog)
    if service in catalog.services or (service and not rules.known_services_only):
        return Judgement(declares=True, service=service)
    return Judgement(declares=False, service=service, why=LedTo.UNKNOWN_SERVICE if service else LedTo.NO_SERVICE)


def heeded(catalog: Catalog) -> tuple[str, ...]:
    """Return the names of the labels that `judge` looks at: alerts that agree in them are judged alike."""
    rules = catalog.alerting
    asked = (one.name for matchers in parsed(rules.declare_when) for one in matchers)
    return tuple(dict.fromkeys(("severity", *asked, *rules.service_labels)))


def service_of(labels: Mapping[str, str], catalog: Catalog) -> str:
    """Return the service an alert is about: one of the catalog if any label names one, else what the first says.

    Case does not matter, and of `shop/payments`, as operators name jobs, the last part is enough.
    """
    names = _folded(tuple(catalog.services))
    given = [labels[label] for label in catalog.alerting.service_labels if labels.get(label)]
    for value in given:
        for part in (value, value.rpartition("/")[2]):
            if (found := names.get(part.casefold())) is not None:
                return found
    return given[0][:200] if given else ""


def naming(catalog: Catalog) -> Callable[[Mapping[str, str]], str]:
    """Return what names the service of an alert by its labels, for `catalog`."""
    return lambda labels: service_of(labels, catalog)


@lru_cache(maxsize=16)
def _folded(services: tuple[str, ...]) -> Mapping[str, str]:
    return {name.casefold(): name for name in services}


@lru_cache(maxsize=16)
def parsed(texts: tuple[str, ...]) -> tuple[tuple[Matcher, ...], ...]:
    """Return the matchers of each text. Raises `Invalid` on `matcher`."""
    return tuple(parse_matchers(text) for text in texts)


def check_matchers(catalog: Catalog) -> None:
    """Raise `Invalid` for every matcher of the catalog that is none."""
    problems = _wrong("alerting.declare_when", catalog.alerting.declare_when)
    for name, beat in catalog.heartbeats.items():
        problems += _wrong(f"heartbeats.{name}.alert", (beat.alert,) if beat.alert else ())
    if problems:
        raise Invalid(problems=problems, hint="docs/configuration.md shows how matchers are written")


def _wrong(field: str, texts: Sequence[str]) -> list[Problem]:
    found = []
    for text in texts:
        try:
            empty = not parse_matchers(text)
        except Invalid as error:
            found.append(Problem(field=field, message=error.message))
        else:
            if empty:
                found.append(Problem(field=field, message="an empty text would match every alert"))
    return found
