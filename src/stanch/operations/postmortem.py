"""Operations that write a post-mortem: draft it again, edit it, agree with it, publish it."""

from dataclasses import dataclass

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.operations import cases
from stanch.operations.closing import write_postmortem
from stanch.operations.prevention import lessons
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_LONGEST = 500_000
_LONGEST_NOTE = 4_000


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The incident it is about, and the outline; empty for that of its severity."""

    incident: int
    template: str = ""


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
class Review:
    """What somebody says of a revision: agreed, or what is to be changed."""

    incident: int
    revision: int
    agreed: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """What one person said of the newest revision."""

    person: str
    agreed: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class Postmortem:
    """A post-mortem as it stands, in Markdown. `reviews_missing` people have still to agree before it is published."""

    incident: int
    key: str
    title: str
    revision: int
    published: bool
    markdown: str
    author: str
    reviews: tuple[ReviewView, ...]
    reviews_missing: int


@operation("postmortem.draft", effect=Effect.WRITE, example={"incident": 1})
def draft(call: Call, request: Draft) -> Postmortem:
    """Draft the post-mortem from the log again, as a new revision."""
    learnt = lessons(call.world, request.incident)
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        write_postmortem(tx, call.world, state, template=request.template, lessons=learnt)
        return postmortem_of(call, cases.load(tx, request.incident))


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
        return postmortem_of(call, cases.load(tx, request.incident))


@operation("postmortem.review", effect=Effect.WRITE, example={"incident": 1, "revision": 1, "agreed": True})
def review(call: Call, request: Review) -> Postmortem:
    """Agree with the newest revision, or say what is to be changed in it; one's own text is for others to review."""
    note = request.note.strip()
    if not request.agreed and not note:
        raise Invalid("say what is to be changed", field="note")
    if len(note) > _LONGEST_NOTE:
        raise Invalid(f"at most {_LONGEST_NOTE:,} characters", field="note")
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        now = _newest(call, state, request.revision)
        if request.agreed and not call.actor.is_person:
            raise Refused("a person has to agree", reason="not_a_person")
        if request.agreed and state.postmortem_by is not None and state.postmortem_by.id == call.actor.id:
            raise Refused(f"{call.actor.label} wrote revision {now.revision}", reason="own_text")
        said = ev.PostmortemReviewed(revision=now.revision, agreed=request.agreed, note=note)
        stream = ev.postmortem_stream(state.number)
        cases.record(tx, state.number, said, actor=call.actor, via=call.via, stream=stream)
        return postmortem_of(call, cases.load(tx, request.incident))


@operation("postmortem.publish", effect=Effect.WRITE, example={"incident": 1, "revision": 1})
def publish(call: Call, request: Publish) -> Postmortem:
    """Publish a revision; refused for any but the newest, and until enough people agree with it."""
    if call.actor.kind is ActorKind.AGENT:
        raise Forbidden(f"{call.actor.label} may write but not publish", reason="publishing_needs_a_person")
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        now = _newest(call, state, request.revision)
        if state.published != now.revision:
            _may_be_published(now)
            published = ev.PostmortemPublished(revision=now.revision)
            stream = ev.postmortem_stream(state.number)
            cases.record(tx, state.number, published, actor=call.actor, via=call.via, stream=stream)
        return postmortem_of(call, cases.load(tx, request.incident))


def postmortem_of(call: Call, state: IncidentState) -> Postmortem:
    """Return the post-mortem of an incident as it stands. Raises `NotFound` when there is none yet."""
    written = state.postmortem
    if written is None:
        raise NotFound(
            f"{state.key} has no post-mortem yet",
            hint=f"it is drafted when the incident is resolved, or now: stanch postmortem draft {state.key}",
        )
    agreed = sum(1 for one in state.reviews.values() if one.agreed)
    return Postmortem(
        incident=state.number,
        key=state.key,
        title=state.title,
        revision=written.revision,
        published=state.published == written.revision,
        markdown=written.markdown,
        author=state.postmortem_by.label if state.postmortem_by else "",
        reviews=tuple(
            ReviewView(person=person, agreed=one.agreed, note=one.note) for person, one in state.reviews.items()
        ),
        reviews_missing=max(0, call.world.catalog.postmortem.reviews - agreed),
    )


def _newest(call: Call, state: IncidentState, revision: int) -> Postmortem:
    now = postmortem_of(call, state)
    if revision != now.revision:
        raise Refused(
            f"the newest revision is {now.revision}", reason="stale_revision", hint="read it, then publish it"
        )
    return now


def _may_be_published(now: Postmortem) -> None:
    if objection := next((one for one in now.reviews if not one.agreed), None):
        raise Refused(
            f"{objection.person} wants something changed: {objection.note}",
            reason="changes_wanted",
            hint="write a new revision, or ask them to agree with this one",
        )
    if now.reviews_missing:
        raise Refused(
            f"{now.reviews_missing} more must agree with revision {now.revision}",
            reason="reviews_missing",
            hint=f"stanch postmortem review {now.key} --agree",
        )
