"""What of a model's answer is believed: sentences that cite what there is, and say no figure that is not there. Pure.

An answer is data. Nothing in it is obeyed, nothing is filled in for it, and what is dropped is counted by reason.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stanch.diagnose.thinking.material import Material, safe
from stanch.diagnose.thinking.tasks import task_of
from stanch.incidents.recorded.thinking import Claim, Standing, Statement, Use
from stanch.kernel.errors import Invalid
from stanch.kernel.jsontext import JsonObject, read_object

LONGEST: Final = 400
MOST: Final[Mapping[Use, int]] = {Use.SUMMARY: 8, Use.UPDATE: 6, Use.HYPOTHESES: 5, Use.CONTRARY: 12}
_MOST_CITED: Final = 12
# Links, mentions, mark-up and code: a sentence for people needs none, and somebody may have asked for one.
_NOT_PLAIN: Final = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}:(?://|\S*\()|\bwww\.|\]\(|[<>`{}\[\]|\\]|(?<![\w.])@\w|^[#*>-]\s|\*\*|\$\(", re.IGNORECASE
)
_FIGURE: Final = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w]*\.\d)")
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")


class Dropped(StrEnum):
    """Why something of an answer is not believed."""

    UNCITED = "uncited"
    NO_SUCH_ENTRY = "no_such_entry"
    SAW_NOTHING = "saw_nothing"
    NO_SUCH_FIGURE = "no_such_figure"
    NOT_PLAIN = "not_plain"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    EMPTY = "empty"
    NO_SUCH_HYPOTHESIS = "no_such_hypothesis"
    SHAPELESS = "shapeless"


@dataclass(frozen=True, kw_only=True)
class Believed:
    """What is left of an answer, and what was dropped by reason."""

    statements: tuple[Statement, ...]
    dropped: dict[str, int]


def believe(text: str, *, use: Use, material: Material, claims: int = 0) -> Believed:
    """Return what may be believed of an answer. Raises `Invalid` when it is not the JSON that was asked for.

    `claims` is how many hypotheses a second pass was shown.
    """
    answer = read_object(_object_in(text).encode("utf-8", "replace"))
    listed = answer.data.get(task_of(use).list_name)
    if not isinstance(listed, list):
        raise Invalid(f"holds no list {task_of(use).list_name!r}", field="answer")
    kept: list[Statement] = []
    dropped: Counter[str] = Counter()
    for one in listed:
        statement = _statement(JsonObject(one), use) if isinstance(one, dict) else None
        why = Dropped.SHAPELESS if statement is None else _why_not(statement, use, material, claims)
        if why is None and len(kept) >= MOST[use]:
            why = Dropped.TOO_MANY
        if why is not None:
            dropped[why.value] += 1
        elif statement is not None:
            kept.append(statement)
    return Believed(statements=tuple(kept), dropped=dict(sorted(dropped.items())))


def claims_of(statements: Sequence[Statement]) -> tuple[Claim, ...]:
    """Return the hypotheses of a first pass, not yet looked at a second time."""
    return tuple(
        Claim(title=one.title, reason=one.text, cites=one.cites, standing=Standing.UNCHECKED) for one in statements
    )


def judged(claims: Sequence[Claim], objections: Sequence[Statement]) -> tuple[Claim, ...]:
    """Return the hypotheses as a second pass leaves them: one that anything contradicts does not stand."""
    found = []
    for place, claim in enumerate(claims, start=1):
        against = tuple(one for one in objections if one.about == place)
        standing = Standing.CONTRADICTED if against else Standing.STANDS
        found.append(
            Claim(title=claim.title, reason=claim.reason, cites=claim.cites, standing=standing, objections=against)
        )
    return tuple(found)


def _object_in(text: str) -> str:
    """Return the JSON object in an answer: models without a schema like to put it between fences."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _statement(one: JsonObject, use: Use) -> Statement | None:
    try:
        said = one.text("text") if use in (Use.SUMMARY, Use.UPDATE) else one.text("reason")
        title = one.text("title") if use is Use.HYPOTHESES else ""
        about = int(one.number("hypothesis") or 0) if use is Use.CONTRARY else 0
    except (Invalid, ValueError, OverflowError):
        return None
    cites = tuple(dict.fromkeys(one.words("cites")))
    # One more than is allowed is kept, so that what is too long is seen to be.
    return Statement(text=safe(said, most=10_000), cites=cites, title=safe(title, most=10_000), about=about)


def _why_not(said: Statement, use: Use, material: Material, claims: int) -> Dropped | None:
    """Return why a sentence is not believed, None when it is."""
    sources = [material.sources[cite] for cite in said.cites if cite in material.sources]
    texts = [said.text, *([said.title] if use is Use.HYPOTHESES else [])]
    if not all(texts):
        return Dropped.EMPTY
    if any(len(one) > LONGEST for one in texts) or len(said.cites) > _MOST_CITED:
        return Dropped.TOO_LONG
    if any(_NOT_PLAIN.search(one) for one in texts):
        return Dropped.NOT_PLAIN
    if use is Use.CONTRARY and not 1 <= said.about <= claims:
        return Dropped.NO_SUCH_HYPOTHESIS
    if not said.cites:
        return Dropped.UNCITED
    if len(sources) < len(said.cites):
        return Dropped.NO_SUCH_ENTRY
    if use in (Use.HYPOTHESES, Use.CONTRARY) and not any(one.saw for one in sources):
        return Dropped.SAW_NOTHING
    known = " ".join((material.facts, *(one.text for one in sources)))
    return None if all(_is_in(figure, known) for one in texts for figure in _figures(one)) else Dropped.NO_SUCH_FIGURE


def _figures(text: str) -> Iterator[str]:
    """Yield the figures of a sentence; one digit alone counts things people can see, and is let through."""
    for found in _FIGURE.finditer(text):
        after = text[found.end() : found.end() + 2].strip()
        if len(found[0]) > 1 or after.startswith("%"):
            yield found[0]


def _is_in(figure: str, known: str) -> bool:
    """Tell whether a figure stands in the texts, as it is, as a share of 1 instead of 100, or rounded."""
    wanted = float(figure.replace(",", ""))
    half = 0.5 * 10.0 ** -(len(figure.partition(".")[2]))
    values = (float(one.replace(",", "")) for one in _NUMBER.findall(known) if len(one) < 20)
    return any(abs(value * scale - wanted) <= half for value in values for scale in (1.0, 100.0, 0.001))
