"""What the answer to a query of a pack means: a sentence, a status, signals that the ranking understands. Pure.

Owns the judgement of thresholds; what a signal means for a cause is `kinds`' business.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from stanch.diagnose.measure import Track, measure, points
from stanch.kernel.event import JSON
from stanch.packs.model import Query, Take
from stanch.packs.wording import said, sentence
from stanch.ports.evidence import FindingStatus, Signal
from stanch.ports.query import Line, Reply, Row

_MOST_ROWS: Final = 20
_MOST_TOLD: Final = 3
_MOST_LINES: Final = 12
_MOST_SERVICES: Final = 5
_SUFFIX: Final = {"ratio": "_share", "bytes": "_bytes", "s": "_s", "ms": "_ms"}
# Where exporters, scrapers and clusters say which service a series is about, the most telling first.
_SERVICE_LABELS: Final = (
    *("service", "service_name", "app", "app_kubernetes_io_name", "application", "deployment", "job", "container"),
    *("workload", "pod", "name", "instance"),
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an answer says. `data` holds its rows and series for a table and a chart."""

    status: FindingStatus
    summary: str
    signals: tuple[Signal, ...] = ()
    data: dict[str, JSON]

    @property
    def raised(self) -> bool:
        """Tell whether something in it is out of the ordinary."""
        return any(signal.data.get("raised") is True for signal in self.signals)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One thing that is judged: its value, its normal where one is known, the words about it, whether it is raised."""

    value: float | None
    words: Row
    raised: bool
    services: tuple[str, ...]
    resource: str = ""
    base: Signal | None = None


def judge(
    query: Query,
    reply: Reply,
    *,
    name: str,
    about: Sequence[str],
    known: Collection[str],
    onset: datetime,
    now: datetime,
) -> Told:
    """Return what `reply` says about the system `name`; `about` are the services it speaks of when it names none.

    `known` are the services that labels may name.
    """
    rows = [row for row in reply.rows if _is_kept(query, row)]
    entries = (
        _of_lines(query, reply.lines, known=known, onset=onset, now=now)
        if reply.lines
        else _of_rows(query, rows, about=about, known=known)
    )
    shown: list[JSON] = [dict(row) for row in rows[:_MOST_ROWS]]
    data: dict[str, JSON] = {"query": f"{query.pack}.{query.name}", "unit": query.unit}
    if shown:
        data["rows"] = shown
    if reply.lines:
        data["series"] = [
            points(Track(service="", metric=query.title, times=line.times, values=line.values, labels=line.labels))
            for line in _worst_lines(query, reply.lines)
        ]
    empty = not rows and not reply.lines
    if not entries or (empty and query.take is not Take.COUNT and not query.none):
        return Told(status=FindingStatus.NO_DATA, summary=_calm(query, name, empty=empty), data=data)
    signals = tuple(signal for entry in entries for signal in _signals(query, entry, name=name))
    if empty:
        status = FindingStatus.OK if query.take in (Take.COUNT, Take.SUM) else FindingStatus.NO_DATA
        return Told(status=status, summary=_calm(query, name, empty=True), signals=signals, data=data)
    told = _told(query, entries)
    cut = " (there are more than are shown)" if reply.cut else ""
    return Told(status=FindingStatus.OK, summary=f"{name}: {told}{cut}", signals=signals, data=data)


def service_of(row: Row | dict[str, str], *, known: Collection[str]) -> str:
    """Return the service that labels are about: a label that is its name, or a pod or host named after it."""
    for label in _SERVICE_LABELS:
        value = row.get(label)
        if not isinstance(value, str) or not value:
            continue
        if value in known:
            return value
        named = [name for name in known if value.startswith((f"{name}-", f"{name}.", f"{name}:"))]
        if named:
            return max(named, key=len)
    return ""


def _of_rows(query: Query, rows: Sequence[Row], *, about: Sequence[str], known: Collection[str]) -> list[_Entry]:
    if not query.per:
        return [_entry(query, rows, about=about, known=known)] if rows or query.take in (Take.COUNT, Take.SUM) else []
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.get(query.per, "")), []).append(row)
    return [_entry(query, group, about=about, known=known, each=each) for each, group in groups.items()]


def _entry(
    query: Query, rows: Sequence[Row], *, about: Sequence[str], known: Collection[str], each: str = ""
) -> _Entry:
    values = [number for row in rows if (number := _number(row.get(query.value))) is not None]
    speaker: Row = rows[0] if rows else {}
    value: float | None
    match query.take:
        case Take.COUNT:
            value = float(len(rows))
        case Take.SUM:
            value = math.fsum(values)
        case Take.MAX | Take.MIN:
            pick = max if query.take is Take.MAX else min
            value = pick(values, default=None)
            speaker = next((row for row in rows if _number(row.get(query.value)) == value), speaker)
        case Take.FIRST:
            value = _number(speaker.get(query.value))
    named = service_of(speaker, known=known)
    words = {**speaker, "count": len(rows), "sum": math.fsum(values), "value": _in_unit(query, value)}
    return _Entry(
        value=value,
        words=words,
        raised=_is_raised(query, value, normal=None),
        services=(named,) if named else tuple(about)[:_MOST_SERVICES],
        resource=" of ".join(part for part in (query.resource, each) if part),
    )


def _of_lines(
    query: Query, lines: Sequence[Line], *, known: Collection[str], onset: datetime, now: datetime
) -> list[_Entry]:
    found = []
    for line in lines:
        named = service_of(dict(line.labels), known=known)
        if not named and not query.resource and not query.per:
            continue  # a service that nobody asked about; a host or a pod may be anybody's
        each = line.labels.get(query.per, "") if query.per else ""
        track = Track(service=named, metric=query.signal or query.name, times=line.times, values=line.values)
        base = measure(track, onset=onset, now=now)
        if base is None or base.value is None:
            continue
        if query.take is Take.MAX:
            base = _highest(base, line, onset=onset)
        judged = query.threshold is not None or query.factor is not None
        raised = _is_raised(query, base.value, normal=base.normal) if judged else base.data.get("raised") is True
        words: Row = {**line.labels, "value": _in_unit(query, base.value), "normal": _in_unit(query, base.normal)}
        found.append(
            _Entry(
                value=base.value,
                words=words,
                raised=raised,
                services=(named,) if named else (),
                resource=" of ".join(part for part in (query.resource, each) if part),
                base=base,
            )
        )
    return found


def _highest(base: Signal, line: Line, *, onset: datetime) -> Signal:
    """Return the signal with the highest value since the onset, beside the highest before it."""
    pairs = list(zip(line.times, line.values, strict=True))
    before = [value for at, value in pairs if at <= onset.timestamp()]
    after = [value for at, value in pairs if at > onset.timestamp()]
    return replace(base, value=max(after), normal=max(before, default=None))


def _is_raised(query: Query, value: float | None, *, normal: float | None) -> bool:
    """Judge a value: past the threshold, and where a normal is known past `factor` times of it as well."""
    if value is None or (query.threshold is None and query.factor is None):
        return False
    beyond = True
    if query.threshold is not None:
        beyond = value <= query.threshold if query.below else value >= query.threshold
    if query.factor is None:
        return beyond
    if normal is None:
        return beyond and query.threshold is not None
    return beyond and (value <= normal / query.factor if query.below else value >= normal * query.factor and value > 0)


def _signals(query: Query, entry: _Entry, *, name: str) -> list[Signal]:
    if not query.signal or entry.value is None:
        return []
    data: dict[str, JSON] = {"raised": entry.raised, "query": f"{query.pack}.{query.name}"}
    if query.per or not query.resource:
        # What tells the signals of several systems, and of several of their parts, apart.
        data["resource"] = entry.resource or name
    else:
        data["resource"] = f"{query.resource} of {name}"
    text = sentence(query.says, entry.words) if query.says else ""
    base = entry.base or Signal(name=query.signal)
    if "rise_s" in base.data:
        data["rise_s"] = base.data["rise_s"]
    made = replace(base, value=entry.value, unit=query.unit, text=text, data=data)
    return [replace(made, service=service) for service in (entry.services or ("",))]


def _told(query: Query, entries: Sequence[_Entry]) -> str:
    raised = [entry for entry in entries if entry.raised]
    if raised:
        told = "; ".join(_says(query, entry) for entry in raised[:_MOST_TOLD])
        return told + (f"; and {len(raised) - _MOST_TOLD} more" if len(raised) > _MOST_TOLD else "")
    sign = 1 if query.below else -1
    calm = sorted(entries, key=lambda entry: sign * (entry.value if entry.value is not None else -math.inf))
    if calm[0].value is None and query.none:
        return query.none
    if query.take is Take.SUM and not calm[0].value and query.none:
        return query.none
    return _says(query, calm[0]) + (f" ({len(entries)} looked at)" if len(entries) > 1 else "")


def _says(query: Query, entry: _Entry) -> str:
    if query.says:
        told = sentence(query.says, entry.words)
    else:
        told = f"{query.title}{f' of {entry.resource}' if query.per and entry.resource else ''}: {entry.words['value']}"
    normal = entry.base.normal if entry.base is not None else None
    return told if normal is None else f"{told}, normal {_in_unit(query, normal)}"


def _calm(query: Query, name: str, *, empty: bool) -> str:
    if empty and query.none:
        return f"{name}: {sentence(query.none, {})}"
    return f"{name}: {query.title}: no data"


def _in_unit(query: Query, value: float | None) -> str:
    said_so = said(f"value{_SUFFIX.get(query.unit, '')}", value)
    return said_so if query.unit in _SUFFIX or not query.unit or value is None else f"{said_so} {query.unit}"


def _is_kept(query: Query, row: Row) -> bool:
    return all(str(row.get(column, "")) in values for column, values in query.keep.items())


def _worst_lines(query: Query, lines: Sequence[Line]) -> list[Line]:
    if len(lines) <= _MOST_LINES:
        return list(lines)
    sign = 1 if query.below else -1
    return sorted(lines, key=lambda line: sign * (line.values[-1] if line.values else 0.0))[:_MOST_LINES]


def _number(value: JSON) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None
