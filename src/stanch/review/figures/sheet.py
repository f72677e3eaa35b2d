"""Figures as a table to be computed with: CSV, a row per group and one over all, lengths of time in seconds. Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from stanch.review.figures.model import Group, Measure

COLUMNS: Final = (
    "group",
    "incidents",
    "open",
    "repeats",
    *(f"{measure.value}_{column}" for measure in Measure for column in ("known", "median_s", "p90_s")),
)


def as_csv(groups: Iterable[Group]) -> str:
    """Return groups as CSV with a head line; what is not known is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one) for one in groups)
    return text.getvalue()


def _row(one: Group) -> list[str]:
    row = [one.name, str(one.incidents), str(one.open), str(one.repeats)]
    for measure in Measure:
        of = one.spreads[measure]
        row += [str(of.known), _seconds(of.median_s), _seconds(of.p90_s)]
    return row


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
