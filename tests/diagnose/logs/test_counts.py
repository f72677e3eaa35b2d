"""Templates are counted over time, by service, in bounded memory."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from stanch.diagnose.logs import counts as bounds
from stanch.diagnose.logs.compare import ChangeKind
from stanch.diagnose.logs.counts import TemplateCounts
from stanch.diagnose.logs.model import LogRecord

NOON = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def count_templates(records: Iterable[LogRecord]) -> TemplateCounts:
    """Count the templates of some records."""
    counts = TemplateCounts(bucket=MINUTE)
    for record in records:
        counts.add(record)
    return counts


def shop() -> TemplateCounts:
    """Count an hour of a shop whose stock service finds no table from 12:30 on."""
    records = []
    for minute in range(60):
        at = NOON + minute * MINUTE
        records += [
            LogRecord(message=f"served {n} items", at=at, service=name) for name in ("web", "stock") for n in range(9)
        ]
        if minute >= 30:
            records.append(LogRecord(message=f"no such table t{minute}", at=at, service="stock"))
    return count_templates(records)


def test_what_changed_at_the_onset_is_found_by_service() -> None:
    """Only the service whose lines changed is listed, with the new template and a sample."""
    changes = shop().changes(NOON + 30 * MINUTE, before=30 * MINUTE, after=30 * MINUTE)
    (change,) = changes["stock"]

    assert (["stock"], ChangeKind.NEW, "no such table <*>", "no such table t30", 30) == (
        list(changes),
        change.kind,
        change.template,
        change.sample,
        change.after,
    )


def test_a_window_takes_the_stretches_that_begin_in_it() -> None:
    """A window counts from its start to just before its end."""
    window = shop().window("web", NOON, NOON + 10 * MINUTE)

    assert ({"served <*> items": 90}, 600.0) == (dict(window.counts), window.seconds)


def test_a_series_is_by_minute() -> None:
    """A template's lines are told by minute, empty minutes left out."""
    counts = shop()
    template = next(template for template in counts.templates() if template.text.startswith("no such"))

    assert [(NOON + minute * MINUTE, 1) for minute in range(30, 60)] == counts.series("stock", template.id)


def test_time_is_told_less_finely_when_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound stretches double in length and no line is lost."""
    monkeypatch.setattr(bounds, "MAX_CELLS", 100)
    counts = count_templates(LogRecord(message="tick", at=NOON + minute * MINUTE) for minute in range(500))
    window = counts.window("", NOON - timedelta(hours=1), NOON + timedelta(hours=10))

    assert (timedelta(minutes=8), {"tick": 500}) == (counts.bucket, dict(window.counts))


def test_records_without_a_time_are_in_no_window() -> None:
    """A record without a time is counted as such."""
    counts = count_templates([LogRecord(message="tick")])

    assert (1, [], 1) == (counts.untimed, counts.services(), counts.templates()[0].count)
