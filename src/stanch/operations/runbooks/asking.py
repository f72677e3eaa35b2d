"""Asking what a block of a runbook asks, and judging what came back. Only what reads is ever asked from here."""

import json
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from stanch.alerts.series import LATEST_LOOKS, baseline_before, read_series, recent_value
from stanch.catalog.systems import SystemConfig
from stanch.incidents.model import Reading
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.mitigate.runbooks.expecting import holds
from stanch.mitigate.runbooks.filling import fill_commands, fill_text
from stanch.mitigate.runbooks.model import Block, Comparison, Expectation, Language, Runbook
from stanch.mitigate.runbooks.requests import read_request
from stanch.mitigate.verification import check_of, figure, judge, named
from stanch.operations.asking import concerns
from stanch.operations.runbooks.views import CheckView
from stanch.operations.world import World
from stanch.ports.query import Ask, QuerySource, Reply
from stanch.store import Connection

TIMEOUT_S: Final = 8.0
LONGEST: Final = 8 * 1024
_WINDOW: Final = timedelta(minutes=30)
_RESTARTS: Final = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a block is filled with and put to: values by name, the services it is about, when it began (UTC)."""

    values: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    onset: datetime


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back: as text, as rows of names with values, and as figures where it has one column."""

    text: str
    rows: tuple[Mapping[str, JSON], ...] = ()
    figures: tuple[float, ...] = ()

    @property
    def trouble(self) -> str:
        """Return why there is no answer, where that is an answer itself."""
        found = self.rows[0].get("trouble") if self.rows else ""
        return found if isinstance(found, str) else ""


def run_block(world: World, known: Known, runbook: Runbook, block: Block) -> CheckView:
    """Ask what a block asks and return how it ended. Raises nothing for what a system does."""
    began = time.monotonic()
    asked, on = block.text, ""
    try:
        if block.language is Language.OWN:
            on, asked = "stanch", fill_text(block, known.values)
            answered = _own(world, known, asked)
        else:
            source = source_of(world, known, block)
            on = source.name
            asked, answered = _ask(world, source, block, dict(source.settings) | dict(known.values))
        judged = judged_by(block.expects, answered) if block.expects else None
        outcome, answer = {True: "as_expected", False: "not_as_expected", None: "told"}[judged], answered.text
    except (Refused, NotFound, Unavailable, Invalid) as error:
        outcome, answer = "failed", error.message
    return CheckView(
        runbook=runbook.id,
        block=block.number,
        heading=block.heading,
        asked=redact(asked),
        on=on,
        outcome=outcome,
        answer=redact(answer)[:LONGEST],
        expects=block.expects.words if block.expects else "",
        took_s=round(time.monotonic() - began, 3),
    )


def source_of(world: World, known: Known, block: Block) -> QuerySource:
    """Return the system that a block is put to. Raises `NotFound` naming what is missing."""
    kinds = kinds_of(block)
    fitting = [source for source in world.systems if source.system in kinds]
    if block.language is Language.HTTP:
        return _http_source(world, known, block, fitting)
    what = " or ".join(sorted(kinds))
    if block.on:
        named_so = [source for source in fitting if source.name == block.on]
        if not named_so:
            raise NotFound(f"no system {block.on!r} of the kind {what} is configured", hint=there_are(fitting))
        return named_so[0]
    near = [source for source in fitting if concerns(source, known.services)]
    if not near:
        raise NotFound(f"no system of the kind {what} is configured for what is affected")
    return near[0]


def there_are(systems: Iterable[QuerySource | SystemConfig]) -> str:
    """Return the names that would have done, in words."""
    names = ", ".join(dict.fromkeys(one.name for one in systems))
    return f"there are {names}" if names else "there is none: [systems] in stanch.toml"


def kinds_of(block: Block) -> frozenset[str]:
    """Return the kinds of systems that a block can be put to."""
    if block.language is Language.SH:
        return frozenset({"kubernetes"} if block.text.lstrip("$ ").startswith("kubectl") else {"linux"})
    return frozenset(block.kinds)


