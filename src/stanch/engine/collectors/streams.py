"""Logs that are no files: a journal, a cluster. The lines since the baseline, digested as those of files are."""

import time
from typing import Final

from stanch.diagnose.logdigest import Digest, LogDigest
from stanch.diagnose.logs.records import read_records
from stanch.engine.collectors.logwords import errors_said, templates_said, who_said
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.ports.logsource import LogSource

_SHARE_S: Final = 12.0
"""Time for all services together, in seconds."""
_MOST_SERVICES: Final = 8
_MOST_BYTES: Final = 24 * 1024 * 1024
"""Read of one service at most: some 100,000 lines."""


class StreamCollector:
    """Reads one configured source of lines, such as journald."""

    def __init__(self, world: World, source: LogSource, *, seconds: float = _SHARE_S) -> None:
        self._world = world
        self._source = source
        self._seconds = seconds

    @property
    def name(self) -> str:
        """Return `logs:` and the source's name."""
        return f"logs:{self._source.name}"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._seconds + 2.0

    def collect(self, question: Question) -> list[Finding]:
        """Return findings on errors and on lines for each service that logs there."""
        own = self._source.services
        services = [name for name in question.services if (name in own if own else not self._is_external(name))][
            :_MOST_SERVICES
        ]
        until = time.monotonic() + self._seconds
        found: list[Finding] = []
        for position, service in enumerate(services):
            share_s = (until - time.monotonic()) / (len(services) - position)
            found += self._of_service(question, service, seconds=max(0.2, share_s))
        return found

    def _is_external(self, name: str) -> bool:
        known = self._world.catalog.services.get(name)
        return known is not None and known.external

    def _of_service(self, question: Question, service: str, *, seconds: float) -> list[Finding]:
        began = time.monotonic()
        digest = LogDigest(service, start=question.start, onset=question.onset, end=question.end)
        try:
            lines = self._source.lines(
                service, start=question.start, end=question.end, timeout_s=seconds, most_bytes=_MOST_BYTES
            )
            for record in read_records(lines, service=service, reference=question.end):
                digest.add(record)
        except (Refused, Unavailable, Invalid) as error:
            status = FindingStatus.REFUSED if isinstance(error, Refused) else FindingStatus.FAILED
            summary = f"{service}: its log cannot be read: {error.message}"
            return [self._finding(question, service, status, summary, began=began)]
        return self._told(question, service, digest.result(), began=began)

    def _told(self, question: Question, service: str, digest: Digest, *, began: float) -> list[Finding]:
        status = FindingStatus.OK if digest.after else FindingStatus.NO_DATA
        samples: dict[str, JSON] = dict(digest.samples)
        data: dict[str, JSON] = {"lines_before": digest.before, "lines_after": digest.after, "samples": samples}
        said = errors_said(service, digest, question) + who_said(digest)
        found = [
            self._finding(
                question, service, status, said, began=began, signals=(*digest.errors, *digest.who), data=data
            )
        ]
        if digest.templates:
            said = templates_said(service, digest.templates)
            found.append(
                self._finding(question, service, FindingStatus.OK, said, began=began, signals=digest.templates)
            )
        return found

    def _finding(
        self,
        question: Question,
        service: str,
        status: FindingStatus,
        summary: str,
        *,
        began: float,
        signals: tuple[Signal, ...] = (),
        data: dict[str, JSON] | None = None,
    ) -> Finding:
        return Finding(
            id=f"{self._source.name}/{service}",
            collector=self.name,
            source=f"{self._source.name} ({self._source.where})",
            command=self._source.command(service, start=question.start),
            status=status,
            summary=summary,
            start=question.start,
            end=question.end,
            took_s=time.monotonic() - began,
            services=(service,),
            signals=signals,
            data=data or {},
        )
