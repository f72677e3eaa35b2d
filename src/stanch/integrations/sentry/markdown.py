"""Reads the Markdown that tools of Sentry's MCP server answer with: issues of a search, an analysis. Pure.

It is made for reading, and quotes what others wrote: a title may look like a heading. So an issue counts only where its
number follows on the last one's, its name has the form of a name, and its link ends in that name; fields are taken from
the lines that begin as the server begins them, the first of each. What does not read so is left out.
"""

import re
from dataclasses import dataclass
from typing import Final

from stanch.ports.issues import Analysis, Stage, line

_HEADING: Final = re.compile(
    r"^## (\d{1,3})\. \[([A-Z0-9][A-Z0-9_-]{0,63}-[A-Z0-9]{1,16})\]\((https?://[^\s()]{1,300})\)$"
)
_TITLE: Final = re.compile(r"^\*\*(.{1,500})\*\*$")
_FIELD: Final = re.compile(r"^- \*\*([A-Za-z ]{1,30})\*\*: (.{0,500})$")
_PART: Final = re.compile(
    r'<seer_analysis run_id="(\d{1,20})" step="(root_cause|solution)(?:_analysis)?">\n(.*?)\n</seer_analysis>',
    re.DOTALL,
)
_FAILED: Final = re.compile(
    r"^## Analysis (Failed|Cancelled|Needs More Information|Waiting for Response)$", re.MULTILINE
)
_NO_TEXT: Final = "Sentry's MCP server says that the analysis is complete, and nothing of it: it stands in Sentry"
_NUMBERED: Final = re.compile(r"^\d{1,2}\. (.+)$")
_MOST: Final = 50
_MOST_LINES: Final = 8


@dataclass(frozen=True, kw_only=True)
class Found:
    """One issue of a search. Counts are of the period that was searched, `first_seen` is a day."""

    id: str
    title: str
    url: str
    events: float = 0.0
    users: float = 0.0
    culprit: str = ""
    first_seen: str = ""


def issues_in(text: str) -> list[Found]:
    """Return the issues of a search, in its order; may be empty."""
    found: list[Found] = []
    fields: dict[str, str] = {}
    heading: tuple[str, str] | None = None
    title = ""
    for row in (*text.splitlines(), "## end"):
        if row.startswith("## "):
            parts = _HEADING.match(row)
            is_next = parts is not None and int(parts[1]) == len(found) + (2 if heading else 1)
            if heading is not None and (is_next or parts is None):
                found.append(_found(*heading, title, fields))
                heading = None
            if parts is not None and is_next and parts[3].endswith(f"/issues/{parts[2]}") and len(found) < _MOST:
                heading, title, fields = (parts[2], parts[3]), "", {}
        elif (named := _TITLE.match(row)) and not title:
            title = named[1]
        elif field := _FIELD.match(row):
            fields.setdefault(field[1], field[2])
    return found


def analysis_in(text: str) -> Analysis:
    """Return the analysis in an answer: still running where it does not say that it is over, and failed where it does.

    One that is over without a text is in a shape that the server does not read.
    """
    parts = {part[2]: part for part in _PART.finditer(text)}
    run = next((part[1] for part in parts.values()), "")
    cause, whys, reproduction = _said(parts["root_cause"][3]) if "root_cause" in parts else ("", (), ())
    solution, _, steps = _said(parts["solution"][3]) if "solution" in parts else ("", (), ())
    is_over = any(row.startswith("## Analysis Complete") for row in text.splitlines())
    if cause or solution:
        return Analysis(
            stage=Stage.COMPLETED if is_over or solution else Stage.RUNNING,
            run=run,
            cause=cause,
            whys=whys,
            reproduction=reproduction,
            solution=solution or next(iter(steps), ""),
            steps=steps,
        )
    if is_over:
        return Analysis(stage=Stage.FAILED, run=run, detail=_NO_TEXT)
    if failed := _FAILED.search(text):
        return Analysis(stage=Stage.FAILED, run=run, detail=f"Seer's analysis ended as: {failed[1]}")
    return Analysis(stage=Stage.RUNNING)


def _said(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the sentence that a part begins with, its numbered lines, and its points: bullets, or bold lines.

    A point in bold is followed by what there is to say of it, often code: that stays in Sentry.
    """
    lead = ""
    numbered: list[str] = []
    points: list[str] = []
    for row in (one.strip() for one in text.splitlines()):
        if not row or row.startswith("#"):
            continue
        if row.startswith("- "):
            points.append(line(row[2:].replace("**", "")))
        elif bold := _TITLE.match(row):
            points.append(line(bold[1]))
        elif found := _NUMBERED.match(row):
            numbered.append(line(found[1]))
        elif not lead and not points:
            lead = line(row)
    return lead, tuple(numbered[:_MOST_LINES]), tuple(points[:_MOST_LINES])


def _found(id: str, url: str, title: str, fields: dict[str, str]) -> Found:
    return Found(
        id=id,
        title=line(title),
        url=url,
        events=_number(fields.get("Events", "")),
        users=_number(fields.get("Users", "")),
        culprit=line(fields.get("Culprit", "").strip("`")),
        first_seen=line(fields.get("First seen", "")),
    )


def _number(text: str) -> float:
    digits = text.replace(",", "").strip()
    return float(digits) if digits.isdigit() and len(digits) < 16 else 0.0
