"""The few forms of English verbs that another wording needs."""

import re
from typing import Final

# Participles that do not end in -ed, as they come up in write-ups.
_IRREGULAR: Final = (
    "been",
    "known",
    "seen",
    "done",
    "had",
    "made",
    "taken",
    "given",
    "gone",
    "run",
    "read",
    "written",
    "told",
    "kept",
    "caught",
    "thought",
    "found",
    "got",
    "gotten",
    "held",
    "left",
    "let",
    "put",
    "set",
    "said",
    "sent",
    "stopped",
    "shut",
    "cut",
    "built",
    "brought",
    "begun",
    "broken",
    "chosen",
    "drawn",
    "dealt",
    "fallen",
    "felt",
    "forgotten",
    "heard",
    "led",
    "lost",
    "meant",
    "met",
    "paid",
    "spent",
    "spoken",
    "stuck",
    "taught",
    "understood",
    "woken",
    "foreseen",
)
PARTICIPLE: Final = rf"(?:\w+ed|{'|'.join(_IRREGULAR)})"
"""An expression for a past participle."""

_PARTICIPLES: Final = {
    "broke": "broken",
    "took down": "taken down",
    "brought down": "brought down",
}


def participle_of(past: str) -> str:
    """Return the participle of a verb that stands in the past tense."""
    return _PARTICIPLES.get(past.lower(), past.lower())


_OF_NEGATIONS: Final = re.compile(
    r"(?:failed|fails|neglected|refused|omitted|did ?n[o']t bother) to|did ?n[o']t ", re.IGNORECASE
)
_INFINITIVES: Final = {
    "missed": "notice",
    "overlooked": "notice",
    "ignored": "act on",
    "disregarded": "act on",
    "misread": "read",
    "mistyped": "type",
}


def verb_of(left_undone: str) -> str:
    """Return the step that a wording such as `did not test` or `overlooked` says was left undone: `test`, `notice`."""
    told = left_undone.lower()
    return _INFINITIVES.get(told, _OF_NEGATIONS.sub("", told).strip())
