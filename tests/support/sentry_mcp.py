"""A small MCP server with the tools of Sentry's, made with the official SDK: same names, arguments, words and refusals.

Runs as a program (`python tests/support/sentry_mcp.py STATE`), or in a test's process over HTTP. What it answers with
and what it was asked stand in the folder STATE: `skills`, `seer` and `forbidden` are set by tests, `asked` is kept by
the server. Its answers are those of version 0.39.0 of Sentry's.
"""

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.types import ASGIApp

SEARCH = """# Search Results for "{query}"

**Suggested presentation:** Cards work well for these issues, with status, assignee, and issue ID links visible.

Found **{count}** issue:
{issues}
## Next Steps

- Get more details about a specific issue: Use get_sentry_resource with the issue ID or issue URL
"""
ISSUE = """
## {place}. [{id}](http://127.0.0.1:9/organizations/shop/issues/{id})

**{title}**

- **Status**: unresolved
- **Users**: {users}
- **Events**: {events}
- **First seen**: 2026-11-21
- **Last seen**: 2026-11-21
- **Culprit**: `card_of(validation)`
"""
ANALYSIS = """# Seer Analysis for Issue {id}

Found existing analysis (Run ID: 21831)

## Analysis Complete

<seer_analysis run_id="21831" step="root_cause">
## Root Cause Analysis

The form sends no amount when the cart is empty.

1. The amount is read from the first line.
2. An empty cart has none.

- Empty the cart and press pay.
</seer_analysis>

<seer_analysis run_id="21831" step="solution">
## Proposed Solution

Refuse an empty cart before the form is sent.

- **Check the cart**: before the amount is read.
</seer_analysis>

"""
_REFUSED = """**Input Error**

There was an HTTP {status} error with your request to the Sentry API.

API error ({status}): {words}

You may be able to resolve the issue by addressing the concern and trying again."""


class State:
    """What the server answers with, and what it was asked, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set(self, **values: object) -> None:
        """Say what it answers with."""
        for name, value in values.items():
            (self._folder / name).write_text(json.dumps(value), encoding="utf-8")

    def get(self, name: str, default: object) -> object:
        """Return what was said, the default where nothing was."""
        file = self._folder / name
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else default

    def keep(self, tool: str, given: dict[str, object]) -> None:
        """Keep what was asked."""
        with (self._folder / "asked").open("a", encoding="utf-8") as kept:
            kept.write(json.dumps([tool, given]) + "\n")

    @property
    def asked(self) -> list[tuple[str, dict[str, object]]]:
        """Return the calls that came in, as pairs of tool and arguments."""
        file = self._folder / "asked"
        rows = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [(name, given) for name, given in (json.loads(row) for row in rows)]


def serve(folder: Path) -> MCPServer:
    """Return the server."""
    state = State(folder)
    server = MCPServer("Sentry MCP")
    skills = state.get("skills", ["inspect", "seer", "triage"])
    assert isinstance(skills, list)

    @server.tool()
    def search_issues(
        organizationSlug: str,
        query: str = "is:unresolved",
        sort: str = "date",
        projectSlugOrId: str | None = None,
        period: str = "24h",
        limit: int = 10,
    ) -> str:
        """Search for issues."""
        state.keep("search_issues", {"query": query, "period": period, "project": projectSlugOrId})
        if period not in ("24h", "7d", "14d", "30d", "90d"):
            raise ToolError("MCP error -32602: Input validation error: Invalid arguments for tool search_issues")
        _allowed(state, organizationSlug)
        missing = state.get("missing", [])
        assert isinstance(missing, list)
        if projectSlugOrId in missing:
            raise ToolError(_REFUSED.format(status=404, words="The requested resource does not exist"))
        name = "fresh" if "firstSeen" in query else "every"
        issues = state.get(name, [])
        assert isinstance(issues, list)
        shown = "".join(ISSUE.format(place=place + 1, **one) for place, one in enumerate(issues[:limit]))
        return SEARCH.format(query=query, count=len(issues), issues=shown)

    @server.tool()
    def update_issue(
        organizationSlug: str, issueId: str, status: str | None = None, assignedTo: str | None = None
    ) -> str:
        """Update an issue."""
        state.keep("update_issue", {"issue": issueId, "status": status, "assignedTo": assignedTo})
        if "triage" not in skills:
            raise ToolError("MCP error -32602: Tool update_issue not found")
        _allowed(state, organizationSlug)
        return f"# Issue {issueId} Updated in **{organizationSlug}**\n\n## Changes Made\n"

    if "seer" in skills:

        @server.tool()
        def analyze_issue_with_seer(organizationSlug: str, issueId: str, instruction: str | None = None) -> str:
            """Analyse an issue."""
            state.keep("analyze_issue_with_seer", {"issue": issueId, "instruction": instruction})
            _allowed(state, organizationSlug)
            return ANALYSIS.format(id=issueId)

    @server.tool()
    def execute_sentry_tool(name: str, arguments: dict[str, object]) -> str:
        """Call a tool that is not in the list."""
        state.keep(name, arguments)
        if name not in (("add_issue_note", "get_issue_activity") if "triage" in skills else ("get_issue_activity",)):
            raise ToolError(
                f'**Input Error**\n\nTool "{name}" is not available in this session. Use search_sentry_tools'
            )
        _allowed(state, str(arguments["organizationSlug"]))
        notes = [str(given["text"]) for tool, given in state.asked if tool == "add_issue_note"]
        if name == "get_issue_activity":
            return _activity(state, arguments, notes)
        return "# Note added"

    return server


def _activity(state: State, arguments: dict[str, object], notes: list[str]) -> str:
    """Return what an issue has seen, and then what was written there: the newest first, `limit` of each."""
    limit = arguments.get("limit", 25)
    assert isinstance(limit, int) and 0 < limit <= 100
    others = state.get("others", [])
    assert isinstance(others, list)
    written = [f"- 2026-11-21T14:00:00Z: note by bot (1)\n  - {one}" for one in [*reversed(notes), *others][:limit]]
    shown = "\n".join(written) or "No comments found."
    title = f"# Activity for Issue {arguments['issueId']}"
    return f"{title}\n\n## Activity\n\n{shown}\n\n## Comments\n\n{shown}\n"


def _allowed(state: State, organization: str) -> None:
    if organization != "shop":
        raise ToolError(_REFUSED.format(status=404, words="The requested resource does not exist"))
    if status := state.get("answers", 0):
        raise ToolError(_REFUSED.format(status=status, words=state.get("words", "Internal Error")))


@contextlib.contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of this machine; give its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)


if __name__ == "__main__":
    State(Path(sys.argv[1])).set(
        environment={name: os.environ.get(name) for name in ("SENTRY_ACCESS_TOKEN", "SENTRY_DSN")}
    )
    serve(Path(sys.argv[1])).run()
