"""Lines that came and went: judged by share, by burst, and by when they did."""

from dataclasses import replace

import numpy as np
import pytest

from stanch.diagnose.metrics.frame import LogCounts
from stanch.diagnose.metrics.templates import template_changes
from tests.diagnose.metrics.shop import AT, STEP, lines


def test_vanished_and_new_lines_are_found() -> None:
    """The kinds that went and came are the two largest changes, of the right service."""
    found = template_changes(lines(changed="db"), at=AT, interval_seconds=STEP)[:2]

    assert {("db", "kind 2"), ("db", "kind 6")} == {(change.service, change.template) for change in found}


def test_worked_example() -> None:
    """15 of 60 before and 0 of 40 after, nothing just before: 0.77 * 17.1 = 13.1, and no burst in it."""
    before = [(AT - 9_000 + 10.0 * i, 1 if i % 4 == 0 else 0) for i in range(60)]
    after = [(AT + 70 + 10.0 * i, 0) for i in range(40)]
    rows = before + after
    logs = LogCounts(
        times=np.array([time for time, _ in rows]),
        services=("a",),
        service_of=np.zeros(100, dtype=np.int64),
        templates=("stays", "goes"),
        template_of=np.array([kind for _, kind in rows], dtype=np.int64),
        quiet=np.arange(100) < 60,
    )

    change = next(c for c in template_changes(logs, at=AT, interval_seconds=STEP) if c.template == "goes")

    assert (change.before, change.after) == (0.25, 0.0)
    assert change.statistic == pytest.approx(13.1, abs=0.05)


def test_more_of_everything_is_no_change() -> None:
    """Ten times the volume with the same shares changes nothing much."""
    logs = lines()
    again = np.repeat(np.arange(logs.times.size), np.where(logs.times >= AT, 10, 1))
    more = replace(
        logs,
        times=logs.times[again] + np.random.default_rng(1).uniform(0, 9, again.size),
        service_of=logs.service_of[again],
        template_of=logs.template_of[again],
        quiet=logs.quiet[again],
    )

    assert template_changes(more, at=AT, interval_seconds=STEP)[0].statistic < 12  # what quiet lines reach


def test_one_burst_counts_as_one() -> None:
    """Forty equal lines within a second weigh far less than forty spread over ten minutes."""
    logs = lines()
    spread, burst = np.linspace(AT, AT + 600, 40), np.linspace(AT, AT + 1, 40)
    found = []
    for times in (spread, burst):
        more = replace(
            logs,
            times=np.concatenate([logs.times, times]),
            service_of=np.concatenate([logs.service_of, np.zeros(40, dtype=np.int64)]),
            template_of=np.concatenate([logs.template_of, np.full(40, 6)]),
            quiet=np.concatenate([logs.quiet, np.zeros(40, dtype=np.bool_)]),
        )
        found.append(template_changes(more, at=AT, interval_seconds=STEP)[0].statistic)

    assert found[0] > 5 * found[1]


def test_change_from_before_the_window_keeps_less() -> None:
    """A line known from quiet times that was gone an hour before the onset is worth less than one that went at it."""
    logs = lines()
    quiet = replace(logs, quiet=logs.times < AT - 1800)
    gone_before = replace(quiet, template_of=np.where(~quiet.quiet & (logs.template_of == 2), 0, logs.template_of))
    gone_now = replace(quiet, template_of=np.where((logs.times >= AT) & (logs.template_of == 2), 0, logs.template_of))

    before, now = (
        max(c.statistic for c in template_changes(case, at=AT, interval_seconds=STEP) if c.template == "kind 2")
        for case in (gone_before, gone_now)
    )

    assert now > before


def test_no_lines_have_no_changes() -> None:
    """Without lines the list is empty."""
    empty = np.empty(0)
    none = LogCounts(
        times=empty,
        services=(),
        service_of=empty.astype(np.int64),
        templates=(),
        template_of=empty.astype(np.int64),
        quiet=empty.astype(np.bool_),
    )

    assert [] == template_changes(none, at=AT, interval_seconds=STEP)


def test_lines_need_one_entry_each() -> None:
    """Arrays of different lengths are refused."""
    with pytest.raises(ValueError, match="one time"):
        replace(lines(), quiet=np.zeros(3, dtype=np.bool_))
