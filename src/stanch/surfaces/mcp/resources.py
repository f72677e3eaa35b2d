"""What an agent can read by address: incidents, time lines, models' answers, runbooks, post-mortems. Whole."""

import re
from dataclasses import dataclass
from typing import Final

from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON
from stanch.surfaces.mcp.incident_views import PARTS, SHORT, THOUGHT
from stanch.surfaces.mcp.marking import WARNING, outside, own
from stanch.surfaces.mcp.tool import Asking, text_of
from stanch.surfaces.mcp.views import Cuts, View, fields, shown

SCHEME: Final = "stanch://"
LONGEST: Final = 4_000
_PAGE: Final = 500
MOST: Final = 200_000
"""Characters of one resource: a post-mortem may have a megabyte, and no prompt has room for that."""

_ENTRY: Final = fields("seq at kind! title text actor via! late")
_ADDRESS: Final = re.compile(
    rf"{SCHEME}(incident|postmortem|thinker)/([0-9]{{1,9}})(/timeline)?|{SCHEME}runbook/([a-z0-9-]{{1,80}})"
)
_JSON: Final = "application/json"
_MARKDOWN: Final = "text/markdown"


@dataclass(frozen=True, kw_only=True)
class Template:
    """A kind of address."""

    uri: str
    name: str
    about: str
    media_type: str


TEMPLATES: Final = (
    Template(
        uri=f"{SCHEME}incident/{{number}}", name="incident", about="One incident with all its parts", media_type=_JSON
    ),
    Template(
        uri=f"{SCHEME}incident/{{number}}/timeline", name="timeline", about="Its time line, whole", media_type=_JSON
    ),
    Template(uri=f"{SCHEME}runbook/{{name}}", name="runbook", about="A runbook as written", media_type=_MARKDOWN),
    Template(uri=f"{SCHEME}thinker/{{number}}", name="thinker", about="What a model said of it", media_type=_JSON),
    Template(uri=f"{SCHEME}postmortem/{{number}}", name="postmortem", about="Its newest text", media_type=_MARKDOWN),
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One address that there is now."""

    uri: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Text:
    """What stands at an address."""

    text: str
    media_type: str


def listed(asking: Asking) -> list[Listed]:
    """Return the addresses of the newest incidents. Their titles are not ours to put into a list: keys are."""
    found = asking.ask("incident.list", limit=20)
    cards = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [Listed(uri=f"{SCHEME}incident/{one['number']}", name=own(str(one["key"]))) for one in cards]


def read(asking: Asking, uri: str) -> Text:
    """Return what stands at `uri`, marked. Raises `NotFound`."""
    match = _ADDRESS.fullmatch(uri)
    if match is None or (match[1] != "incident" and match[3]):
        raise NotFound(f"there is nothing at {uri[:100]!r}", hint="; ".join(one.uri for one in TEMPLATES))
    if match[4]:
        return _runbook(asking.ask("runbook.show", runbook=match[4]))
    number = int(match[2])
    if match[1] == "postmortem":
        written = asking.ask("postmortem.show", incident=number)
        return _markdown(str(written.get("markdown", "")) if isinstance(written, dict) else "")
    if match[1] == "thinker":
        return _json(asking.ask("thinker.show", incident=number), THOUGHT)
    if match[3]:
        return _json(asking.ask("incident.timeline", incident=number), _ENTRY)
    return _json(asking.ask("incident.show", incident=number), _WHOLE)


_WHOLE: Final = View(
    own=SHORT.own,
    names=tuple(dict.fromkeys((*SHORT.names, *(part.field for part in PARTS.values())))),
    inner={**SHORT.inner, **{part.field: part.view for part in PARTS.values()}},
)


def _json(value: JSON, view: View) -> Text:
    body: dict[str, JSON] = {}
    page, longest = _PAGE, LONGEST
    # What is too long as it stands is shown with shorter lists and texts, and says how much is left out.
    while True:
        cuts = Cuts(page=page, longest=longest)
        body = {"untrusted": WARNING, "data": shown(value, view, cuts)}
        if cuts.left:
            body["more"] = [f"{left} more in {path}" for path, (left, _) in cuts.left.items()]
        text = text_of(body)
        if len(text) <= MOST or page <= 10:
            return Text(text=text, media_type=_JSON)
        page, longest = page // 2, max(longest // 2, 200)


def _runbook(value: JSON) -> Text:
    sections = value.get("sections") if isinstance(value, dict) else []
    written = [one for one in sections if isinstance(one, dict)] if isinstance(sections, list) else []
    return _markdown("\n\n".join(f"## {one.get('heading', '')}\n\n{one.get('markdown', '')}" for one in written))


def _markdown(text: str) -> Text:
    return Text(text=f"{WARNING}\n\n{outside(text, most=MOST)}", media_type=_MARKDOWN)
