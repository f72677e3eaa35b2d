"""Arithmetic of spans: what two have in common, what one leaves of another, what nobody covers. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from stanch.oncall.model import Span

S = TypeVar("S", bound=Span)


def clipped(one: S, start: datetime, end: datetime) -> S | None:
    """Return the part of `one` between two instants, None when there is none."""
    low, high = max(one.start, start), min(one.end, end)
    if low >= high:
        return None
    return one if (low, high) == (one.start, one.end) else replace(one, start=low, end=high)


def common(one: S, others: Iterable[Span]) -> list[S]:
    """Return the parts of `one` inside `others`, which do not overlap."""
    return [part for other in others if (part := clipped(one, other.start, other.end))]


def without(one: S, others: Iterable[Span]) -> list[S]:
    """Return what is left of `one` when the time of `others` is taken away, in order."""
    left: list[S] = []
    rest: S | None = one
    for other in sorted(others, key=lambda span: span.start):
        if rest is None or other.start >= rest.end:
            break
        if other.end <= rest.start:
            continue
        if other.start > rest.start:
            left.append(replace(rest, end=other.start))
        rest = replace(rest, start=other.end) if other.end < rest.end else None
    return [*left, rest] if rest is not None else left


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the time that any of `spans` covers, as spans that neither overlap nor touch, in order."""
    found: list[Span] = []
    for one in sorted(spans, key=lambda span: span.start):
        if found and one.start <= found[-1].end:
            if one.end > found[-1].end:
                found[-1] = Span(start=found[-1].start, end=one.end)
        else:
            found.append(Span(start=one.start, end=one.end))
    return found


def overlaid(below: Sequence[S], above: Sequence[S]) -> list[S]:
    """Return `above` with what it leaves of `below`, in order."""
    if not above:
        return list(below)
    return sorted([*above, *(part for one in below for part in without(one, above))], key=lambda span: span.start)
