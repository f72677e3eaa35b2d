"""A transaction that keeps what is written and writes it together: for many small decisions of one kind at once.

A statement costs more than the row it writes. What is appended, owed and scheduled through a gathering is written when
it is closed, in one statement each; everything else writes first what was gathered before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection

from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.event import Event, NewEvent
from stanch.store import deliveries, log, timers
from stanch.store.deliveries import Ending
from stanch.store.model import Delivery, Timer
from stanch.store.store import Transaction


@runtime_checkable
class ProjectsTogether(Protocol):
    """A projector that takes many events at once."""

    def project_together(self, connection: Connection, events: Sequence[Event]) -> None:
        """Bring the tables up to date with `events`, in their order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Gathering(Transaction):
    """A transaction whose writes wait. `versions` holds the streams that may be appended to, each with the version that
    it has under the caller's lock; events appended here have no `seq` yet."""

    versions: dict[str, int] = field(default_factory=dict)
    events_waiting: list[Event] = field(default_factory=list)
    owed: list[Delivery] = field(default_factory=list)
    scheduled: list[Timer] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)

    def append(
        self,
        stream: str,
        new: Sequence[NewEvent],
        *,
        actor: Actor = SYSTEM,
        via: Via = Via.ENGINE,
        incident: int | None = None,
        cause: int | None = None,
        expected: int | None = None,
    ) -> list[Event]:
        """Append to a stream of `versions` when this closes, to any other at once."""
        if stream not in self.versions:
            self.write()
            return super().append(stream, new, actor=actor, via=via, incident=incident, cause=cause, expected=expected)
        now = self.clock.now()
        made = []
        for one in new:
            self.versions[stream] += 1
            made.append(
                Event(
                    seq=0,
                    stream=stream,
                    version=self.versions[stream],
                    kind=one.kind,
                    at=one.at or now,
                    recorded_at=now,
                    actor=actor,
                    via=via,
                    cause=cause,
                    incident=incident,
                    data=one.data,
                )
            )
        self.events_waiting.extend(made)
        return made

    def schedule(self, timer: Timer, *, replace: bool = False) -> None:
        """Store `timer` when this closes; one that must not replace another, at once."""
        if replace:
            self.scheduled.append(timer)
        else:
            self.write()
            super().schedule(timer)

    def owe(self, delivery: Delivery) -> bool:
        """Store a delivery when this closes. Its id is taken to be new."""
        self.owed.append(delivery)
        return True

    def end(self, ending: Ending) -> None:
        """Record how an attempt ended when this closes; the claim must be held."""
        self.endings.append(ending)

    def cancel_timers(self, *, incident: int | None = None, prefix: str = "", keep: Sequence[str] = ()) -> int:
        """Delete timers, also those that wait to be written."""
        self.write()
        return super().cancel_timers(incident=incident, prefix=prefix, keep=keep)

    def write(self) -> None:
        """Write what was gathered so far."""
        recorded = log.append_together(self.connection, self.events_waiting)
        self.events_waiting.clear()
        for projector in self.projectors if recorded else ():
            if isinstance(projector, ProjectsTogether):
                projector.project_together(self.connection, recorded)
            else:
                for event in recorded:
                    projector.project(self.connection, event)
        deliveries.owe_together(self.connection, self.owed)
        deliveries.end_together(self.connection, self.endings, now=self.clock.now())
        timers.schedule_together(self.connection, self.scheduled)
        self.owed.clear()
        self.endings.clear()
        self.scheduled.clear()


@contextmanager
def gathering(tx: Transaction) -> Iterator[Gathering]:
    """Gather writes within `tx` while the block lasts; they are written at its end, unless it raises."""
    made = Gathering(
        connection=tx.connection,
        clock=tx.clock,
        projectors=tx.projectors,
        database_clock=tx.database_clock,
        memory=tx.memory,
        reads_only=tx.reads_only,
    )
    yield made
    made.write()