def _http_source(world: World, known: Known, block: Block, fitting: Sequence[QuerySource]) -> QuerySource:
    """Return whose address a request is for: the named one, the one that covers it, else one of what is affected."""
    candidates = (*fitting, *world.endpoints)
    if block.on:
        found = [source for source in candidates if source.name == block.on]
        if not found:
            said = f"no system {block.on!r} of the kind http is configured, and no service has a check there"
            raise NotFound(said, hint=there_are(candidates))
        return found[0]
    target = read_request(block.text).target
    if "://" in target:
        place = urlsplit(target).netloc
        covers = [source for source in candidates if urlsplit(source.where).netloc == place]
        if not covers:
            raise NotFound(f"{place} is no system of the kind http, and no check looks there")
        return max(covers, key=lambda source: len(source.where) if target.startswith(source.where) else 0)
    service = known.values.get("service", "")
    near = [source for source in candidates if concerns(source, known.services)]
    own = [source for source in near if service in source.services]
    if not near:
        raise NotFound("no system of the kind http is configured for what is affected, and no check looks at it")
    return (own or near)[0]


def _ask(world: World, source: QuerySource, block: Block, values: Mapping[str, str]) -> tuple[str, Answered]:
    """Ask and return what was asked, and the answer."""
    if block.language is Language.SH:
        texts = [shlex.join(argv) for argv in fill_commands(block, values)]
    elif block.language is Language.REDIS:
        texts = [line for line in fill_text(block, values).splitlines() if line.strip()]
    else:
        texts = [fill_text(block, values)]
    now = world.clock.now()
    with source.open() as session:
        replies = [session.ask(Ask(text=text, start=now - _WINDOW, end=now, timeout_s=TIMEOUT_S)) for text in texts]
    return "\n".join(texts), Answered(
        text="\n".join(
            _words(reply, block.language, of=block.expects.of if block.expects else "") for reply in replies
        ),
        rows=tuple(row for reply in replies for row in reply.rows),
        figures=tuple(value for reply in replies for value in _figures(reply)),
    )


def _own(world: World, known: Known, text: str) -> Answered:
    """Return Stanch's own figures, one line each: `metric service`, and labels that choose one of several series."""
    told: list[str] = []
    rows: list[Mapping[str, JSON]] = []
    now = world.clock.now()
    with world.store.reading() as view:
        for line in text.splitlines():
            metric, service, *rest = line.split()
            labels = dict(word.split("=", 1) for word in rest)
            configured = world.catalog.services.get(service)
            slowest_s = max((check.every_s for check in configured.checks), default=0.0) if configured else 0.0
            window_s = max(world.catalog.timing.detect_window_s, LATEST_LOOKS * slowest_s)
            if metric == "restarts":
                window_s = max(window_s, _RESTARTS.total_seconds())
            value = _value(view.connection, service, metric, labels or None, now=now, window_s=window_s)
            if value is None:
                raise Unavailable(f"{named(service, metric)} is not measured", retry=True)
            before = baseline_before(
                view.connection,
                service=service,
                metric=metric,
                onset=known.onset,
                window_s=world.catalog.timing.baseline_s,
                labels=labels or None,
            )
            reading = Reading(
                metric=metric,
                service=service,
                value=value,
                normal=before.median if before else None,
                high=before.high if before else None,
                labels=labels,
            )
            check = check_of(reading, world.catalog)
            normal = f", normal {figure(metric, before.median)}" if before else ""
            if not check.is_judged:
                normal = f"; what is normal is not known: too little was measured before {known.onset:%H:%M:%S}Z"
            told.append(f"{named(service, metric, labels=check.labels)} {figure(metric, value)}{normal}")
            is_normal = not judge(check, value) if check.is_judged else None
            rows.append({"service": service, "metric": metric, "value": value, "normal": is_normal})
    return Answered(text="\n".join(told), rows=tuple(rows), figures=tuple(float(str(row["value"])) for row in rows))


