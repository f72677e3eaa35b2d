"""An incident whose every text is from the corpus: notes, errors, findings, changes, causes, plans, output, reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from stanch.catalog.tables import add_change
from stanch.incidents import events as ev
from stanch.incidents.model import Citation, PrimaryError
from stanch.kernel.actor import person
from stanch.mitigate.plan import digest_of
from stanch.ports.actuator import Step
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus
from tests.support.hostile import CORPUS
from tests.surfaces.web.story import START, Story, top_hypothesis

SHORT = {name: text for name, text in CORPUS.items() if len(text) < 1_000}


@dataclass(frozen=True)
class Told:
    """The story, and the folder of its store."""

    story: Story
    folder: Path


@contextmanager
def told_in(folder: Path) -> Iterator[Told]:
    """Tell the incident into a store of its own."""
    story = Story(str(folder / "stanch.db"))
    story.calm()
    story.declare(
        title=" ".join(SHORT[name] for name in ("html-script", "markdown-link", "terminal-clear", "shell-and"))
    )
    story.investigate()
    for name, text in CORPUS.items():
        _say(story, name, text)
    story.approve()
    story.run()
    for text in SHORT.values():
        story.say(ev.RunOutput(plan=story.plan.id, step=0, text=text), stream=ev.action_stream(1, story.plan.id))
    yield Told(story=story, folder=folder)
    story.store.close()


def _say(story: Story, name: str, text: str) -> None:
    at = START + timedelta(seconds=5)
    window = {"start": START - timedelta(minutes=15), "end": START + timedelta(minutes=1)}
    story.say(ev.NoteAdded(text=text), actor=person("alice", name=text[:60]))
    story.say(ev.SymptomSeen(error=PrimaryError(title=text, count=1, first_seen=at, last_seen=at, sample=text)))
    finding = Finding(
        id=f"f-{name}",
        collector="logs",
        source=text,
        command=text,
        status=FindingStatus.OK,
        summary=text,
        took_s=0.1,
        data={"rows": [{text[:50]: text, "html": text}], "labels": {text[:50]: text}},
        **window,
    )
    story.say(ev.FindingRecorded(round=1, finding=finding))
    change = Change(
        id=f"c-{name}",
        at=START - timedelta(seconds=60),
        kind=ChangeKind.DEPLOY,
        service="payments",
        title=text,
        version=text,
        previous=text,
        commit=text,
        author=text,
        url=text,
        paths=(text,),
        diff=text,
    )
    with story.store.writing() as tx:
        add_change(tx.connection, change, now=story.clock.now())
    ranked = ev.RankedChange(change=change, score=1.0, verdict=text, reasons=(text,))
    cause = replace(
        top_hypothesis(),
        id=f"h-{name}",
        title=text,
        service="payments",
        version=text,
        previous=text,
        commit=text,
        culprit=text,
        change_title=text,
        evidence_for=(Citation(finding=f"f-{name}", text=text, weight=1.0),),
        next_test=text,
        next_command=text,
    )
    # A plan made from the outside: what it is about is text, however it came about.
    plan = replace(
        story.plan,
        id=f"p-{name}",
        title=text,
        why=text,
        steps=(Step(actuator="command", argv=("shopctl", text), describe=text),),
        undo=(Step(actuator="http", data={"url": "http://x/", "body": text}),),
        warnings=(text,),
        preview=(text,),
    )
    plan = replace(plan, digest=digest_of(plan))
    story.say(
        ev.ChangesRanked(round=2, changes=(ranked,), none_explains=False, verdict=text),
        ev.HypothesesRanked(round=2, hypotheses=(cause,), known=True, verdict=text),
        ev.PlanAdded(plan=plan, reason=text),
    )
    stream = ev.action_stream(1, plan.id)
    story.say(ev.DryRunFinished(plan=plan.id, code=0, output=text), stream=stream)
    story.say(ev.Rejected(plan=plan.id, reason=text), stream=stream)
