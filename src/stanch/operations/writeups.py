"""Operations that read a post-mortem: as it stands or stood, what was changed, its wording, its charts, as a file."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.event import Event
from stanch.operations import cases
from stanch.operations.postmortem import Postmortem, postmortem_of
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.review.blameless import Wording, check
from stanch.review.charts import Chart, charts_of, draw
from stanch.review.exporting import Format, as_document
from stanch.review.templating import own, problems_of, shipped
from stanch.store import Transaction

_LONGEST = 500_000


@dataclass(frozen=True, kw_only=True)
class OfIncident:
    """The incident it is about, and which revision; 0 is the newest."""

    incident: int
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Two revisions; `before` 0 is the one before `after`, `after` 0 the newest."""

    incident: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class OfText:
    """The incident whose newest revision is checked, or a text that is not saved yet."""

    incident: int | None = None
    markdown: str = ""


@dataclass(frozen=True, kw_only=True)
class OneChart:
    """One chart of one incident, by the name of what was measured."""

    incident: int
    measure: str


@dataclass(frozen=True, kw_only=True)
class Export:
    """The incident, and what its post-mortem is wanted as: `markdown`, `html` or `json`."""

    incident: int
    format: str = Format.MARKDOWN.value


@dataclass(frozen=True, kw_only=True)
class AllTemplates:
    """Every outline there is."""


@dataclass(frozen=True, kw_only=True)
class RevisionView:
    """One revision: who wrote it when and through what, and how many lines it has more and less than the one before."""

    revision: int
    at: datetime
    author: str
    via: str
    added: int
    removed: int
    published: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What was changed between two revisions, as a unified diff."""

    incident: int
    before: int
    after: int
    diff: str


@dataclass(frozen=True, kw_only=True)
class WordingView:
    """A wording that blames: where it stands (line from 1, places in it from 0), why, and another way to say it."""

    line: int
    start: int
    end: int
    kind: str
    text: str
    why: str
    suggestion: str


@dataclass(frozen=True, kw_only=True)
class ChartView:
    """A chart as an SVG document."""

    name: str
    title: str
    svg: str


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A post-mortem as a file."""

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, kw_only=True)
class TemplateView:
    """An outline, whether it ships, and what is wrong with it."""

    name: str
    shipped: bool
    problems: tuple[str, ...]


@operation("postmortem.show", effect=Effect.READ, example={"incident": 1})
def show(call: Call, request: OfIncident) -> Postmortem:
    """Show the post-mortem of an incident as it stands, or as it stood at a revision."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        now = postmortem_of(call, state)
        if request.revision in (0, now.revision):
            return now
        event, record = _one(_written(view, request.incident), request.revision)
        published = any(
            isinstance(one := ev.typed(other), ev.PostmortemPublished) and one.revision == record.revision
            for other in view.events(incident=request.incident)
        )
    return Postmortem(
        incident=now.incident,
        key=now.key,
        title=now.title,
        revision=record.revision,
        published=published,
        markdown=record.markdown,
        author=event.actor.label,
        reviews=(),
        reviews_missing=0,
    )


@operation("postmortem.history", effect=Effect.READ, example={"incident": 1})
def history(call: Call, request: OfIncident) -> tuple[RevisionView, ...]:
    """List the revisions of a post-mortem, newest first: who wrote what, when."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        written = _written(view, request.incident)
    before: list[str] = []
    found = []
    for event, record in written:
        lines = record.markdown.splitlines()
        added, removed = _counted(before, lines)
        found.append(
            RevisionView(
                revision=record.revision,
                at=event.at,
                author=event.actor.label,
                via=event.via.value,
                added=added,
                removed=removed,
                published=record.revision == state.published,
            )
        )
        before = lines
    return tuple(reversed(found))


@operation("postmortem.compare", effect=Effect.READ, example={"incident": 1})
def compare(call: Call, request: Compare) -> Difference:
    """Show what was changed between two revisions of a post-mortem."""
    with call.world.store.reading() as view:
        newest = postmortem_of(call, cases.load(view, request.incident)).revision
        written = _written(view, request.incident)
    after = request.after or newest
    before = request.before or after - 1
    _, new = _one(written, after)
    old = _one(written, before)[1].markdown if before else ""
    lines = difflib.unified_diff(
        old.splitlines(), new.markdown.splitlines(), f"revision {before}", f"revision {after}", lineterm=""
    )
    return Difference(incident=request.incident, before=before, after=after, diff="\n".join(lines))


@operation("postmortem.lint", effect=Effect.READ, example={"incident": 1})
def lint(call: Call, request: OfText) -> tuple[WordingView, ...]:
    """Find wording that blames, in the newest revision or in a text that is not saved, with another way to say it."""
    if len(request.markdown) > _LONGEST:
        raise Invalid(f"at most {_LONGEST:,} characters", field="markdown")
    names = [one for person in call.world.catalog.people.values() for one in (person.id, person.name) if one]
    text = request.markdown
    if request.incident is not None:
        with call.world.store.reading() as view:
            state = cases.load(view, request.incident)
            events = view.events(incident=request.incident)
            text = text or postmortem_of(call, state).markdown
        names += [event.actor.label for event in events if event.actor.is_person]
    elif not text.strip():
        raise Invalid("name an incident or give a text", field="markdown")
    return tuple(_wording(one) for one in check(text, people=names))


