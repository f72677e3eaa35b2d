"""One incident as text: the answers to a responder's questions, in the order in which they are asked."""

from collections.abc import Iterator

from stanch.kernel.blocks import clean
from stanch.surfaces.cli.telling import (
    Record,
    at,
    child,
    children,
    moment,
    number_in,
    overview_lines,
    paint,
    percent,
    rule,
    severity,
    text_of,
    texts,
)


def incident_lines(view: Record) -> Iterator[str]:
    """Yield everything about one incident."""
    card = child(view, "card")
    yield from (line for line in overview_lines({"incidents": [dict(card)]}) if line)
    ruling = child(view, "severity")
    decided = f"by rule {text_of(ruling, 'rule')}: {text_of(ruling, 'reason')}"
    yield f"  Severity  {severity(text_of(ruling, 'label'))} {decided}"
    yield f"  Channel   #{text_of(view, 'channel')}"
    yield from _clock_lines(view)
    yield from reading_lines(view)
    yield from changes_lines(view)
    yield from hypotheses_lines(view)
    yield from plan_lines(view)
    yield from _recovery_lines(view)
    yield from findings_lines(view)
    yield from _checklist_lines(view)
    yield from next_lines(view)


def reading_lines(view: Record) -> Iterator[str]:
    """Yield how a report in plain words was read."""
    if text_of(view, "source") != "report":
        return
    yield rule("How the text was read")
    pairs = view.get("reading")
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            yield f"  {clean(str(pair[0])):10} {clean(str(pair[1]))}"


def changes_lines(view: Record) -> Iterator[str]:
    """Yield what changed near the start, best explanation first."""
    ranked = children(view, "changes")
    if not ranked and not text_of(view, "changes_verdict"):
        return
    yield rule("What changed")
    for one in ranked[:8]:
        change = child(one, "change")
        name = text_of(change, "title") or f"{text_of(change, 'service')} {text_of(change, 'version')}"
        yield f"  {at(moment(change, 'at'))}  {text_of(change, 'kind'):8} {name}"
        yield paint(f"      {text_of(one, 'verdict')}", "white")
    yield f"  {text_of(view, 'changes_verdict')}"


def hypotheses_lines(view: Record) -> Iterator[str]:
    """Yield the likely causes with the evidence for and against."""
    ranked = children(view, "hypotheses")
    if not ranked and not text_of(view, "diagnosis"):
        return
    yield rule("Likely cause")
    if text_of(view, "diagnosis"):
        yield f"  {text_of(view, 'diagnosis')}"
    for one in ranked[:3]:
        yield f"  {percent(number_in(one, 'score')):>5}  {paint(text_of(one, 'title'), 'white', bold=True)}"
        for name, sign in (("evidence_for", "+"), ("evidence_against", "-")):
            for citation in children(one, name):
                yield f"         {sign} {text_of(citation, 'text')} [{text_of(citation, 'finding')}]"
        if text_of(one, "culprit"):
            yield f"         at {text_of(one, 'culprit')}"
    if text_of(view, "next_test"):
        yield f"  Next test: {text_of(view, 'next_test')}"


def plan_lines(view: Record) -> Iterator[str]:
    """Yield the path through the decision tree, and every plan with its exact commands."""
    proposal = child(view, "proposal")
    if not proposal:
        return
    yield rule("What to do")
    for fork in children(proposal, "path"):
        yield f"  {text_of(fork, 'question')} {text_of(fork, 'answer')}: {text_of(fork, 'reason')}"
    yield f"  {text_of(proposal, 'verdict')}"
    for action in children(view, "actions"):
        plan = child(action, "plan")
        undone = "reversible" if plan.get("reversible") else "not reversible"
        yield f"  {paint(text_of(plan, 'id'), 'white', bold=True)}  {text_of(plan, 'title')}"
        yield f"      {text_of(action, 'state')}, risk {text_of(plan, 'risk')}, {undone}"
        for step in children(plan, "steps"):
            yield f"      $ {' '.join(texts(step, 'argv'))}"
        expectation = child(plan, "expectation")
        if text_of(expectation, "describe"):
            yield f"      expected: {text_of(expectation, 'describe')}"
        for line in text_of(action, "dry_run").splitlines():
            yield f"      dry run: {line}"
        for line in "\n".join(texts(action, "output")).splitlines():
            yield f"      | {line}"
        if text_of(action, "effect"):
            yield f"      {text_of(action, 'verdict')}: {text_of(action, 'effect')}"


def findings_lines(view: Record) -> Iterator[str]:
    """Yield the findings of the last investigation, each with the command that shows it again."""
    found = children(view, "findings")
    if not found:
        return
    yield rule("Findings")
    for one in found:
        status = text_of(one, "status")
        mark = "" if status == "ok" else f" ({status.replace('_', ' ')})"
        yield f"  [{text_of(one, 'id')}]{mark} {text_of(one, 'summary')}"
        if text_of(one, "command"):
            yield paint(f"      $ {text_of(one, 'command')}", "white")


def next_lines(view: Record) -> Iterator[str]:
    """Yield the one thing to do next."""
    step = child(view, "next_step")
    if step:
        yield rule("Next")
        yield f"  {text_of(step, 'title')}: {paint(text_of(step, 'command'), 'green', bold=True)}"


def _clock_lines(view: Record) -> Iterator[str]:
    for clock in children(view, "clocks"):
        yield f"  Target    {text_of(clock, 'target')} by {at(moment(clock, 'due_at'))}: {text_of(clock, 'state')}"
    update = moment(view, "next_update_at")
    if update:
        yield f"  Update    next one due {at(update)}"


def _recovery_lines(view: Record) -> Iterator[str]:
    progress = child(view, "progress")
    if not progress:
        return
    watched = child(progress, "verification")
    yield rule("Recovery")
    if watched.get("passed_at"):
        yield paint(f"  Verified {at(moment(watched, 'passed_at'))}", "green")
    else:
        held, window = number_in(progress, "held_s") or 0.0, number_in(watched, "window_s") or 0.0
        yield f"  Held {held:.0f} of {window:.0f} s without a break"
    if text_of(watched, "shortened"):
        yield f"  The window is {text_of(watched, 'shortened')}"
    for failing in texts(progress, "failing"):
        yield paint(f"  Does not hold: {failing}", "yellow")


def _checklist_lines(view: Record) -> Iterator[str]:
    items = children(view, "checklist")
    if not items:
        return
    yield rule("Checklist")
    for item in items:
        mark = paint("✓", "green") if item.get("done") else "·"
        how = "" if item.get("done") else paint(f"  ({text_of(item, 'how')})", "white")
        yield f"  {mark} {text_of(item, 'text')}{how}"
