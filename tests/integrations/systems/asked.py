"""Systems as the tests ask them: a specification, a window, a collector on a world that has them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stanch.catalog.model import Catalog, Service
from stanch.engine.collectors.packs import PackCollector
from stanch.packs.model import Packs
from stanch.packs.reading import shipped_packs
from stanch.ports.evidence import Finding, Question, Signal
from stanch.ports.query import Ask, QuerySource, Reply

SERVICES = {name: Service(name=name) for name in ("payments", "web")}


def question(*, minutes: float = 60.0) -> Question:
    """Return a question about payments whose onset was two minutes ago."""
    now = datetime.now(UTC)
    start, onset = now - timedelta(minutes=minutes), now - timedelta(minutes=2)
    return Question(incident=1, services=("payments",), start=start, end=now, onset=onset)


def collect(source: QuerySource, *, about: Question | None = None, packs: Packs | None = None) -> dict[str, Finding]:
    """Return what the collector of a system finds, by query."""
    collector = PackCollector(source, packs=packs or shipped_packs(), catalog=Catalog(services=SERVICES))
    found = collector.collect(about or question())
    return {finding.id.removeprefix(f"{source.name}/"): finding for finding in found}


def ask(source: QuerySource, text: str, *, timeout_s: float = 3.0, most_rows: int = 200, pattern: str = "") -> Reply:
    """Put one question to a system."""
    now = datetime.now(UTC)
    with source.open() as session:
        return session.ask(
            Ask(
                text=text,
                start=now - timedelta(hours=1),
                end=now,
                timeout_s=timeout_s,
                most_rows=most_rows,
                pattern=pattern,
            )
        )


def signal(findings: Sequence[Finding], name: str) -> Signal:
    """Return the signal of that name."""
    return next(one for finding in findings for one in finding.signals if one.name == name)
