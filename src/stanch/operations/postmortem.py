"""Operations on a post-mortem: read, draft again, edit, publish."""

from dataclasses import dataclass

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Conflict, Invalid, NotFound, Refused
from stanch.operations import cases
from stanch.operations.closing import write_postmortem
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_LONGEST = 500_000


@dataclass(frozen=True, kw_only=True)
class OfIncident:
    """The incident it is about."""

    incident: int


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A new text, written on top of `revision`."""

    incident: int
    revision: int
    markdown: str


@dataclass(frozen=True, kw_only=True)
class Publish:
    """The revision to publish."""

    incident: int
    revision: int


@dataclass(frozen=True, kw_only=True)
class Postmortem:
    """A post-mortem as it stands, in Markdown."""

    incident: int
    key: str
    title: str
    revision: int
    published: bool
    markdown: str


@operation("postmortem.show", effect=Effect.READ, example={"incident": 1})
def show(call: Call, request: OfIncident) -> Postmortem:
    """Show the post-mortem of an incident as it stands."""
    with call.world.store.reading() as view:
        return _postmortem(cases.load(view, request.incident))


@operation("postmortem.draft", effect=Effect.WRITE, example={"incident": 1})
def draft(call: Call, request: OfIncident) -> Postmortem:
    """Draft the post-mortem from the log again, as a new revision."""
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        write_postmortem(tx, call.world, state)
        return _postmortem(cases.load(tx, request.incident))


@operation(
    "postmortem.edit", effect=Effect.WRITE, example={"incident": 1, "revision": 1, "markdown": "# What happened"}
)
def edit(call: Call, request: Edit) -> Postmortem:
    """Write a new revision by hand; refused when somebody else wrote one since."""
    if not request.markdown.strip():
        raise Invalid("a post-mortem needs a text", field="markdown")
    if len(request.markdown) > _LONGEST:
        raise Invalid(f"at most {_LONGEST:,} characters", field="markdown")
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        newest = state.postmortem.revision if state.postmortem else 0
        if request.revision != newest:
            raise Conflict(
                f"revision {newest} was written since", reason="stale_revision", hint="read it again, then write"
            )
        written = ev.PostmortemDrafted(revision=newest + 1, markdown=request.markdown)
        stream = ev.postmortem_stream(state.number)
        cases.record(tx, state.number, written, actor=call.actor, via=call.via, stream=stream)
        return _postmortem(cases.load(tx, request.incident))


@operation("postmortem.publish", effect=Effect.WRITE, example={"incident": 1, "revision": 1})
def publish(call: Call, request: Publish) -> Postmortem:
    """Publish a revision; refused for any but the newest."""
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        newest = _postmortem(state).revision
        if request.revision != newest:
            raise Refused(f"the newest revision is {newest}", reason="stale_revision", hint="read it, then publish it")
        if state.published != newest:
            published = ev.PostmortemPublished(revision=newest)
            stream = ev.postmortem_stream(state.number)
            cases.record(tx, state.number, published, actor=call.actor, via=call.via, stream=stream)
        return _postmortem(cases.load(tx, request.incident))


def _postmortem(state: IncidentState) -> Postmortem:
    if state.postmortem is None:
        raise NotFound(
            f"{state.key} has no post-mortem yet",
            hint=f"it is drafted when the incident is resolved, or now: stanch postmortem draft {state.key}",
        )
    return Postmortem(
        incident=state.number,
        key=state.key,
        title=state.title,
        revision=state.postmortem.revision,
        published=state.published == state.postmortem.revision,
        markdown=state.postmortem.markdown,
    )
