"""What a digest of log lines says in words: errors since the onset, kinds of lines that came or went. Pure."""

from stanch.alerts.words import many
from stanch.diagnose.logdigest import Digest
from stanch.diagnose.picture import is_raised
from stanch.diagnose.wording import clock, place
from stanch.ports.evidence import Question, Signal


def errors_said(service: str, digest: Digest, question: Question) -> str:
    """Say which error stands out, since when, in which version and where."""
    if not digest.after:
        return f"{service}: nothing was logged since {clock(question.onset)}"
    raised = [signal for signal in digest.errors if is_raised(signal)]
    if not raised:
        usual = f" ({many(len(digest.errors), 'kind')} of errors, as many as ever)" if digest.errors else ""
        return f"{service}: no new errors in {digest.after:,} lines since {clock(question.onset)}{usual}"
    first = raised[0]
    since = f" since {clock(first.at)}" if first.at is not None else ""
    versions = first.data.get("versions")
    told = f"{service}: {first.text}, {first.value or 0:,.0f} times{since}{_history(first)}"
    if isinstance(versions, list) and len(versions) == 1:
        told += f"; all in version {versions[0]}"
    culprit = first.data.get("culprit")
    if culprit:
        told += f"; at {place(str(culprit))}"
    others = len(raised) - 1
    return told + (f"; and {others} more kind{'s' if others > 1 else ''} of errors" if others else "")


def who_said(digest: Digest) -> str:
    """Say whom the failures met, as the end of a sentence; empty where the log does not tell of requests."""
    said = "".join(f"; {one.text}" for one in digest.who if one.name == "failure_slice" and one.text)
    users = next((one.value for one in digest.who if one.name == "users_affected"), None)
    return said + (f"; {many(users, 'user')} met one" if users else "")


def _history(signal: Signal) -> str:
    if signal.normal is None:
        return ", with nothing logged before to compare"
    if not signal.normal:
        return ", never before in the window"
    return f", {signal.normal:,.0f} in an equal stretch before"


def templates_said(service: str, templates: tuple[Signal, ...]) -> str:
    """Say how many kinds of lines changed, and which most."""
    by_change: dict[str, int] = {}
    for each in templates:
        word = str(each.data.get("change", ""))
        by_change[word] = by_change.get(word, 0) + 1
    counted = ", ".join(f"{count} {word}" for word, count in by_change.items())
    most = f'"{templates[0].text[:120]}" ({templates[0].data.get("change")})'
    return f"{service}: kinds of lines that changed: {counted}; most of all {most}"
