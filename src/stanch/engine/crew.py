"""Collectors side by side: each in a thread of its own, within its time, its findings numbered and within bounds.

What a round or a test does with the findings is the business of `collect` and `next_test`.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog

from stanch.kernel.redaction import redact, redact_tree
from stanch.ports.evidence import Collector, Finding, FindingStatus, Question, Signal

_MOST_FINDINGS: Final = 40
"""Findings of one collector in one round; what is beyond them is told to be missing."""
_MOST_SIGNALS: Final = 200
_LONGEST_SUMMARY: Final = 1_000
_MOST_DATA: Final = 60_000
"""Bytes of a finding's data as JSON; a finding stays below 64 KiB."""

log = structlog.get_logger("stanch.collect")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one collector came back with; `trouble` is why it came back with nothing."""

    collector: Collector
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    took_s: float = 0.0


class Crew:
    """Runs collectors in threads of their own and remembers which of them still hang from an earlier round."""

    def __init__(self) -> None:
        self._busy: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def send(self, collectors: Sequence[Collector], question: Question, *, budget_s: float) -> Iterator[Report]:
        """Yield the report of each collector as it comes back, at the latest when its time or the budget is over.

        A thread cannot be stopped from outside: one that hangs is left behind, and its collector is not asked again
        before it has come back.
        """
        reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        began = time.monotonic()
        waiting: dict[int, tuple[Collector, float]] = {}
        for place, collector in enumerate(collectors):
            if not self._start(collector, place, question, reports):
                yield Report(collector=collector, trouble="it still hangs from an earlier round")
                continue
            waiting[id(collector)] = (collector, began + min(budget_s, collector.timeout_s))
        while waiting:
            soonest = min(until for _, until in waiting.values())
            try:
                report = reports.get(timeout=max(0.0, soonest - time.monotonic()))
            except queue.Empty:
                yield from _given_up(waiting, began=began)
                continue
            if waiting.pop(id(report.collector), None) is not None:
                yield report

    def _start(
        self, collector: Collector, place: int, question: Question, reports: "queue.SimpleQueue[Report]"
    ) -> bool:
        key = (collector.name, place)

        def work() -> None:
            try:
                report = _ask(collector, question)
            finally:
                # Before it is told: who has the report may ask again at once, while this thread still ends.
                with self._lock:
                    self._busy.discard(key)
            reports.put(report)

        with self._lock:
            if key in self._busy:
                return False
            threading.Thread(target=work, name=f"collect-{collector.name}", daemon=True).start()
            self._busy.add(key)
        return True


def _given_up(waiting: dict[int, tuple[Collector, float]], *, began: float) -> Iterator[Report]:
    now = time.monotonic()
    for key, (collector, until) in list(waiting.items()):
        if until <= now:
            del waiting[key]
            trouble = f"it did not come back within {until - began:.1f} s"
            yield Report(collector=collector, trouble=trouble, took_s=now - began)


def _ask(collector: Collector, question: Question) -> Report:
    began = time.monotonic()
    try:
        found = tuple(collector.collect(question)[: _MOST_FINDINGS + 1])
        return Report(collector=collector, findings=found, took_s=time.monotonic() - began)
    except Exception as error:  # boundary "integration": a collector's own defect is a finding like any other
        log.exception("collector_failed", collector=collector.name)
        trouble = f"{type(error).__name__}: {error}"
        return Report(collector=collector, trouble=trouble, took_s=time.monotonic() - began)


def findings_of(report: Report, question: Question, *, prefix: str, counts: dict[str, int]) -> list[Finding]:
    """Return a report's findings with ids of their own, without secrets, and within their bounds."""
    name = report.collector.name
    found = list(report.findings[:_MOST_FINDINGS])
    if report.trouble:
        found.append(_remark(report, question, FindingStatus.FAILED, f"{name}: {report.trouble}"))
    elif len(report.findings) > _MOST_FINDINGS:
        found.append(
            _remark(
                report,
                question,
                FindingStatus.FAILED,
                f"{name}: more than {_MOST_FINDINGS} findings, the rest is left out",
            )
        )
    numbered = []
    for finding in found:
        counts[name] = counts.get(name, 0) + 1
        numbered.append(_bounded(replace(finding, id=f"{prefix}-{_slug(name)}-{counts[name]}")))
    return numbered


def _remark(report: Report, question: Question, status: FindingStatus, summary: str) -> Finding:
    return Finding(
        id="",
        collector=report.collector.name,
        source=report.collector.name,
        command="",
        status=status,
        summary=summary,
        start=question.start,
        end=question.end,
        took_s=report.took_s,
    )


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name).strip("-") or "collector"


def _bounded(finding: Finding) -> Finding:
    data = redact_tree(dict(finding.data))
    if not isinstance(data, dict) or len(msgspec.json.encode(data)) > _MOST_DATA:
        data = {"left_out": "the data was more than 60,000 bytes"}
    return replace(
        finding,
        summary=_cut(redact(finding.summary)),
        command=redact(finding.command)[:_LONGEST_SUMMARY],
        source=redact(finding.source)[:_LONGEST_SUMMARY],
        signals=tuple(_clean(signal) for signal in finding.signals[:_MOST_SIGNALS]),
        data=data,
        took_s=round(finding.took_s, 3),
    )


def _clean(signal: Signal) -> Signal:
    data = redact_tree(dict(signal.data))
    return replace(signal, text=_cut(redact(signal.text)), data=data if isinstance(data, dict) else {})


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[: _LONGEST_SUMMARY - 1]}…"
