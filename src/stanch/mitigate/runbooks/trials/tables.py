"""The table of trials and its statements. Both databases. One row for each part of each runbook: the newest trial."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, insert, select

from stanch.mitigate.runbooks.trials.model import Rot, Trial, Verdict
from stanch.store.schema import metadata
from stanch.store.types import Instant

runbook_trials: Final = Table(
    "runbook_trials",
    metadata,
    Column("runbook", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("rot", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("tried_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("held_at", Instant),
)
_PLAIN: Final = ("runbook", "part", "line", "digest", "detail", "tried_at", "tries", "held_at")


def put_trials(connection: Connection, runbook: str, trials: Sequence[Trial]) -> None:
    """Store the trials of one runbook in place of those before."""
    connection.execute(delete(runbook_trials).where(runbook_trials.c.runbook == runbook))
    rows = [
        {**{name: getattr(one, name) for name in _PLAIN}, "verdict": one.verdict.value, "rot": one.rot.value}
        for one in trials
    ]
    if rows:
        connection.execute(insert(runbook_trials), rows)


def find_trials(connection: Connection, *, runbook: str | None = None, rotten: bool = False) -> list[Trial]:
    """Return the newest trials, of one runbook or of all, or only what has rotted, in the order of their lines."""
    query = select(runbook_trials).order_by(runbook_trials.c.runbook, runbook_trials.c.line, runbook_trials.c.part)
    if runbook is not None:
        query = query.where(runbook_trials.c.runbook == runbook)
    if rotten:
        query = query.where(runbook_trials.c.rot != "")
    return [
        Trial(**{name: getattr(row, name) for name in _PLAIN}, verdict=Verdict(row.verdict), rot=Rot(row.rot))
        for row in connection.execute(query)
    ]


def forget_trials(connection: Connection, *, keep: Sequence[str]) -> int:
    """Delete the trials of runbooks that are no more; return how many rows."""
    return connection.execute(delete(runbook_trials).where(runbook_trials.c.runbook.not_in(list(keep)))).rowcount
