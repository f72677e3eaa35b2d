"""Where a call of a tool becomes calls of operations, and every outcome an answer. Knows nothing of the protocol."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, StanchError
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.operations.registry import Operation
from stanch.surfaces.mcp.marking import OPEN, WARNING, outside, unmarked
from stanch.surfaces.mcp.resources import Listed, Text, listed, read
from stanch.surfaces.mcp.tool import Asking, Tool, answer, text_of
from stanch.surfaces.mcp.tools import TOOLS

log = structlog.get_logger(__name__)

_PEOPLE_ONLY: Final = frozenset({"approve", "publish", "confirm", "refute", "settle"})


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an agent is told, and whether that is an error."""

    body: dict[str, JSON]
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The tools with the way to the operations: `asking` gives that of the agent with a name, for one key or none."""

    operations: Mapping[str, Operation[object, object]]
    asking: Callable[[str, str], Asking]

    def call(self, agent: str, name: str, given: Mapping[str, object]) -> Told:
        """Do what the tool `name` does, for `agent`. Raises nothing that is no defect."""
        try:
            return Told(body=self._run(agent, _tool(name), given))
        except StanchError as error:
            return Told(body=error_body(error), is_error=True)
        except Exception:  # this surface's outermost frame for tools
            log.exception("mcp.bug", tool=name, agent=agent)
            return Told(
                body={"error": {"code": "bug", "message": "an unexpected error, which is in the log"}}, is_error=True
            )

    def resources(self, agent: str) -> list[Listed]:
        """Return the addresses that there are now. Raises what the operations raise."""
        return listed(self.asking(agent, ""))

    def read(self, agent: str, uri: str) -> Text:
        """Return what stands at an address. Raises what the operations raise."""
        return read(self.asking(agent, ""), uri)

    def _run(self, agent: str, tool: Tool, given: Mapping[str, object]) -> dict[str, JSON]:
        arguments = _arguments(tool, given, self.operations)
        writes = tool.writes(self.operations, arguments)
        key = str(arguments.pop("key", "")) if writes else ""
        arguments.pop("key", None)
        return answer(tool.run(self.asking(agent, key), arguments))


def _tool(name: str) -> Tool:
    found = next((one for one in TOOLS if one.name == name), None)
    if found is not None:
        return found
    if _PEOPLE_ONLY & set(name.lower().replace(".", "_").split("_")):
        raise Forbidden(
            "an agent may propose but not approve",
            reason="approval_needs_a_person",
            hint="ask a person to approve in the terminal, the web page or chat",
        )
    raise NotFound(f"there is no tool {name[:60]!r}", hint=f"there are {', '.join(one.name for one in TOOLS)}")


def _arguments(
    tool: Tool, given: Mapping[str, object], operations: Mapping[str, Operation[object, object]]
) -> dict[str, JSON]:
    """Return what was given, without marks and without what is empty. Raises `Invalid` naming what does not fit."""
    known = tool.properties(operations)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Invalid(f"unknown; {tool.name} takes {', '.join(known) or 'nothing'}", field=unknown[0])
    missing = [name for name in tool.required if given.get(name) in (None, "")]
    if missing:
        raise Invalid("is needed", field=missing[0])
    # What JSON brought is JSON.
    return {name: unmarked(one) for name, one in given.items() if one is not None and one != ""}  # type: ignore[misc]


def error_body(error: StanchError) -> dict[str, JSON]:
    """Return what is told about an error: the code and the reason are those of every other surface."""
    detail: dict[str, JSON] = {
        "code": error.code,
        "reason": error.reason if isinstance(error, Refused) else error.code,
        "message": outside(redact(error.message)),
    }
    if isinstance(error, Invalid) and error.problems:
        detail["problems"] = [
            {"field": outside(redact(one.field), most=80), "message": outside(redact(one.message))}
            for one in error.problems[:10]
        ]
    told: dict[str, JSON] = {"error": detail, "next": [outside(error.hint)] if error.hint else ["Change the call."]}
    if OPEN in text_of(told):
        told["untrusted"] = WARNING
    return told
