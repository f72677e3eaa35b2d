"""What a language model said and what it was asked, as lines of text."""

from collections.abc import Iterator
from typing import Final

from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, number_in, text_of, texts
from stanch.surfaces.cli.telling import at, faint, strong, table

_STANDING: Final = {
    "stands": "nothing was found against it",
    "contradicted": "contradicted",
    "unchecked": "not looked at a second time",
}


def statement_lines(thought: Record) -> Iterator[str]:
    """Yield what is kept of an answer, a sentence a line with what it cites."""
    if not thought:
        return
    since = "; the log says more since" if thought.get("stale") else ""
    yield faint(f"{line_of(thought, 'model')}, asked by {line_of(thought, 'by')}, {at(moment(thought, 'at'))}{since}")
    said = children(thought, "statements")
    yield from (f"  {text_of(one, 'text')} {faint(_cited(one))}" for one in said)
    if not said:
        yield "  Nothing that it said could be believed."


def causes_lines(view: Record) -> Iterator[str]:
    """Yield the hypotheses with what they cite and what speaks against them."""
    claims = children(view, "claims")
    if not claims:
        yield "No cause that cites what there is."
        return
    yield faint(f"{line_of(view, 'claims_by')}; none of these is in the ranking")
    for place, one in enumerate(claims, start=1):
        yield strong(f"{place}. {line_of(one, 'title')}") + f"  {_STANDING.get(line_of(one, 'standing'), '')}"
        yield f"   {text_of(one, 'reason')} {faint(_cited(one))}"
        yield from (
            f"   against: {text_of(said, 'text')} {faint(_cited(said))}" for said in children(one, "objections")
        )


def trouble_line(view: Record, use: str) -> Iterator[str]:
    """Yield how the newest call of a use ended where it brought nothing, and what was not believed."""
    calls = [one for one in children(view, "history") if line_of(one, "use") == use]
    if not calls:
        return
    last = calls[-1]
    if line_of(last, "outcome") != "answered":
        yield f"{_plain(last, 'outcome')}: {line_of(last, 'detail')}"
    if dropped := _counts(child(last, "dropped")):
        yield faint(f"not believed: {dropped}")


def ledger_lines(view: Record) -> Iterator[str]:
    """Yield the budget of an incident and every call."""
    if not texts(view, "uses"):
        yield "No model may be asked: nothing is configured under [thinker], or no use is named there."
    else:
        yield f"{line_of(view, 'model')} at {line_of(view, 'place')}, for {', '.join(texts(view, 'uses'))}"
    money = number_in(view, "money") or 0.0
    limit = number_in(view, "money_limit") or 0.0
    spent = f", {money:.4f} of {limit:g} {line_of(view, 'currency')}" if limit else ""
    yield (
        f"{count_in(view, 'calls')} of {count_in(view, 'calls_limit')} calls,"
        f" {count_in(view, 'tokens'):,} of {count_in(view, 'tokens_limit'):,} tokens{spent}"
    )
    rows = [
        (
            at(moment(one, "at")),
            line_of(one, "use"),
            line_of(one, "by"),
            line_of(one, "model"),
            _plain(one, "outcome"),
            f"{count_in(one, 'characters'):,} characters",
            f"{count_in(one, 'tokens'):,} tokens",
            f"taken out: {_counts(child(one, 'redacted')) or 'nothing'}",
            f"not believed: {_counts(child(one, 'dropped')) or 'nothing'}",
        )
        for one in children(view, "history")
    ]
    yield from table(rows)


def _cited(one: Record) -> str:
    return f"[{', '.join(texts(one, 'cites'))}]"


def _counts(counted: Record) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count_in(counted, name)}" for name in counted)


def _plain(one: Record, name: str) -> str:
    return line_of(one, name).replace("_", " ")
