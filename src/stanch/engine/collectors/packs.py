"""Puts the queries of its pack to one configured system: a finding a query, within one time-out for all of them."""

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.operations.asking import Window, ask_query, collector_name, concerns, finding_of, trouble
from stanch.packs.model import Language, Packs, Query
from stanch.ports.evidence import Finding, FindingStatus, Question
from stanch.ports.query import QuerySource, Session

_ROOM_S: Final = 1.0
_LEAST_S: Final = 0.05
_VARIES: Final = re.compile(r"\w+://\S+|\d+(\.\d+)?")
"""What differs between two reasons that are the same: how long each was waited for, and which page was asked for."""


class PackCollector:
    """Asks one system all its queries. What it cannot ask in time is told to be missing."""

    def __init__(self, source: QuerySource, *, packs: Packs, catalog: Catalog) -> None:
        self._source = source
        self._packs = packs
        self._catalog = catalog

    @property
    def name(self) -> str:
        """Return `postgresql:orders-db`, or `redis` where the system is called that."""
        return collector_name(self._source)

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._source.timeout_s + _ROOM_S

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding a query, and one for what it does not have; empty when the question is not about it."""
        if not concerns(self._source, question.services):
            return []
        began = time.monotonic()
        until = began + self._source.timeout_s
        window = Window(start=question.start, end=question.end, onset=question.onset)
        queries = self._packs.of_system(self._source.system)
        try:
            with self._source.open() as session:
                findings = self._ask_all(session, queries, question=question, window=window, until=until)
        except (Refused, Unavailable, Invalid) as error:
            told = trouble(self._source, error, catalog=self._catalog)
            took_s = time.monotonic() - began
            return [finding_of(self._source, told, window=window, command=self._source.where, took_s=took_s)]
        return self._gathered(queries, findings)

    def _ask_all(
        self, session: Session, queries: Sequence[Query], *, question: Question, window: Window, until: float
    ) -> list[Finding]:
        ask = partial(self._ask, session, question=question, window=window, until=until)
        if self._source.side_by_side <= 1:
            return [ask(query) for query in queries]
        with ThreadPoolExecutor(self._source.side_by_side, thread_name_prefix="query") as pool:
            return list(pool.map(ask, queries))

    def _ask(self, session: Session, query: Query, *, question: Question, window: Window, until: float) -> Finding:
        left_s = until - time.monotonic()
        if left_s < _LEAST_S:
            late = Unavailable(f"the {self._source.timeout_s:g} s were over before it could be asked", retry=True)
            told = trouble(self._source, late, catalog=self._catalog, title=query.title)
            return finding_of(self._source, told, window=window, command=query.text, took_s=0.0, id=query.name)
        return ask_query(
            session,
            self._source,
            query,
            window=window,
            catalog=self._catalog,
            services=question.services,
            timeout_s=left_s,
        )

    def _gathered(self, queries: Sequence[Query], findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings: one for all that a metrics server has no data for, one for each reason of failures."""
        return self._folded(queries, self._without_absent(queries, findings))

    def _folded(self, queries: Sequence[Query], findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings, with those that failed for one reason in one: a dead system is one piece of news."""
        titles = {f"{self._source.name}/{query.name}": query.title for query in queries}
        reasons: dict[tuple[FindingStatus, str], list[Finding]] = {}
        answered = any(one.status in (FindingStatus.OK, FindingStatus.NO_DATA) for one in findings)
        for finding in findings:
            if finding.status in (FindingStatus.FAILED, FindingStatus.REFUSED):
                reason = finding.summary.removeprefix(f"{self._source.name}: {titles.get(finding.id, '')}: ")
                # Of a system that answers nothing it is no news that it does so in several words.
                told = _VARIES.sub("", reason) if answered else ""
                reasons.setdefault((finding.status, told), []).append(finding)
        kept = list(findings)
        for (status, _), same in reasons.items():
            if len(same) > 1:
                kept[kept.index(same[0])] = self._as_one(
                    same, titles, status=status, answered=answered, of=len(queries)
                )
                kept = [one for one in kept if one not in same[1:]]
        return kept

    def _as_one(
        self, same: Sequence[Finding], titles: Mapping[str, str], *, status: FindingStatus, answered: bool, of: int
    ) -> Finding:
        name, count = self._source.name, len(same)
        reason = same[0].summary.removeprefix(f"{name}: {titles.get(same[0].id, '')}: ")
        did = "refused" if status is FindingStatus.REFUSED else "did not answer"
        missing = f"{count} of its {of} queries" if answered else f"{count} queries not made"
        rows: list[JSON] = [{"query": titles.get(one.id, one.id), "command": one.command} for one in same]
        return replace(
            same[0],
            id=f"{name}/{'unanswered' if answered else 'reach'}",
            summary=f"{name} {did} {missing}: {reason}" if answered else f"{name} {did}, {missing}: {reason}",
            took_s=max(one.took_s for one in same),
            data={"rows": rows},
        )

    def _without_absent(self, queries: Sequence[Query], findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings, those of a metrics server that has no such metrics in one."""
        told = {finding.id: query for finding, query in zip(findings, queries, strict=True)}
        absent = [
            finding
            for finding in findings
            if finding.status is FindingStatus.NO_DATA and told[finding.id].language is Language.PROMQL
        ]
        kept = [finding for finding in findings if finding not in absent]
        if not absent:
            return kept
        names = ", ".join(told[finding.id].name for finding in absent)
        summary = f"{self._source.name}: has no data for {len(absent)} of {len(queries)} queries: {names}"
        return [*kept, replace(absent[0], id=f"{self._source.name}/absent", summary=summary, data={})]
