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
    """Return the expectation that `words` say, e.g. `below 100`, `at most 80 %`, `empty`, `contains "ok"`."""
    text = words.strip().strip(".")
    for comparison, pattern in _NUMERIC:
        if found := pattern.match(text):
            number = float(found.group(1).replace(",", "").replace("_", ""))
            return Expectation(comparison=comparison, value=f"{number:g}", words=text)
    if _EMPTY.match(text):
        return Expectation(comparison=Comparison.EMPTY, value="", words=text)
    if found := _CONTAINS.match(text):
        return Expectation(comparison=Comparison.CONTAINS, value=found.group(1).strip().strip("\"'`"), words=text)
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
        case comparison:
            seen = tuple(values) or _figures(answer)
            wanted = float(expectation.value)
            return all(_HOLDS[comparison](value, wanted) for value in seen) if seen else None


def _figures(text: str) -> tuple[float, ...]:
    return tuple(float(found.group().replace(",", "").replace("_", "")) for found in _FIGURE.finditer(text))
