"""What a check expects: read from words, and judged against what came back. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from stanch.mitigate.runbooks.model import Comparison, Expectation

_NUMBER: Final = r"[-+]?\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?"
_WORDS: Final = (
    (Comparison.AT_MOST, r"(?:at most|no more than|<=|≤|up to)"),
    (Comparison.AT_LEAST, r"(?:at least|no less than|>=|≥)"),
    (Comparison.BELOW, r"(?:below|under|less than|fewer than|lower than|<)"),
    (Comparison.ABOVE, r"(?:above|over|more than|greater than|higher than|>)"),
    (Comparison.NOT, r"(?:not equal to|not|!=|≠)"),
    (Comparison.EQUALS, r"(?:equal to|equals|exactly|==?|is)"),
)
_NUMERIC: Final = tuple(
    (comparison, re.compile(rf"{words}\s*({_NUMBER})\s*(%?)", re.IGNORECASE)) for comparison, words in _WORDS
)
_EMPTY: Final = re.compile(r"(?:empty|nothing|no rows?|no output|no lines?|none)\b", re.IGNORECASE)
_CONTAINS: Final = re.compile(r"(?:contains?|includes?|says|prints|shows)\s+(.+)", re.IGNORECASE)
_STATUS: Final = re.compile(r"(?:status|http)?\s*(?:is\s+|code\s+)?([1-5](?:\d\d|xx))(?:\s+[A-Za-z ]+)?", re.IGNORECASE)
_NORMAL: Final = re.compile(r"(?:as |within )?normal", re.IGNORECASE)
_OF: Final = re.compile(r"(/[^\s]*|[A-Za-z_][\w.]*):?\s+(.+)", re.DOTALL)
_FIGURE: Final = re.compile(rf"(?<![\w.]){_NUMBER}(?![\w.])")

_HOLDS: Final[dict[Comparison, Callable[[float, float], bool]]] = {
    Comparison.BELOW: lambda seen, wanted: seen < wanted,
    Comparison.AT_MOST: lambda seen, wanted: seen <= wanted,
    Comparison.ABOVE: lambda seen, wanted: seen > wanted,
    Comparison.AT_LEAST: lambda seen, wanted: seen >= wanted,
    Comparison.EQUALS: lambda seen, wanted: seen == wanted,
    Comparison.NOT: lambda seen, wanted: seen != wanted,
}


def read_expectation(words: str) -> Expectation | None:
    """Return the expectation that `words` say, e.g. `below 100`, `empty`, `contains "ok"`, `status 2xx`, `normal`.

    A first word says what of the answer is meant: `used_share below 0.8`, `/queue/depth at most 3`.
    """
    text = words.strip().strip(".")
    for comparison, pattern in _NUMERIC:
        if found := pattern.match(text):
            number = float(found.group(1).replace(",", "").replace("_", ""))
            return Expectation(comparison=comparison, value=f"{number:g}", words=text)
    if _EMPTY.match(text):
        return Expectation(comparison=Comparison.EMPTY, value="", words=text)
    if found := _CONTAINS.match(text):
        return Expectation(comparison=Comparison.CONTAINS, value=found.group(1).strip().strip("\"'`"), words=text)
    if found := _STATUS.fullmatch(text):
        return Expectation(comparison=Comparison.STATUS, value=found.group(1).lower(), words=text)
    if _NORMAL.fullmatch(text):
        return Expectation(comparison=Comparison.NORMAL, value="", words=text)
    if (found := _OF.fullmatch(text)) and (rest := read_expectation(found.group(2))) and not rest.of:
        # `used_share below 0.8`: the first word says what of the answer is meant.
        return Expectation(comparison=rest.comparison, value=rest.value, words=text, of=found.group(1))
    return None


def holds(expectation: Expectation, answer: str, values: Sequence[float]) -> bool | None:
    """Tell whether what came back is as expected; None where a number is wanted and there is none.

    `values` are the figures of the answer; without any, those in its text count. All of them must be as expected.
    """
    match expectation.comparison:
        case Comparison.EMPTY:
            return not answer.strip() and not values
        case Comparison.CONTAINS:
            return expectation.value.casefold() in answer.casefold()
        case Comparison.STATUS:
            return all(_is_status(value, expectation.value) for value in values) if values else None
        case Comparison.NORMAL:
            # Whoever measured it says whether it is: 1 where it is.
            return all(value == 1.0 for value in values) if values else None
        case comparison:
            seen = tuple(values) or _figures(answer)
            wanted = float(expectation.value)
            return all(_HOLDS[comparison](value, wanted) for value in seen) if seen else None


def _is_status(seen: float, wanted: str) -> bool:
    return seen // 100 == float(wanted[0]) if wanted.endswith("xx") else seen == float(wanted)


def _figures(text: str) -> tuple[float, ...]:
    return tuple(float(found.group().replace(",", "").replace("_", "")) for found in _FIGURE.finditer(text))
