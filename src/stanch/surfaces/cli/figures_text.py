"""Figures as text: what was measured over all incidents and by group, what came back, noise, pages, and definitions."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from stanch.kernel.duration import format_duration
from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, number_in, text_of, texts
from stanch.surfaces.cli.telling import at, faint, percent, rule, strong, table

MEASURES: Final = ("detect", "acknowledge", "mitigate", "resolve")
_HEAD: Final = ("", "incidents", "open", "repeats", *(f"{name} median / p90 (of)" for name in MEASURES))
_KINDS: Final = ("day", "night", "weekend", "holiday")


def figures_lines(told: Record) -> Iterator[str]:
    """Yield figures for a person to read."""
    yield strong(f"Incidents from {at(moment(told, 'since'))} to {at(moment(told, 'until'))}, by {line_of(told, 'by')}")
    yield from table([_HEAD, *(_row(one) for one in children(told, "groups")), _row(child(told, "overall"))])
    yield from _left_out(told)
    again = children(told, "repeats")
    yield ""
    yield rule("What came back")
    if not again:
        yield faint("nothing whose cause is known")
    yield from table([_repeat(one) for one in again])
    yield ""
    yield rule("Alerts")
    yield from _noise(child(told, "noise"))
    yield ""
    yield rule("Pages")
    yield from _paging(child(told, "paging"))
    yield ""
    yield rule("What is measured")
    definitions = child(told, "definitions")
    yield from (f"{name}: {text_of(definitions, name)}" for name in definitions)


def similar_lines(one: Record) -> Iterator[str]:
    """Yield a past incident that is like another: which, how like, what ended it, and why it is shown."""
    lasted = number_in(one, "lasted_s")
    over = f"over after {length(lasted)}" if lasted is not None else line_of(one, "status")
    alike = f"{100 * (number_in(one, 'score') or 0):.0f} % alike"
    yield strong(f"{line_of(one, 'key')} {line_of(one, 'title')}")
    yield f"  {alike}, {at(moment(one, 'declared_at'))}, {over}: {line_of(one, 'url')}"
    for name, words in (("mitigation", "ended by"), ("cause", "cause")):
        if said := line_of(one, name):
            yield f"  {words}: {said}"
    yield f"  {faint('; '.join(texts(one, 'reasons')))}"


def length(seconds: float | None) -> str:
    """Return a length of time in its two largest units, a dash where it is not known."""
    return "–" if seconds is None else format_duration(timedelta(seconds=round(seconds)))


def _row(one: Record) -> tuple[str, ...]:
    counts = (f"{count_in(one, name)}" for name in ("incidents", "open", "repeats"))
    return (line_of(one, "name"), *counts, *(_spread(child(one, name)) for name in MEASURES))


def _spread(one: Record) -> str:
    known = count_in(one, "known")
    if not known:
        return "–"
    return f"{length(number_in(one, 'median_s'))} / {length(number_in(one, 'p90_s'))} ({known})"


def _left_out(told: Record) -> Iterator[str]:
    for name, words in (("dismissed", "dismissed or merged"), ("drills_left_out", "drills (count them: --drills)")):
        if count := count_in(told, name):
            yield faint(f"left out: {count} {words}")


def _repeat(one: Record) -> Sequence[str]:
    return (
        f"INC-{count_in(one, 'incident')}",
        f"again after {number_in(one, 'days') or 0:.0f} d (INC-{count_in(one, 'before')})",
        line_of(one, "service"),
        line_of(one, "cause_kind"),
        line_of(one, "title"),
    )


def _noise(one: Record) -> Iterator[str]:
    alerts, led, none = (count_in(one, name) for name in ("alerts", "led_to_incident", "led_to_none"))
    per = number_in(one, "per_incident")
    share = f" ({percent(none / alerts)})" if alerts else ""
    yield f"{alerts:,} {'alert' if alerts == 1 else 'alerts'}: {led:,} led to an incident, {none:,} to none{share}"
    if per is not None:
        yield f"{per:g} {'alert' if per == 1 else 'alerts'} per incident (median over those with alerts)"


def _paging(one: Record) -> Iterator[str]:
    pages, acknowledged, acted = (count_in(one, name) for name in ("pages", "acknowledged", "acted_on"))
    share = f" ({percent(acted / pages)})" if pages else ""
    yield f"{pages:,} {'page' if pages == 1 else 'pages'}: {acknowledged:,} acknowledged, {acted:,} acted on{share}"
    people = children(one, "people")
    if people:
        rows = [_person(person) for person in people]
        yield from table([("who", "pages", *_KINDS, "hours of sleep interrupted"), *rows])


def _person(one: Record) -> tuple[str, ...]:
    kinds = child(one, "by_kind")
    counts = (f"{count_in(kinds, kind)}" for kind in _KINDS)
    return (line_of(one, "name"), f"{count_in(one, 'pages')}", *counts, f"{count_in(one, 'sleep_hours')}")
