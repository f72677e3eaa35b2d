"""What changed before the onset: every change source read once more, with what was stored before and what was told."""

import time
from datetime import timedelta
from typing import Final

from stanch.catalog.changes import changes_between, record_changes
from stanch.diagnose.picture import is_running
from stanch.diagnose.wording import change_done, clock, distance
from stanch.engine.changes import Read, read_source
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.changes import Change
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

LOOK_BACK: Final = timedelta(hours=24)
_MOST_SHOWN: Final = 8
_NEAR: Final = timedelta(hours=6)
_MOST_PATHS: Final = 20
_AT_ONCE: Final = timedelta(seconds=3)


class ChangesCollector:
    """Reads the sources now, so that a deploy of a moment ago is seen, and answers from the store."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Return `changes`."""
        return "changes"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits: a git log of a large repository takes some."""
        return 12.0

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding per change near the onset to what runs, one on the others, one per source in trouble."""
        began = time.monotonic()
        start = question.onset - LOOK_BACK
        reads = [
            read_source(self._world, source, start=start, end=question.end) for source in self._world.change_sources
        ]
        with self._world.store.writing() as tx:
            for read in reads:
                record_changes(tx.connection, read.changes, now=self._world.clock.now())
            found = changes_between(tx.connection, start=start, end=question.end, services=question.services)
        took_s = time.monotonic() - began
        return self._told(question, found, reads, took_s=took_s)

    def _told(self, question: Question, found: list[Change], reads: list[Read], *, took_s: float) -> list[Finding]:
        near = [change for change in found if is_running(change) and question.onset - change.at <= _NEAR]
        near.sort(key=lambda change: (change.at > question.onset, abs(question.onset - change.at), change.id))
        shown = near[:_MOST_SHOWN]
        rest = [change for change in found if change not in shown]
        findings = [self._of_change(question, change) for change in shown]
        if rest:
            findings.append(self._of_rest(question, rest))
        if not found and not any(read.trouble for read in reads):
            findings.append(self._nothing(question))
        findings += [self._of_trouble(question, read, place) for place, read in enumerate(reads) if read.trouble]
        return [Finding(**{**vars(finding), "took_s": took_s}) for finding in findings]

    def _of_change(self, question: Question, change: Change) -> Finding:
        by = f" by {change.author}" if change.author else ""
        touched = f"; touched {', '.join(change.paths[:3])}" if change.paths else ""
        more = f" and {len(change.paths) - 3} more files" if len(change.paths) > 3 else ""
        summary = f"{change_done(change)} {_when(change, question)}{by}{touched}{more}"
        return self._finding(
            question,
            change.id,
            FindingStatus.OK,
            summary,
            changes=[change],
            command=_command(change),
            source=change.source,
        )

    def _of_rest(self, question: Question, rest: list[Change]) -> Finding:
        newest = max(rest, key=lambda change: (change.at, change.id))
        counted = f"{len(rest)} other change{'s' if len(rest) > 1 else ''} in the day before"
        summary = f"{counted}; the newest: {change_done(newest)} {_when(newest, question)}"
        shown = sorted(rest, key=lambda change: change.at)[-50:]
        return self._finding(question, "rest", FindingStatus.OK, summary, changes=shown, source="stored changes")

    def _nothing(self, question: Question) -> Finding:
        sources = ", ".join(source.name for source in self._world.change_sources) or "no change source is configured"
        summary = f"No change to {', '.join(question.services) or 'any service'} in the day before ({sources})"
        return self._finding(question, "none", FindingStatus.NO_DATA, summary, changes=[], source="stored changes")

    def _of_trouble(self, question: Question, read: Read, place: int) -> Finding:
        return self._finding(
            question, f"source/{place}", FindingStatus.FAILED, read.trouble, changes=[], source=read.source
        )

    def _finding(
        self,
        question: Question,
        id: str,
        status: FindingStatus,
        summary: str,
        *,
        changes: list[Change],
        source: str,
        command: str = "",
    ) -> Finding:
        rows: list[JSON] = [_row(change) for change in changes]
        return Finding(
            id=id,
            collector=self.name,
            source=source,
            command=command,
            status=status,
            summary=summary,
            start=question.onset - LOOK_BACK,
            end=question.end,
            services=tuple(dict.fromkeys(change.service for change in changes if change.service)),
            signals=tuple(_signal(change) for change in changes),
            data={"changes": rows} if rows else {},
        )


def _when(change: Change, question: Question) -> str:
    gap = question.onset - change.at
    if abs(gap) <= _AT_ONCE:
        return f"as the trouble began, at {clock(change.at)}"
    where = "before the onset" if gap >= timedelta(0) else "after the onset"
    return f"{distance(gap)} {where}, at {clock(change.at)}"


def _command(change: Change) -> str:
    if change.previous and change.version and change.data.get("commits"):
        return f"git log --stat {change.previous}..{change.version}"
    return f"git show --stat {change.commit}" if change.commit else ""


def _signal(change: Change) -> Signal:
    return Signal(name="change", service=change.service, text=change.title, at=change.at, data={"id": change.id})


def _row(change: Change) -> JSON:
    return {
        "id": change.id,
        "kind": change.kind.value,
        "at": change.at.isoformat(),
        "service": change.service,
        "title": change.title,
        "version": change.version,
        "previous": change.previous,
        "commit": change.commit,
        "author": change.author,
        "paths": list[JSON](change.paths[:_MOST_PATHS]),
    }
