"""Keys of a system that is a tracker of errors: what may be written there, and what analyses may cost. All off."""

from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean

ACTS: Final = ("status", "assign", "note", "deploy")
STATUSES: Final = ("resolved", "resolvedInNextRelease")
_KINDS: Final = ("sentry", "sentry-mcp")

TRACKER: Final = (
    Key(
        name="write_back",
        type=Type.TEXTS,
        doc="For `sentry`: what is written there: any of `status`, `assign`, `note`, `deploy`; by default nothing.",
    ),
    Key(
        name="assign_to",
        type=Type.TEXT,
        doc="For `sentry`: the slug of the team that an incident's issue is assigned to, `{team}` is the service's.",
    ),
    Key(
        name="resolve_as",
        type=Type.TEXT,
        doc="For `sentry`: the status of its issue when an incident is resolved.",
        words=STATUSES,
    ),
    Key(name="seer", type=Type.BOOLEAN, doc="For `sentry`: have Seer analyse an incident's issue. It costs money."),
    Key(
        name="seer_per_incident",
        type=Type.INTEGER,
        doc="How many analyses one incident may have.",
        low=1,
        high=20,
    ),
    Key(name="seer_per_day", type=Type.INTEGER, doc="How many there may be in 24 hours.", low=1, high=1000),
    Key(name="seer_wait_s", type=Type.SECONDS, doc="How long one is waited for.", low=30, high=7200),
    Key(
        name="command",
        type=Type.TEXTS,
        doc="For `sentry-mcp`: the program that is Sentry's MCP server, with its arguments; instead of `url`.",
    ),
)


def complain_of_tracker(reader: Reader, *, kind: str) -> None:
    """Complain of what is no act, of keys on a system that is no tracker, and of an MCP server that is nowhere."""
    for act in reader.texts("write_back"):
        if act not in ACTS:
            reader.complain("write_back", f"must be any of {', '.join(ACTS)}{did_you_mean(act, ACTS)}")
    if kind not in _KINDS:
        for name in (key.name for key in TRACKER):
            if name in reader.given():
                reader.complain(name, f"is not used by {kind}: it is no tracker of errors")
    if kind == "sentry-mcp":
        if bool(reader.texts("command")) == bool(reader.text("url") or reader.text("url_env")):
            reader.complain("command", "either the program or the url of Sentry's MCP server is needed, and not both")
    elif kind in _KINDS and reader.texts("command"):
        reader.complain("command", f"is not used by {kind}")
