"""The evidence port on a git repository: what arrived before the onset, nearest first, in words."""

import shlex
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from stanch.integrations.git.changes import GitChanges
from stanch.kernel.duration import format_duration
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

_SHOWN: Final = 10


class GitCollector:
    """Answers what was committed and tagged in the question's window; one finding per repository."""

    def __init__(self, source: GitChanges, *, timeout_s: float = 15.0) -> None:
        self._source = source
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `git`."""
        return "git"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._timeout_s

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding with a `change` signal for each commit and tag, or why there is none."""
        began = time.monotonic()
        concerned = not self._source.services or not question.services
        if not concerned and not set(self._source.services) & set(question.services):
            return []
        try:
            found = self._source.changes(services=question.services, start=question.start, end=question.end)
            status = FindingStatus.OK if found else FindingStatus.NO_DATA
            summary = _summary(found, question.onset) if found else self._nothing(question)
        except Unavailable as error:
            found, status, summary = [], FindingStatus.FAILED, error.message
        return [self._finding(question, found, status, summary, took_s=time.monotonic() - began)]

    def _nothing(self, question: Question) -> str:
        length = format_duration(question.end - question.start, long=True)
        shallow = " History is cut off here (a shallow clone)." if self._source.repository.is_shallow else ""
        return f"No commit and no tag in {self._source.repository.name} within {length}.{shallow}"

    def _finding(
        self, question: Question, found: Sequence[Change], status: FindingStatus, summary: str, *, took_s: float
    ) -> Finding:
        window = (f"--since={question.start.isoformat()}", f"--until={question.end.isoformat()}")
        folder = str(self._source.repository.folder)
        command = shlex.join(("git", "-C", folder, "log", "--first-parent", "--stat", *window, "HEAD", "--tags"))
        return Finding(
            id=f"{self._source.name}/{question.incident}",
            collector=self.name,
            source=folder,
            command=command,
            status=status,
            summary=summary,
            start=question.start,
            end=question.end,
            took_s=took_s,
            services=tuple(dict.fromkeys(change.service for change in found if change.service)),
            signals=tuple(map(_signal, found)),
            data={"changes": [_row(change) for change in _nearest(found, question.onset)]} if found else {},
        )


def _signal(change: Change) -> Signal:
    return Signal(name="change", service=change.service, text=change.title, at=change.at, data={"id": change.id})


def _row(change: Change) -> JSON:
    return {
        "id": change.id,
        "kind": change.kind.value,
        "at": change.at.isoformat(),
        "title": change.title,
        "author": change.author,
        "version": change.version,
        "commit": change.commit,
        "service": change.service,
        "paths": list[JSON](change.paths[:20]),
    }


def _nearest(changes: Sequence[Change], onset: datetime) -> list[Change]:
    """Return the changes that came before the onset, nearest first, then those after it; at most ten."""
    ordered = list(changes)
    ordered.reverse()
    # Of changes at the same time the last one comes first: a tag before its commit.
    ordered.sort(key=lambda change: (change.at > onset, abs(onset - change.at)))
    return ordered[:_SHOWN]


def _summary(changes: Sequence[Change], onset: datetime) -> str:
    commits = len({change.commit for change in changes if change.kind is ChangeKind.COMMIT})
    tags = sum(change.kind is ChangeKind.TAG for change in changes)
    counted = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in ((commits, "commit"), (tags, "tag"))]
    told = " and ".join(part for part in counted if not part.startswith("0 "))
    nearest = _nearest(changes, onset)[0]
    gap = format_duration(abs(onset - nearest.at))
    where = f"{gap} before the onset" if nearest.at <= onset else f"{gap} after the onset"
    called = nearest.version or nearest.commit[:10]
    by = f" by {nearest.author}" if nearest.author else ""
    return f'{told}; the nearest is {called} "{nearest.title}"{by}, {where}.'
