"""How on-call reads in a terminal: who is on, the levels of a service, calendars, broken rules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from stanch.kernel.duration import format_duration
from stanch.kernel.zone import in_zone
from stanch.surfaces.cli.records import Record, children, line_of, moment, number_in, text_of, texts
from stanch.surfaces.cli.telling import at, faint, is_tty, paint, strong, table


def when(instant: datetime | None, zone: str) -> str:
    """Return an instant on the clock of `zone` on a terminal, else RFC 3339."""
    if instant is None or not is_tty():
        return at(instant)
    local = in_zone(instant, zone or "UTC")
    return f"{local:%a %Y-%m-%d %H:%M} {zone}"


def answer_lines(answer: Record) -> Iterator[str]:
    """Yield who is on call: a line for each schedule, then the levels of the service that was asked for."""
    rows = [schedule_row(card) for card in children(answer, "schedules")]
    yield from table(rows)
    for service in children(answer, "services"):
        yield from level_lines(service)
    for problem in texts(answer, "problems"):
        yield paint(f"! {problem}", "yellow")


def schedule_row(card: Record) -> tuple[str, ...]:
    """Return a schedule with who is on until when, who backs them up, and who is next."""
    zone = line_of(card, "zone")
    current, following, second = (_turn(card, key) for key in ("now", "next", "secondary"))
    on = strong(line_of(current, "person")) if current else paint("nobody", "red", bold=True)
    until = f"until {when(moment(current, 'end'), zone)}" if current else ""
    why = f"({line_of(current, 'why')})" if current and line_of(current, "why") else ""
    backup = f"secondary {line_of(second, 'person')}" if second else ""
    after = f"next {line_of(following, 'person')} {when(moment(following, 'start'), zone)}" if following else ""
    return (line_of(card, "schedule"), on, until, after, backup, why)


def level_lines(service: Record) -> Iterator[str]:
    """Yield whom an incident of a service pages, level by level."""
    name, severity = line_of(service, "service"), line_of(service, "severity")
    reason = text_of(service, "reason")
    if reason:
        yield paint(f"{name} {severity} would page nobody: {reason}", "red", bold=True)
        return
    if is_tty():
        yield strong(f"{name} {severity} pages, by policy {line_of(service, 'policy')}:")
    rows = []
    for level in children(service, "levels"):
        after = timedelta(seconds=number_in(level, "after_s") or 0)
        rows.append(
            (
                f"level {int(number_in(level, 'number') or 0)}",
                "at once" if not after else f"after {format_duration(after)}",
                ", ".join(texts(level, "people")) or paint("nobody", "red", bold=True),
                faint(", ".join(texts(level, "targets"))),
            )
        )
    fallback = texts(service, "fallback")
    rows.append(("last resort", "", ", ".join(fallback) or "nobody", ""))
    yield from table(rows)


def calendar_lines(answer: Record) -> Iterator[str]:
    """Yield the shifts of a calendar, then its gaps and broken rules."""
    zone = line_of(answer, "zone")
    rows = []
    for turn in children(answer, "turns"):
        start, end = moment(turn, "start"), moment(turn, "end")
        length = format_duration(end - start) if start and end else ""
        row = (when(start, zone), when(end, zone), length, line_of(turn, "schedule"), line_of(turn, "person"))
        rows.append((*row, line_of(turn, "why")))
    for gap in children(answer, "gaps"):
        start, end = moment(gap, "start"), moment(gap, "end")
        length = format_duration(end - start) if start and end else ""
        whom = paint("nobody", "red", bold=True)
        rows.append((when(start, zone), when(end, zone), length, line_of(gap, "schedule"), whom, ""))
    yield from table(rows)
    yield from broken_lines(answer)


def broken_lines(answer: Record) -> Iterator[str]:
    """Yield the rules that are broken, a sentence each."""
    for one in children(answer, "broken"):
        yield paint(f"! {text_of(one, 'message')}", "yellow")
    for problem in texts(answer, "problems"):
        yield paint(f"! {problem}", "yellow")


def handover_row(one: Record) -> tuple[str, ...]:
    """Return one change of who is on call."""
    turn = _turn(one, "turn")
    now = datetime.now(UTC)
    starts = moment(one, "at")
    waiting = f"in {format_duration(starts - now)}" if starts and starts > now and is_tty() else ""
    person = line_of(turn, "person") if turn else "nobody"
    zone = line_of(turn, "zone") if turn else "UTC"
    return (when(starts, zone), waiting, line_of(one, "schedule"), line_of(one, "before") or "nobody", "→", person)


def _turn(record: Record, key: str) -> Record | None:
    value = record.get(key)
    return value if isinstance(value, dict) else None
