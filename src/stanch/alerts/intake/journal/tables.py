"""Statements of the journal: bundles of alerts that are on the disk and not taken in yet. Both databases."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from stanch.alerts.intake.tables import intake_journal


class Waiting(NamedTuple):
    """A bundle that waits: its number, how many alerts are in it, and those, as `written.write` wrote them."""

    seq: int
    alerts: int
    written: bytes


def write_down(connection: Connection, written: bytes, *, alerts: int, now: datetime) -> None:
    """Keep a bundle to be taken in later."""
    connection.execute(insert(intake_journal), {"accepted_at": now, "alerts": alerts, "written": written})


def waiting(connection: Connection, *, alerts: int, aside: Collection[int] = ()) -> list[Waiting]:
    """Return the oldest bundles, but for those set `aside`, until there are as many `alerts` in them."""
    query = select(intake_journal.c.seq, intake_journal.c.alerts).order_by(intake_journal.c.seq)
    if aside:
        query = query.where(intake_journal.c.seq.not_in(aside))
    chosen: list[int] = []
    total = 0
    for seq, count in connection.execute(query.limit(max(1, alerts))):
        if chosen and total >= alerts:
            break
        chosen.append(seq)
        total += count
    if not chosen:
        return []
    columns = intake_journal.c
    found = select(columns.seq, columns.alerts, columns.written).where(columns.seq.in_(chosen)).order_by(columns.seq)
    return [Waiting(*row) for row in connection.execute(found)]


def count_waiting(connection: Connection, *, aside: Collection[int] = ()) -> int:
    """Return how many alerts wait, but for the bundles set `aside`."""
    query = select(intake_journal.c.alerts)
    if aside:
        query = query.where(intake_journal.c.seq.not_in(aside))
    return sum(connection.execute(query).scalars())


def strike_out(connection: Connection, seqs: Sequence[int]) -> None:
    """Delete bundles: they have been taken in."""
    connection.execute(delete(intake_journal).where(intake_journal.c.seq.in_(seqs)))


def leave(connection: Connection, seq: int, written: bytes, *, alerts: int) -> None:
    """Keep of a bundle only what could not be taken in."""
    connection.execute(update(intake_journal).where(intake_journal.c.seq == seq).values(written=written, alerts=alerts))
