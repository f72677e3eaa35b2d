"""Reads calendars with the libraries `icalendar`, `recurring-ical-events` and `holidays`.

Public holidays come from the library and not from files, because it knows 150 countries offline and is renewed with
every upgrade; a company's own days off come as an iCalendar file by the same key.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import holidays
import httpx2
import recurring_ical_events  # type: ignore[import-untyped]  # it has no marker for its types
from icalendar import Calendar
from icalendar.cal import Component

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.zone import resolve
from stanch.ports.calendars import CalendarEvent

# A calendar of a thousand people's shifts for ten years is about 20 MB; a personal one is far below one.
_MOST_BYTES: Final = 5_000_000
_TIMEOUT_S: Final = 10.0
_DAY: Final = timedelta(days=1)


class CalendarReader:
    """Implements the calendar port."""

    def __init__(self, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._transport = transport

    def events(self, text: str, *, start: datetime, end: datetime, zone: str) -> tuple[CalendarEvent, ...]:
        """Return what an iCalendar text says, repetitions and exceptions worked out."""
        return _events(text, start, end, zone)

    def holidays(self, place: str, *, years: Iterable[int]) -> frozenset[date]:
        """Return the public holidays of a country or a part of one."""
        return _holidays(place, tuple(sorted(years)))

    def fetch(self, url: str) -> str:
        """Get the text at a URL."""
        try:
            with (
                httpx2.Client(transport=self._transport, timeout=_TIMEOUT_S, follow_redirects=True) as client,
                client.stream("GET", _web(url)) as answer,
            ):
                answer.raise_for_status()
                return _limited(answer)
        except httpx2.HTTPStatusError as error:
            status = error.response.status_code
            raise Unavailable(f"the calendar answered {status}", retry=status >= 500) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"the calendar cannot be reached: {type(error).__name__}", retry=True) from error


def _web(url: str) -> str:
    # What calendar programs hand out when one asks to subscribe.
    return "https://" + url.removeprefix("webcal://") if url.startswith("webcal://") else url


def _limited(answer: httpx2.Response) -> str:
    body = b""
    for part in answer.iter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise Unavailable(f"the calendar is larger than {_MOST_BYTES // 1_000_000} MB", retry=False)
    return body.decode("utf-8", "replace")


# A whole year of a team's calendar is some hundred events at about 300 bytes.
@lru_cache(maxsize=64)
def _events(text: str, start: datetime, end: datetime, zone: str) -> tuple[CalendarEvent, ...]:
    try:
        # Whole days belong to a zone, which the library does not know: a day more at both ends, cut off below.
        found = recurring_ical_events.of(Calendar.from_ical(text)).between(start - _DAY, end + _DAY)
    except (ValueError, IndexError, KeyError) as error:
        raise Invalid(f"is no iCalendar text: {error}", field="calendar") from error
    events = [_event(one, zone) for one in found if str(one.get("STATUS", "")).upper() != "CANCELLED"]
    return tuple(sorted((one for one in events if one.start < end and one.end > start), key=lambda one: one.start))


def _event(component: Component, zone: str) -> CalendarEvent:
    begin = component.decoded("DTSTART")
    stop = component.decoded("DTEND") if "DTEND" in component else begin
    days: tuple[date, ...] = ()
    if not isinstance(begin, datetime):
        last = max(stop, begin + timedelta(days=1))
        days = tuple(begin + timedelta(days=number) for number in range((last - begin).days))
        stop = last
    given = component.get("ATTENDEE", [])
    attendees = given if isinstance(given, list) else [given]
    return CalendarEvent(
        uid=str(component.get("UID", "")),
        title=str(component.get("SUMMARY", "")).strip(),
        start=_instant(begin, zone),
        end=_instant(stop, zone),
        days=days,
        people=tuple(_person(one) for one in attendees),
        free=str(component.get("TRANSP", "")).upper() == "TRANSPARENT",
        away=str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "OOF",
        categories=tuple(_categories(component.get("CATEGORIES", []))),
    )


def _categories(given: object) -> Iterator[str]:
    """Yield every category: the property may stand several times, each with several."""
    for one in given if isinstance(given, list) else [given]:
        yield from (str(name) for name in getattr(one, "cats", [one]))


def _instant(value: date | datetime, zone: str) -> datetime:
    if not isinstance(value, datetime):
        return resolve(value, time(), zone).at
    if value.tzinfo is None:
        return resolve(value.date(), value.time(), zone).at
    return value.astimezone(UTC)


def _person(attendee: object) -> str:
    text = str(attendee)
    return text[7:] if text.lower().startswith("mailto:") else text


@lru_cache(maxsize=256)
def _holidays(place: str, years: tuple[int, ...]) -> frozenset[date]:
    country, _, part = place.partition("-")
    try:
        found: Mapping[date, str] = holidays.country_holidays(country, subdiv=part or None, years=list(years))
    except NotImplementedError as error:
        raise Invalid(f"no public holidays are known of {place!r}: write FI or DE-BY", field="holidays") from error
    return frozenset(found)
