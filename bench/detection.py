"""Scores baselines, onsets and shapes: made series with a known answer, and the labelled series of NAB where at hand.

Usage: `python -m bench.detection [--cases 400]`. The made series are of three noises (normal; skewed, as latencies are;
normal with one sample in fifty far out) and of 20, 60 and 600 samples. The data of NAB is no part of this repository: a
folder `bench/diagnose` beside it is looked for, or `$STANCH_BENCH` names one.
"""

import argparse
import csv
import gzip
import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from stanch.alerts.baseline import Floats, baseline_of, is_normal
from stanch.alerts.began import level_began, ratio_began
from stanch.alerts.shape import Shape, shape_of

ROOT = Path(__file__).resolve().parent.parent
NOISES: Final = ("normal", "skewed", "outliers")
SIZES: Final = (20, 60, 600)
SHAPES: Final = tuple(one for one in Shape if one is not Shape.UNKNOWN)
HISTORY: Final = 240


def main() -> int:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400, help="made series of each kind")
    cases = parser.parse_args().cases
    bands(cases)
    shapes(cases)
    onsets(cases)
    nab()
    return 0


def noise_of(kind: str, size: int, chance: np.random.Generator) -> Floats:
    """Return a series around 100: spread 3, skewed like latencies, or with one sample in fifty far out."""
    if kind == "skewed":
        return 100 * np.exp(0.05 * chance.standard_normal(size) + 0.02 * chance.exponential(1, size))
    values = 100 + 3 * chance.standard_normal(size)
    if kind == "outliers":
        far = chance.random(size) < 0.02
        values[far] += chance.choice([-1, 1], int(far.sum())) * 40
    return values


def bands(cases: int) -> None:
    """Print how many ordinary samples lie outside of the band, which 0.3 % should where noise is normal."""
    print("samples outside of the band of 240 samples before, one that is ordinary:")
    for kind in NOISES:
        chance = np.random.default_rng(1)
        outside = 0
        for _ in range(cases * 5):
            values = noise_of(kind, HISTORY + 1, chance)
            normal = baseline_of(np.arange(HISTORY), values[:-1], season_seconds=None)
            assert normal is not None
            outside += not is_normal(float(values[-1]), normal)
        print(f"  {kind:9} {outside / (cases * 5):.2%}")


