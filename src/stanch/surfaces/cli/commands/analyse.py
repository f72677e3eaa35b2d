"""Commands that work on files alone, with no server and no store: log templates, root cause, anomalies of series."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from stanch.diagnose.logs.counts import TemplateCounts
from stanch.diagnose.logs.errors import ErrorGrouper
from stanch.diagnose.logs.model import LogRecord
from stanch.diagnose.logs.records import read_records
from stanch.diagnose.metrics.files import Surprises, read_graph, read_metrics
from stanch.diagnose.metrics.frame import LogCounts
from stanch.diagnose.metrics.lines import LineCounter
from stanch.diagnose.metrics.rootcause import Ranking, rank_causes
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact, redact_tree
from stanch.surfaces.cli.reading import Lines, text_in
from stanch.surfaces.cli.shared import instant_of, json_option, local_zone, print_json, zone_option
from stanch.surfaces.cli.telling import hint, say

_BEFORE: Final = timedelta(days=1)
_MOST_FOUND: Final = 10_000
"""Anomalies in one JSON answer, 100 bytes each; what is beyond them is counted."""


@click.command("logs")
@click.argument("files", nargs=-1, required=True)
@click.option("--since", default="", help="Since when something is wrong: what is new or spiking is told. 25m, 14:30.")
@click.option("--service", default="", help="The service, where lines do not name theirs.")
@click.option("--limit", default=20, show_default=True, help="How many templates and errors to show.")
@zone_option
@json_option
def logs(files: tuple[str, ...], since: str, service: str, limit: int, zone: str, as_json: bool) -> None:
    """Find the templates of log files, which of them are new or spiking, and the errors; `-` is standard input.

    Plain, JSON, multi-line traces, gzip; streams, in bounded memory.
    """
    when = instant_of(since, zone=zone, field="since")
    onset = datetime.fromisoformat(when) if when else None
    counts, errors = TemplateCounts(bucket=timedelta(seconds=10)), ErrorGrouper()
    lines = Lines(files)
    sides = {"before": 0, "after": 0}
    for record in read_records(lines, service=service, reference=datetime.now(UTC), zone=_zone(zone)):
        counts.add(record)
        errors.add(record)
        if onset and record.at:
            sides["after" if record.at >= onset else "before"] += 1
    # With nothing on one side every template would be new, or vanished: the file begins or ends there.
    changed = counts.changes(onset, before=_BEFORE, after=_BEFORE) if onset and all(sides.values()) else {}
    answer: dict[str, JSON] = {
        "lines": lines.read,
        "untimed": counts.untimed,
        "cut_short": list(lines.cut_short),
        "since": when,
        "compared": dict(sides) if when else None,
        "templates": [
            {"template": one.text, "count": one.count, "sample": one.sample} for one in counts.templates()[:limit]
        ],
        "changes": [
            {
                "service": name,
                "kind": one.kind.value,
                "template": one.template,
                "before": one.before,
                "after": one.after,
                "g": round(one.statistic, 1),
                "sample": one.sample,
            }
            for name, found in changed.items()
            for one in found[:limit]
        ],
        "errors": [
            {
                "service": one.service,
                "title": one.title,
                "count": one.count,
                "first_seen": one.first_seen.isoformat() if one.first_seen else None,
                "last_seen": one.last_seen.isoformat() if one.last_seen else None,
                "culprit": _culprit(one.sample),
                "versions": list(one.versions),
            }
            for one in errors.groups()[:limit]
        ],
    }
    if as_json:
        print_json(redact_tree(answer))
        return
    _say_logs(answer)
    empty = " or ".join(side for side, count in sides.items() if not count)
    if onset and empty:
        hint(f"Nothing was compared: no line with a time is from {empty} {when}.")


@click.command("rca")
@click.argument("metrics")
@click.option("--at", "when", default="", help="When it began: an instant, 14:30, 25m; by default estimated.")
@click.option("--graph", default="", help='JSON with the calls: {"edges": [["checkout", "payments"]]}.')
@click.option("--logs", "logs", multiple=True, help="A log of the services, or SERVICE=FILE; may be given again.")
@click.option("--limit", default=10, show_default=True, help="How many suspects to show.")
@zone_option
@json_option
def rca(metrics: str, when: str, graph: str, logs: tuple[str, ...], limit: int, zone: str, as_json: bool) -> None:
    """Rank services and metrics of a CSV table as causes of what began at an instant; `-` is standard input.

    The first column is the time, the others are named `service|metric`. A log whose lines do not name their service
    is that of its file's name.
    """
    at = _seconds(when, zone=zone)
    frame = read_metrics(Lines((metrics,)), zone=_zone(zone))
    calls = read_graph(text_in(graph)) if graph else None
    span = (float(frame.times[0]), float(frame.times[-1]))
    counts = _log_counts(logs, since=span[0], until=span[1], zone=_zone(zone)) if logs else None
    ranking = rank_causes(frame, at=at, graph=calls, logs=counts)
    if as_json:
        print_json(_ranking(ranking, limit))
    else:
        _say_ranking(ranking, limit)


@click.command("anomalies")
@click.argument("file")
@click.option(
    "--threshold",
    default=4.0,
    show_default=True,
    help="-log10 of how often a sample so odd is expected; 3 tells more, and 2 to 5 false ones in 1,000 samples.",
)
@json_option
def anomalies(file: str, threshold: float, as_json: bool) -> None:
    """Find what is surprising in series, sample by sample as they come; `-` is standard input.

    CSV: the first column is the time, every other one a series. Streams, in bounded memory: told as it is seen.
    """
    found: list[JSON] = []
    left_out = 0
    quiet = True
    surprises = Surprises(Lines((file,)), threshold=threshold)
    for one in surprises:
        quiet = False
        if not as_json:
            say([f"{_instant(one.at)}  {one.score:5.1f}  {clean(one.series)} {one.value:.6g}"])
        elif len(found) < _MOST_FOUND:
            found.append({"at": one.at, "series": one.series, "value": one.value, "score": round(one.score, 2)})
        else:
            left_out += 1
    if as_json:
        unordered = surprises.left_out
        print_json({"samples": surprises.rows, "unordered": unordered, "anomalies": found, "left_out": left_out})
        return
    if quiet:
        say([f"Nothing stands out in {surprises.rows:,} samples."])
    if surprises.left_out:
        hint(f"{surprises.left_out:,} rows were left out: their times do not ascend.")


def _log_counts(names: Sequence[str], *, since: float, until: float, zone: tzinfo) -> LogCounts:
    counter = LineCounter(since=since, until=until)
    for name in names:
        service, has_name, file = name.partition("=")
        path = file if has_name else name
        own = service if has_name else Path(path).name.split(".")[0]
        reference = datetime.fromtimestamp(until, UTC)
        for record in read_records(Lines((path,)), service=own, reference=reference, zone=zone):
            counter.add(record)
    return counter.counts()


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name or local_zone())
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(f"{name or local_zone()!r} is no time zone", field="tz", hint="Europe/Berlin") from error


def _seconds(when: str, *, zone: str) -> float | None:
    if not when:
        return None
    try:
        return float(when)
    except ValueError:
        instant = instant_of(when, zone=zone, field="at")
        return datetime.fromisoformat(instant).timestamp() if instant else None


def _culprit(sample: LogRecord) -> str:
    raised = sample.exception.culprit if sample.exception else None
    return f"{raised.file}:{raised.line} in {raised.function}" if raised else ""


def _ranking(ranking: Ranking, limit: int) -> dict[str, JSON]:
    return {
        "at": ranking.at,
        "stands_out": ranking.stands_out,
        "causes": [
            {
                "service": cause.service,
                "score": round(cause.score, 3),
                "evidence": [
                    {"kind": one.kind.name.lower(), "text": redact(one.sentence), "strength": round(one.strength, 3)}
                    for one in cause.evidence
                ],
            }
            for cause in ranking.causes[:limit]
        ],
        "metrics": [
            {"service": one.service, "metric": one.metric, "deviation": round(one.deviation, 2)}
            for one in ranking.metrics[: limit * 3]
        ],
    }


def _say_ranking(ranking: Ranking, limit: int) -> None:
    if ranking.at is None:
        say(["No onset was found in these series: name one with --at."])
        return
    say([f"Onset {datetime.fromtimestamp(ranking.at, UTC):%Y-%m-%d %H:%M:%S} UTC"])
    if not ranking.stands_out:
        say(["No service stands out: the cause is not known from these metrics."])
    for place, cause in enumerate(ranking.causes[:limit], start=1):
        say([f"{place:3}. {clean(cause.service) or '(no service)'}  {cause.score:.2f}"])
        for one in cause.evidence[:3]:
            say([f"       {clean(redact(one.sentence))}"])


def _say_logs(answer: dict[str, JSON]) -> None:
    say([f"{answer['lines']:,} lines"])
    for title, name in (("Errors", "errors"), ("What changed", "changes"), ("Templates", "templates")):
        found = answer[name]
        rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        if rows:
            say([title])
        for row in rows:
            say([f"  {clean(redact(_row(name, row)))}"])


def _row(name: str, row: dict[str, JSON]) -> str:
    match name:
        case "errors":
            place = f"  at {row['culprit']}" if row["culprit"] else ""
            return f"{row['count']:>8,}  {row['service'] or ''} {row['title']}{place}".rstrip()
        case "changes":
            return f"{row['kind']:>9}  {row['before']:,} -> {row['after']:,}  {row['service'] or ''} {row['template']}"
        case _:
            return f"{row['count']:>8,}  {row['template']}"


COMMANDS: Final[dict[str, click.Command]] = {"logs": logs, "rca": rca, "anomalies": anomalies}