@operation("postmortem.chart", effect=Effect.READ, example={"incident": 1, "measure": "error_ratio"})
def chart(call: Call, request: OneChart) -> ChartView:
    """Draw one measure over an incident as SVG, from its log."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        drawn = {one.measure.name: one for one in _charts(view, state)}
    if request.measure not in drawn:
        known = ", ".join(drawn) or "none"
        raise NotFound(f"{state.key} has no chart {request.measure[:40]!r}", hint=f"there are: {known}")
    one = drawn[request.measure]
    return ChartView(name=request.measure, title=one.measure.title, svg=draw(one))


@operation("postmortem.export", effect=Effect.READ, example={"incident": 1, "format": "html"})
def export(call: Call, request: Export) -> Exported:
    """Return the post-mortem as one file: Markdown, an HTML document that prints well, or JSON."""
    if request.format not in tuple(Format):
        raise Invalid(f"is one of {', '.join(Format)}", field="format")
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        now = postmortem_of(call, state)
        # Markdown names its charts, and does not hold them.
        charts = () if request.format == Format.MARKDOWN else _charts(view, state)
    name = f"{state.key.lower()}-postmortem"
    match Format(request.format):
        case Format.MARKDOWN:
            return Exported(name=f"{name}.md", media_type="text/markdown", text=now.markdown)
        case Format.HTML:
            stands = "published" if now.published else "a draft"
            text = as_document(
                now.markdown,
                incident=state.number,
                title=f"Post-mortem {state.key}: {state.title}",
                charts={one.measure.name: draw(one) for one in charts},
                foot=f"Revision {now.revision}, {stands}, from the log of {state.key}",
            )
            return Exported(name=f"{name}.html", media_type="text/html", text=text)
        case Format.JSON:
            return Exported(name=f"{name}.json", media_type="application/json", text=_as_json(state, now, charts))


@operation("postmortem.templates", effect=Effect.READ, example={})
def list_templates(call: Call, request: AllTemplates) -> tuple[TemplateView, ...]:
    """List the outlines of post-mortems, those that ship and those of the configuration, with what is wrong in them."""
    return outlines(call.world)


def outlines(world: World) -> tuple[TemplateView, ...]:
    """Return every outline with what is wrong with it."""
    mine = own(Path(world.catalog.root))
    return tuple(
        TemplateView(name=name, shipped=name not in mine, problems=problems_of(name, text))
        for name, text in sorted((shipped() | mine).items())
    )


def _written(view: Transaction, incident: int) -> list[tuple[Event, ev.PostmortemDrafted]]:
    return [
        (event, record)
        for event in view.events(stream=ev.postmortem_stream(incident))
        if isinstance(record := ev.typed(event), ev.PostmortemDrafted)
    ]


def _one(written: Sequence[tuple[Event, ev.PostmortemDrafted]], revision: int) -> tuple[Event, ev.PostmortemDrafted]:
    found = next((one for one in written if one[1].revision == revision), None)
    if found is None:
        raise NotFound(f"there is no revision {revision}", hint=f"there are 1 to {len(written)}")
    return found


def _counted(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """Return how many lines were added and removed."""
    # By whole lines: `ndiff` compares letters too, which takes seconds where a long text was written anew.
    changed = [one for one in difflib.SequenceMatcher(None, before, after).get_opcodes() if one[0] != "equal"]
    return sum(end - start for *_, start, end in changed), sum(end - start for _, start, end, *_ in changed)


def _charts(view: Transaction, state: IncidentState) -> tuple[Chart, ...]:
    return charts_of(view.events(incident=state.number), started_at=state.started_at)


def _wording(one: Wording) -> WordingView:
    return WordingView(
        line=one.line,
        start=one.start,
        end=one.end,
        kind=one.kind.value,
        text=one.text,
        why=one.why,
        suggestion=one.suggestion,
    )


def _as_json(state: IncidentState, now: Postmortem, charts: Sequence[Chart]) -> str:
    """Return the facts of an incident and its post-mortem; instants are ISO 8601 in UTC, charts are lists of pairs."""
    told: dict[str, object] = {
        "incident": state.key,
        "title": state.title,
        "severity": state.ruling.severity.label,
        "services": list(state.services),
        "started_at": state.started_at.isoformat(),
        "declared_at": state.declared_at.isoformat(),
        "resolved_at": state.resolved_at.isoformat() if state.resolved_at else None,
        "cause": state.resolution.cause if state.resolution else None,
        "mitigation": state.resolution.mitigation if state.resolution else None,
        "impact": to_data(state.impact) if state.impact else None,
        "roles": {role.value: person for role, person in state.roles.items()},
        "charts": {one.measure.name: [[at.isoformat(), value] for at, value in one.points] for one in charts},
        "revision": now.revision,
        "published": now.published,
        "markdown": now.markdown,
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"