def shapes(cases: int) -> None:
    """Print how often each shape is named right, and what it is taken for."""
    print(f"shapes, {cases} series each:")
    print(
        "  shape                right " + " ".join(f"{f'{kind} {size}':>13}" for kind in NOISES for size in (20, 600))
    )
    for wanted in SHAPES:
        found: Counter[Shape] = Counter()
        part: Counter[tuple[str, int]] = Counter()
        of: Counter[tuple[str, int]] = Counter()
        chance = np.random.default_rng(2)
        for number in range(cases):
            kind, size = NOISES[number % 3], SIZES[number // 3 % 3]
            normal = baseline_of(np.arange(HISTORY) - HISTORY, noise_of(kind, HISTORY, chance), season_seconds=None)
            named = shape_of(np.arange(size), made(wanted, kind, size, chance), normal)
            found[named] += 1
            of[kind, size] += 1
            part[kind, size] += named is wanted
        rest = ", ".join(f"{one.value} {count}" for one, count in found.most_common(3) if one is not wanted)
        cells = " ".join(f"{part[kind, size] / max(1, of[kind, size]):13.0%}" for kind in NOISES for size in (20, 600))
        print(f"  {wanted.value:20} {found[wanted] / cases:5.0%} {cells}   else: {rest or '-'}")


def made(kind: Shape, noise: str, size: int, chance: np.random.Generator) -> Floats:
    """Return a window of this shape: what is abnormal is 20 to 100 above (or 20 to 60 below), from a third to half."""
    values = noise_of(noise, size, chance)
    begin = int(size * chance.uniform(0.33, 0.5))
    height = chance.uniform(20, 100)
    after = np.arange(size - begin) / (size - begin)
    match kind:
        case Shape.STEP:
            values[begin:] += height
        case Shape.GRADUAL_INCREASE:
            values[begin:] += 2 * height * after
        case Shape.GRADUAL_DECREASE:
            values[begin:] -= min(height, 45) * 2 * after
        case Shape.SPIKING:
            values[-3:] += height
        case Shape.RECOVERING:
            back = begin + int(size * 0.25)
            values[begin:back] += height
            values[back:] += height * np.exp(-np.arange(size - back) / (size * 0.08))
        case Shape.FLAPPING:
            period = max(6, size // 5)
            for start in range(3, size, period):
                values[start : start + period // 2] += height
    return values


def onsets(cases: int) -> None:
    """Print how far the estimated onset is from the true one in looks, and how often its interval holds it."""
    print("onsets, looks 5 s apart, error in looks (median, p90), true start within the interval:")
    for kind in NOISES:
        chance = np.random.default_rng(3)
        errors, held = [], []
        for _ in range(cases):
            begin = int(chance.integers(20, 80))
            values = noise_of(kind, 100, chance)
            values[begin:] += chance.uniform(10, 60)
            times = 5.0 * np.arange(1, 101)
            normal = baseline_of(np.arange(HISTORY), noise_of(kind, HISTORY, chance), season_seconds=None)
            assert normal is not None
            present = float(np.median(values[-3:]))
            found = level_began(times, values, normal=normal.median, present=present, spread=normal.spread)
            # The true start lies between the last good look and the first bad one.
            _score(found, low=5.0 * begin, high=5.0 * (begin + 1), errors=errors, held=held)
        _told(f"level, {kind}", errors, held)
    for rate, share in ((50, 0.45), (50, 0.1), (3, 0.45)):
        chance = np.random.default_rng(4)
        errors, held = [], []
        for _ in range(cases):
            begin = int(chance.integers(20, 80))
            total = chance.poisson(rate, 100).astype(np.float64)
            failing = np.where(np.arange(100) >= begin, share, 0.002)
            failed = chance.binomial(total.astype(np.int64), failing).astype(np.float64)
            found = ratio_began(5.0 * np.arange(1, 101), total, failed, normal=0.002, present=share)
            _score(found, low=5.0 * begin, high=5.0 * (begin + 1), errors=errors, held=held)
        _told(f"errors {share:.0%}, {rate} requests a look", errors, held)


def _score(found: object, *, low: float, high: float, errors: list[float], held: list[bool]) -> None:
    if found is None:
        errors.append(float("inf"))
        held.append(False)
        return
    at, least, most = (float(getattr(found, name)) for name in ("at", "low", "high"))
    errors.append(max(0.0, low - at, at - high) / 5.0)
    held.append(least <= high and most >= low)


def _told(what: str, errors: list[float], held: list[bool]) -> None:
    middle, most = np.quantile(errors, (0.5, 0.9), method="lower")
    print(f"  {what:32} {middle:5.2f} {most:5.2f}   {np.mean(held):.0%}")


def nab() -> None:
    """Print how often windows of NAB outside and inside the labels are called anything but steady."""
    folder = Path(os.environ.get("STANCH_BENCH") or ROOT.parent / "shared/bench/diagnose") / "dev"
    if not (folder / "labels/nab.json").is_file():
        print("NAB is not at hand")
        return
    labels = json.loads((folder / "labels/nab.json").read_text())
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for name, label in labels.items():
        times, values = _series(folder / f"nab/series/{name}.gz")
        spans = [tuple(_seconds(end) for end in window) for window in label["windows"]]
        # A window of 60 samples against the 288 before it (a day at five minutes), moved on by 60.
        for start in range(288, times.size - 60, 60):
            stop = start + 60
            normal = baseline_of(times[start - 288 : start], values[start - 288 : start], season_seconds=None)
            shape = shape_of(times[start:stop], values[start:stop], normal)
            hit = any(low <= times[stop - 1] and times[start] <= high for low, high in spans)
            (inside if hit else outside)[shape.value] += 1
    for what, found in (("outside the labels", outside), ("inside the labels", inside)):
        total = sum(found.values())
        told = ", ".join(f"{name} {count / total:.0%}" for name, count in found.most_common())
        print(f"NAB, {total} windows {what}: {told}")


def _series(path: Path) -> tuple[Floats, Floats]:
    with gzip.open(path, "rt", newline="") as handle:
        rows = list(csv.reader(handle))[1:]
    return np.array([_seconds(row[0]) for row in rows]), np.array([float(row[1]) for row in rows])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp()


if __name__ == "__main__":
    raise SystemExit(main())
