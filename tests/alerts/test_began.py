"""When a condition began, from the samples it is judged on."""

import numpy as np
import pytest

from stanch.alerts.began import level_began, ratio_began

TIMES = np.arange(0.0, 100.0, 10.0)


def test_ratio_step() -> None:
    """The start of a step lies at the end of the last good look."""
    failed = np.array([0, 0, 0, 0, 0, 40, 40, 40, 40, 40.0])
    start = ratio_began(TIMES, np.full(10, 100.0), failed, normal=0.002, present=0.4)

    assert start is not None
    assert 40.0 == pytest.approx(start.at)


def test_ratio_within_a_look() -> None:
    """A first look with a quarter of the share began in its last quarter."""
    failed = np.array([0, 0, 0, 0, 0, 10, 40, 40, 40, 40.0])
    start = ratio_began(TIMES, np.full(10, 100.0), failed, normal=0.002, present=0.4)

    assert start is not None
    assert 47.5 == pytest.approx(start.at)


def test_ratio_thinned() -> None:
    """A present share that is thinned by good looks is measured again."""
    failed = np.array([0, 0, 0, 0, 0, 10, 40, 40, 40, 40.0])
    start = ratio_began(TIMES, np.full(10, 100.0), failed, normal=0.002, present=0.15)

    assert start is not None
    assert 47.5 == pytest.approx(start.at)


def test_ratio_with_empty_looks() -> None:
    """Looks without requests and without failures in between do not hide the start."""
    requests = np.array([2, 0, 3, 2, 2, 2, 0, 2, 3, 2.0])
    failed = np.array([0, 0, 0, 0, 0, 1, 0, 0, 2, 1.0])
    start = ratio_began(TIMES, requests, failed, normal=0.002, present=0.4)

    assert start is not None
    assert 40.0 <= start.at <= 50.0


def test_interval_holds_the_start() -> None:
    """The interval is never shorter than the step before the start."""
    failed = np.array([0, 0, 0, 0, 0, 40, 40, 40, 40, 40.0])
    start = ratio_began(TIMES, np.full(10, 100.0), failed, normal=0.002, present=0.4)

    assert start is not None
    assert start.low <= 40.0 < 50.0 <= start.high


def test_nothing_began() -> None:
    """Without a look that speaks for it there is no start."""
    assert ratio_began(TIMES, np.full(10, 100.0), np.zeros(10), normal=0.002, present=0.4) is None


def test_level() -> None:
    """A level that jumps began at the look before."""
    values = np.array([10, 11, 9, 10, 10, 50, 52, 48, 50, 51.0])
    start = level_began(TIMES, values, normal=10.0, present=50.0, spread=1.0)

    assert start is not None
    assert (40.0, 50.0) == (start.at, start.high)


def test_no_samples() -> None:
    """Without samples there is no start."""
    assert level_began(np.empty(0), np.empty(0), normal=0.0, present=1.0, spread=1.0) is None