def _value(
    connection: Connection, service: str, metric: str, labels: dict[str, str] | None, *, now: datetime, window_s: float
) -> float | None:
    """Return what a metric is lately; of restarts how many there were, for the middle of their looks is mostly none."""
    if metric != "restarts":
        return recent_value(connection, service=service, metric=metric, now=now, window_s=window_s, labels=labels)
    start = now - timedelta(seconds=window_s)
    counted = read_series(connection, service=service, metric=metric, start=start, end=now, labels=labels).values
    return sum(counted) if counted else None


def judged_by(expected: Expectation, answered: Answered) -> bool | None:
    """Tell whether an answer is as expected; None where it says nothing of that.

    Raises `NotFound` where the expectation is of something that the answer does not have.
    """
    if answered.trouble:
        return False
    if expected.comparison is Comparison.NORMAL:
        seen = [row["normal"] for row in answered.rows if "normal" in row]
        # Where one of them is not, it does not matter that of another nobody knows.
        if None in seen and False not in seen:
            return None
        return holds(expected, answered.text, tuple(float(bool(one)) for one in seen))
    if expected.comparison is Comparison.STATUS:
        return holds(expected, answered.text, tuple(_numbers([row.get("status") for row in answered.rows])))
    if not expected.of:
        return holds(expected, answered.text, _figures_of(expected, answered))
    found = [value for row in answered.rows for value in _selected(row, expected.of)]
    if not found and answered.rows and any(len(row) > 1 for row in answered.rows):
        raise NotFound(f"the answer has no {expected.of}")
    if not found:
        return holds(expected, answered.text, answered.figures)
    return holds(expected, "\n".join(_plain(value) for value in found), tuple(_numbers(found)))


def _figures_of(expected: Expectation, answered: Answered) -> tuple[float, ...]:
    """Return the figures of an answer; of an answer over HTTP its body where that is a number, else its status."""
    statuses = _numbers([row.get("status") for row in answered.rows if "took_ms" in row])
    if not statuses or expected.comparison in (Comparison.CONTAINS, Comparison.EMPTY):
        return answered.figures
    return tuple(_numbers([row.get("body") for row in answered.rows])) or tuple(statuses)


def _selected(row: Mapping[str, JSON], of: str) -> list[JSON]:
    """Return what a column, or a JSON pointer (RFC 6901) into a body, says; `*` in a pointer means each of a list."""
    if not of.startswith("/"):
        return [row[of]] if of in row else []
    found: list[JSON] = [row.get("body")]
    for part in of.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = [inner for one in found for inner in _inside(one, key)]
    return found


def _inside(value: JSON, key: str) -> list[JSON]:
    if isinstance(value, dict):
        return [value[key]] if key in value else []
    if isinstance(value, list):
        if key == "*":
            return list(value)
        return [value[int(key)]] if key.isdecimal() and int(key) < len(value) else []
    return []


def _numbers(values: Sequence[JSON]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _words(reply: Reply, language: Language, *, of: str) -> str:
    if language is Language.HTTP:
        return "\n".join(_answer_words(row) for row in reply.rows)
    if language is Language.REDIS and of:
        # INFO has some two hundred fields; what was asked for is what is shown.
        return "\n".join(f"{of}: {_plain(row[of])}" for row in reply.rows if of in row)
    rows = [json.dumps(row, ensure_ascii=False, default=str) for row in reply.rows]
    lines = [f"{dict(line.labels)} {line.values[-1]:g}" for line in reply.lines if line.values]
    return "\n".join([*rows, *lines, *(["..."] if reply.cut else [])])


def _answer_words(row: Mapping[str, JSON]) -> str:
    if isinstance(row.get("trouble"), str):
        return str(row["trouble"])
    holds_for = f", certificate good for {row['certificate_days']} days" if "certificate_days" in row else ""
    body = _plain(row.get("body"))
    return f"{row.get('status')} in {row.get('took_ms')} ms{holds_for}" + (f"\n{body}" if body else "")


def _figures(reply: Reply) -> tuple[float, ...]:
    """Return the last value of each line, or the numbers of the rows where each row has one column."""
    if reply.lines:
        return tuple(line.values[-1] for line in reply.lines if line.values)
    return tuple(_numbers([next(iter(row.values())) for row in reply.rows if len(row) == 1]))
