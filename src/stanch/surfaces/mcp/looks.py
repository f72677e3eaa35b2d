"""The focused looks of the tool `query`: what a tracker such as Sentry knows, seen by an agent."""

from typing import Final

from stanch.surfaces.mcp.tool import Asking, Given, Put
from stanch.surfaces.mcp.views import fields

LOOKS: Final = ("errors", "releases", "performance", "events")
_LONGEST: Final = 1_000
_CITE: Final = "Cite what it says in a note or a hypothesis."


def looked(asking: Asking, given: Given, look: str) -> Put:
    """Ask the operation of a look and return what an agent sees of it."""
    service, minutes, on = given.get("service"), given.get("minutes"), given.get("on")
    match look:
        case "errors":
            issue = given.get("issue")
            found = asking.ask("investigate.errors", service=service, issue=issue, minutes=minutes, on=on)
            view, after = _ERRORS, "query look=releases: do they correlate"
        case "releases":
            found = asking.ask("investigate.releases", service=service, minutes=minutes, on=on)
            view, after = _RELEASES, "query look=errors: what they brought"
        case "performance":
            found = asking.ask("investigate.performance", service=service, minutes=minutes, on=on)
            view, after = _STEPS, "query look=errors: whether it fails as well"
        case _:
            words = {name: given.get(name) for name in ("text", "dataset", "fields")}
            found = asking.ask("investigate.query", service=service, minutes=minutes, on=on, **words)
            view, after = _ROWS, "narrow `text` by what stands out"
    return Put(value=found, view=view, longest=_LONGEST, next=(after, _CITE))


_PERIOD: Final = fields("start end")
_ERRORS: Final = fields(
    "source! lacking",
    period=_PERIOD,
    errors=fields(
        "began_at trend",
        issue=fields(
            "key title service level status events users events_before first_seen last_seen culprit at sample releases",
            suspects=fields("commit author title why"),
        ),
        release=fields("version previous seconds_before deployed commit author"),
    ),
)
_RELEASES: Final = fields(
    "source! verdict",
    period=_PERIOD,
    releases=fields(
        "brought first_after_s",
        release=fields("version service created_at deployed_at environment commit author sessions crash_free"),
    ),
)
_FIGURE: Final = fields("value normal unit!")
_STEPS: Final = fields(
    "source! verdict",
    period=_PERIOD,
    normal_period=_PERIOD,
    steps=fields("service name slower", latency_p95=_FIGURE, count=_FIGURE),
)
_ROWS: Final = fields("source! command cut rows series", period=_PERIOD)
