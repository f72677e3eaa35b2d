"""One incident as text: the answers to a responder's questions, in the order in which they are asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from stanch.kernel.duration import before_start
from stanch.surfaces.cli.overview_text import card_lines
from stanch.surfaces.cli.plan_text import plan_lines
from stanch.surfaces.cli.records import Record, child, children, line_of, moment, number_in, pairs, text_of, texts
from stanch.surfaces.cli.telling import at, at_and_ago, faint, paint, percent, rule, severity, strong

_MOST_CAUSES: Final = 4


def incident_lines(view: Record) -> Iterator[str]:
    """Yield everything about one incident."""
    yield from card_lines(child(view, "card"))
    ruling = child(view, "severity")
    decided = "by hand" if ruling.get("overridden") else f"by rule {line_of(ruling, 'rule')}"
    yield f"  Severity  {severity(line_of(ruling, 'label'))} {decided}: {line_of(ruling, 'reason')}"
    yield f"  Channel   #{line_of(view, 'channel')}"
    yield from _clock_lines(view)
    yield from _role_lines(view)
    yield from reading_lines(view)
    yield from triage_lines(view)
    yield from changes_lines(view)
    yield from hypotheses_lines(view)
    yield from plan_lines(view)
    yield from _recovery_lines(view)
    yield from findings_lines(view)
    yield from _checklist_lines(view)
    yield from command_lines(view)
    yield from next_lines(view)


def reading_lines(view: Record) -> Iterator[str]:
    """Yield how a report in plain words was read."""
    if text_of(view, "source") != "report":
        return
    yield rule("How the text was read")
    for name, sentence in pairs(view, "reading"):
        yield f"  {name:10} {sentence}"


def triage_lines(view: Record) -> Iterator[str]:
    """Yield the questions of triage with their answers, and the findings each rests on."""
    answers = children(view, "triage")
    if not answers:
        return
    yield rule("Triage")
    for one in answers:
        cited = f" [{', '.join(texts(one, 'findings'))}]" if texts(one, "findings") else ""
        said = f"{line_of(one, 'text')}{cited}"
        yield f"  {line_of(one, 'question'):26}{faint(said) if text_of(one, 'tone') == 'unknown' else said}"
    for link in children(view, "links"):
        yield f"  {line_of(link, 'title'):26}{line_of(link, 'address')}"
    formula = line_of(child(view, "impact"), "revenue_formula")
    if formula:
        yield faint(f"  {'What it costs':26}{formula}")


def changes_lines(view: Record) -> Iterator[str]:
    """Yield what changed near the start, best explanation first."""
    ranked = children(view, "changes")
    if not ranked and not text_of(view, "changes_verdict"):
        return
    yield rule("What changed")
    start = moment(child(view, "card"), "started_at")
    for one in ranked[:8]:
        change = child(one, "change")
        name = line_of(change, "title") or f"{line_of(change, 'service')} {line_of(change, 'version')}"
        commit = line_of(change, "commit")[:10]
        named = f"{commit}  {name}" if commit and commit not in name else name
        when = moment(change, "at")
        yield f"  {at(when)}  {line_of(change, 'kind'):8} {named}{_before(when, start)}"
        yield faint(f"      {line_of(one, 'verdict')}")
    yield f"  {line_of(view, 'changes_verdict')}"


def hypotheses_lines(view: Record) -> Iterator[str]:
    """Yield the likely causes with the evidence for and against."""
    ranked = children(view, "hypotheses")
    if not ranked and not text_of(view, "diagnosis"):
        return
    yield rule("Likely cause")
    if text_of(view, "diagnosis"):
        yield f"  {line_of(view, 'diagnosis')}"
    tests = {text_of(one, "hypothesis"): one for one in children(view, "tests")}
    for place, one in enumerate(ranked[:_MOST_CAUSES], start=1):
        yield f"  {place}. {percent(number_in(one, 'score')):>5}  {strong(line_of(one, 'title'))}"
        for name, sign in (("evidence_for", "+"), ("evidence_against", "-")):
            for citation in children(one, name):
                yield f"         {sign} {line_of(citation, 'text')} [{line_of(citation, 'finding')}]"
        if line_of(one, "culprit"):
            yield f"         at {line_of(one, 'culprit')}"
        yield from _test_lines(tests.get(text_of(one, "id"), {}), view, place=str(place))
    if line_of(view, "next_test"):
        yield f"  Next test: {line_of(view, 'next_test')}"
        yield from _test_lines(tests.get("", {}), view, place="")


def _test_lines(test: Record, view: Record, *, place: str) -> Iterator[str]:
    """Yield how a test is run from here, and what its newest run did."""
    if not test:
        return
    if place:
        yield faint(f"         test: {line_of(test, 'text')}")
    if test.get("under_way"):
        yield "         it is being looked at now"
    elif line_of(test, "summary"):
        yield f"         {line_of(test, 'by')} looked, {at(moment(test, 'at'))}: {line_of(test, 'summary')}"
    if test.get("ready"):
        command = f"stanch hypothesis test {line_of(child(view, 'card'), 'key')} {place}".rstrip()
        yield faint(f"         $ {command}    asks {', '.join(texts(test, 'collectors'))}")
    elif line_of(test, "command"):
        yield faint(f"         $ {line_of(test, 'command')}")


def findings_lines(view: Record) -> Iterator[str]:
    """Yield what the last investigation found, each with the command that shows it again, and what it did not see."""
    found = children(view, "findings")
    seen = [one for one in found if text_of(one, "status") == "ok"]
    if seen:
        yield rule("Findings")
    for one in seen:
        yield f"  [{line_of(one, 'id')}] {line_of(one, 'summary')}"
        if line_of(one, "command"):
            yield faint(f"      $ {line_of(one, 'command')}")
    unseen = [one for one in found if text_of(one, "status") != "ok"]
    if unseen:
        yield rule("Not seen")
    for one in unseen:
        status = line_of(one, "status").replace("_", " ")
        yield f"  [{line_of(one, 'id')}] {status}: {line_of(one, 'summary')}"


def command_lines(view: Record) -> Iterator[str]:
    """Yield the commands to run next, each on a line of its own so that it can be copied."""
    found = children(view, "commands")
    if not found:
        return
    yield rule("Commands to run next")
    for one in found:
        yield f"  # {line_of(one, 'why')}"
        yield f"  {paint(line_of(one, 'command'), 'cyan')}"


def next_lines(view: Record) -> Iterator[str]:
    """Yield the one thing to do next."""
    step = child(view, "next_step")
    if step:
        yield rule("Next")
        yield f"  {line_of(step, 'title')}: {paint(line_of(step, 'command'), 'green', bold=True)}"


def _before(when: datetime | None, start: datetime | None) -> str:
    if when is None or start is None or not timedelta(0) <= start - when < timedelta(minutes=2):
        return ""
    return f", {before_start((start - when).total_seconds())}"


def _clock_lines(view: Record) -> Iterator[str]:
    for clock in children(view, "clocks"):
        yield f"  Target    {line_of(clock, 'target')} by {at(moment(clock, 'due_at'))}: {line_of(clock, 'state')}"
    update = moment(view, "next_update_at")
    if update:
        yield f"  Update    next one due {at_and_ago(update)}"


def _role_lines(view: Record) -> Iterator[str]:
    held = [one for one in children(view, "roles") if line_of(one, "person")]
    for one in held:
        yield f"  Role      {line_of(one, 'title')}: {line_of(one, 'person')}. {line_of(one, 'duty')}".rstrip()


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
        left = number_in(progress, "left_s") or 0.0
        to_go = f", {left:.0f} s to go" if left else ""
        yield f"  Held {held:.0f} of {window:.0f} s without a break{to_go}"
    if line_of(watched, "shortened"):
        yield f"  The window is {line_of(watched, 'shortened')}"
    for failing in texts(progress, "failing"):
        yield paint(f"  Does not hold: {failing}", "yellow")
    for pending in texts(progress, "pending"):
        yield paint(f"  Not an alert yet: {pending}", "yellow")
    for one in children(progress, "checks"):
        since, now = moment(one, "since"), line_of(one, "now")
        if since:
            figure = f", now {now}" if now else ""
            yield f"  {paint('[x]', 'green')} {line_of(one, 'text')}{faint(f'  (since {at(since)}{figure})')}"
        else:
            yield f"  [ ] {line_of(one, 'text')}"


def _checklist_lines(view: Record) -> Iterator[str]:
    items = children(view, "checklist")
    if not items:
        return
    yield rule("Checklist")
    for item in items:
        how = "" if item.get("done") else faint(f"  ({line_of(item, 'how')})")
        yield f"  {paint('[x]', 'green') if item.get('done') else '[ ]'} {line_of(item, 'text')}{how}"
