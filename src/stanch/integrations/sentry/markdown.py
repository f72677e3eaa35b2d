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
    r'<seer_analysis run_id="(\d{1,20})" step="(root_cause|solution)">\n(.*?)\n</seer_analysis>', re.DOTALL
)
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
    """Return the analysis in an answer; one without any part is still running, or has failed where it says so."""
    found = Analysis(stage=Stage.RUNNING)
    cause = solution = run = ""
    whys: list[str] = []
    bullets: dict[str, list[str]] = {"root_cause": [], "solution": []}
    for part in _PART.finditer(text):
        run = part[1]
        lead = ""
        for row in (one.strip() for one in part[3].splitlines()):
            if not row or row.startswith("#"):
                continue
            if row.startswith("- "):
                bullets[part[2]].append(line(row[2:].replace("**", "")))
            elif numbered := _NUMBERED.match(row):
                whys.append(line(numbered[1]))
            elif not lead:
                lead = line(row)
        cause, solution = (lead or cause, solution) if part[2] == "root_cause" else (cause, lead or solution)
    if cause or solution:
        done = "## Analysis Complete" in text or bool(solution)
        found = Analysis(
            stage=Stage.COMPLETED if done else Stage.RUNNING,
            run=run,
            cause=cause,
            whys=tuple(whys[:_MOST_LINES]),
            reproduction=tuple(bullets["root_cause"][:_MOST_LINES]),
            solution=solution,
            steps=tuple(bullets["solution"][:_MOST_LINES]),
        )
    elif "## Analysis Failed" in text:
        found = Analysis(stage=Stage.FAILED, detail="Seer's analysis failed")
    return found


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
