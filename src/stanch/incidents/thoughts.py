"""Says in words what is on record of a language model that was asked. Pure."""

from typing import Final, TypeAlias

from stanch.incidents.recorded.thinking import ThoughtAsked, ThoughtEnded, ThoughtSent, Use

ThoughtEvent: TypeAlias = ThoughtAsked | ThoughtSent | ThoughtEnded
THOUGHT_EVENTS: Final[tuple[type[ThoughtEvent], ...]] = (ThoughtAsked, ThoughtSent, ThoughtEnded)

ASKED_FOR: Final = {
    Use.SUMMARY: "a summary",
    Use.UPDATE: "a draft of the next update",
    Use.HYPOTHESES: "possible causes",
    Use.CONTRARY: "what speaks against them",
}


def thought_words(record: ThoughtEvent) -> tuple[str, str, str]:
    """Return title, text and tone of an event; what a model said is not told here, where it would look like a fact."""
    match record:
        case ThoughtAsked():
            taken = sum(record.redacted.values())
            text = f"{record.characters:,} characters to {record.place}; {taken} secrets or addresses taken out"
            return f"{record.model} is asked for {ASKED_FOR[record.use]}", text, "person"
        case ThoughtSent():
            return f"Question {record.call} leaves", "", "system"
        case ThoughtEnded():
            kept, lost = len(record.statements), sum(record.dropped.values())
            text = f"{kept} kept, {lost} not believed; {record.tokens_in + record.tokens_out:,} tokens"
            title = f"{record.model} on {ASKED_FOR[record.use]}: {record.outcome.value.replace('_', ' ')}"
            return title, f"{text}. {record.detail}" if record.detail else text, "system"
