"""Log files of the services in question: what fails since the onset and did not before, which lines came or went."""

import shlex
import time
from pathlib import Path
from typing import Final

from stanch.diagnose.logdigest import Digest, LogDigest
from stanch.diagnose.logs.records import read_records
from stanch.engine.collectors.logfile import Budget, lines_since, log_files
from stanch.engine.collectors.logwords import errors_said, templates_said, who_said
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

_SHARE_S: Final = 12.0
"""Time for all services together, in seconds; what was not read by then is told to be missing."""


class LogsCollector:
    """Reads the log files that the catalog names for each service."""

    def __init__(self, world: World, *, seconds: float = _SHARE_S) -> None:
        self._world = world
        self._seconds = seconds

    @property
    def name(self) -> str:
        """Return `logs`."""
        return "logs"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._seconds + 3.0

    def collect(self, question: Question) -> list[Finding]:
        """Return findings on errors and on lines for each service with a log; empty when none has one."""
        catalog = self._world.catalog
        named = [name for name in question.services if name in catalog.services and catalog.services[name].logs]
        until = time.monotonic() + self._seconds
        found: list[Finding] = []
        for position, name in enumerate(named):
            now = time.monotonic()
            share = (until - now) / (len(named) - position)
            found += self._of_service(question, name, until=now + share)
        return found

    def _of_service(self, question: Question, service: str, *, until: float) -> list[Finding]:
        began = time.monotonic()
        files = log_files(self._world.catalog.services[service].logs, root=Path(self._world.catalog.root))
        if not files:
            patterns = ", ".join(self._world.catalog.services[service].logs)
            summary = f"{service}: there is no log file {patterns}"
            return [self._finding(question, service, FindingStatus.FAILED, summary, files=[], began=began)]
        budget = Budget(until=until)
        digest = LogDigest(service, start=question.start, onset=question.onset, end=question.end)
        for path in files:
            lines = lines_since(path, question.start, budget=budget)
            for record in read_records(lines, service=service, reference=question.end):
                digest.add(record)
        return self._told(question, service, digest.result(), files=files, budget=budget, began=began)

    def _told(
        self, question: Question, service: str, digest: Digest, *, files: list[Path], budget: Budget, began: float
    ) -> list[Finding]:
        if budget.unreadable and not digest.before + digest.after:
            summary = f"{service}: its log cannot be read: {'; '.join(budget.unreadable[:3])}"
            return [self._finding(question, service, FindingStatus.FAILED, summary, files=files, began=began)]
        status = FindingStatus.OK if digest.after else FindingStatus.NO_DATA
        missing = "; the older part was left out, it is too much" if budget.cut else ""
        samples: dict[str, JSON] = dict(digest.samples)
        data: dict[str, JSON] = {"lines_before": digest.before, "lines_after": digest.after, "samples": samples}
        found = [
            self._finding(
                question,
                service,
                status,
                errors_said(service, digest, question) + who_said(digest) + missing,
                files=files,
                began=began,
                signals=(*digest.errors, *digest.who),
                data=data,
                command=_command(digest.errors, files),
            )
        ]
        if digest.templates:
            found.append(
                self._finding(
                    question,
                    service,
                    FindingStatus.OK,
                    templates_said(service, digest.templates),
                    files=files,
                    began=began,
                    signals=digest.templates,
                    kind="lines",
                )
            )
        return found

    def _finding(
        self,
        question: Question,
        service: str,
        status: FindingStatus,
        summary: str,
        *,
        files: list[Path],
        began: float,
        signals: tuple[Signal, ...] = (),
        data: dict[str, JSON] | None = None,
        command: str = "",
        kind: str = "errors",
    ) -> Finding:
        return Finding(
            id=f"{service}/{kind}",
            collector=self.name,
            source=", ".join(str(path) for path in files[:3]),
            command=command or (f"tail -n 200 {shlex.quote(str(files[-1]))}" if files else ""),
            status=status,
            summary=summary,
            start=question.start,
            end=question.end,
            took_s=time.monotonic() - began,
            services=(service,),
            signals=signals,
            data=data or {},
        )


def _command(errors: tuple[Signal, ...], files: list[Path]) -> str:
    """Return the command that shows the newest records of the first error: by its type, which no quoting changes."""
    word = str(errors[0].data.get("type", "")) if errors else ""
    if not word:
        return ""
    return f"grep -hF {shlex.quote(word)} {shlex.join(str(path) for path in files)} | tail -n 5"
