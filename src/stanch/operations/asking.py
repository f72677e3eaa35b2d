"""Puts a query of a pack to a system and says how it ended: what collectors and the operation `query.run` share."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.catalog.model import Catalog
from stanch.diagnose.answers import Told, judge
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.packs.model import Query
from stanch.packs.reading import check_text, fill
from stanch.ports.evidence import Finding, FindingStatus, Signal
from stanch.ports.query import Ask, Exhausted, QuerySource, Session

MOST_ROWS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Window:
    """What is asked about, all UTC: a range query goes from `start` to `end`; before the onset is normal."""

    start: datetime
    end: datetime
    onset: datetime


def about(source: QuerySource, catalog: Catalog) -> tuple[str, ...]:
    """Return the services that a system's signals speak of: itself where it is a service, else those that use it."""
    return (source.name,) if source.name in catalog.services else source.services


def concerns(source: QuerySource, services: Collection[str]) -> bool:
    """Tell whether a question about `services` concerns a system; one that names no services is always concerned."""
    return (
        not services or not source.services or source.name in services or not set(services).isdisjoint(source.services)
    )


def collector_name(source: QuerySource) -> str:
    """Return how a system's collector is called: `postgresql:orders-db`, or `redis` where it is called that."""
    return source.name if source.name == source.system else f"{source.system}:{source.name}"


def ask_query(
    session: Session,
    source: QuerySource,
    query: Query,
    *,
    window: Window,
    catalog: Catalog,
    services: Collection[str] = (),
    timeout_s: float | None = None,
) -> Finding:
    """Put one query to an open system and return the finding. Raises nothing for what the system does."""
    began = time.monotonic()
    text = fill(query.text, source.settings)
    allowed_s = query.timeout_s if timeout_s is None else min(query.timeout_s, timeout_s)
    command = text
    try:
        check_text(query)
        ask = Ask(
            text=text,
            start=window.start,
            end=window.end,
            timeout_s=allowed_s,
            most_rows=MOST_ROWS,
            pattern=query.pattern,
            needs=query.needs,
            query=f"{query.pack}.{query.name}",
        )
        reply = session.ask(ask)
        command = reply.command
        known = set(services) | set(catalog.services)
        told = judge(
            query,
            reply,
            name=source.name,
            about=about(source, catalog),
            known=known,
            onset=window.onset,
            now=window.end,
        )
    except (NotFound, Refused, Unavailable, Invalid) as error:
        told = trouble(source, error, catalog=catalog, title=query.title)
    return finding_of(source, told, window=window, command=command, took_s=time.monotonic() - began, id=query.name)


def trouble(
    source: QuerySource, error: NotFound | Refused | Unavailable | Invalid, *, catalog: Catalog, title: str = ""
) -> Told:
    """Return what it says that a system did not answer: a system that takes no more clients has answered by that."""
    what = f"{source.name}: {title}: " if title else f"{source.name}: "
    match error:
        case Exhausted():
            signals = tuple(
                Signal(
                    name=name,
                    service=service,
                    value=1.0,
                    unit="ratio" if name == "saturation" else "",
                    text=error.message,
                    data={"resource": f"{error.resource} of {source.name}", "raised": True},
                )
                for service in about(source, catalog) or ("",)
                for name in ("saturation", "clients_refused")
            )
            return Told(status=FindingStatus.OK, summary=f"{what}{error.message}", signals=signals, data={})
        case NotFound():
            status = FindingStatus.NO_DATA
        case Refused():
            status = FindingStatus.REFUSED
        case _:
            status = FindingStatus.FAILED
    return Told(status=status, summary=f"{what}{error.message}", data={})


def finding_of(
    source: QuerySource, told: Told, *, window: Window, command: str, took_s: float, id: str = "reach"
) -> Finding:
    """Return the finding of what a system said, or of why it said nothing."""
    return Finding(
        id=f"{source.name}/{id}",
        collector=collector_name(source),
        source=f"{source.name} ({source.where})" if source.where else source.name,
        command=command,
        status=told.status,
        summary=told.summary,
        start=window.start,
        end=window.end,
        took_s=took_s,
        services=source.services,
        signals=told.signals,
        data=told.data,
    )
