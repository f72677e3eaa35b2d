"""Calls tools of Sentry's MCP server through the official SDK's client, and says what its refusals mean.

The server is a program that is started for the calls and ends with them, or the remote one over HTTP. The token goes to
the program in its environment, never as an argument that other users of the machine could read, and to the remote one
as a header; nothing else of ours does.
"""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import httpx2
import mcp_types
from mcp import Client, StdioServerParameters
from mcp.client.stdio import get_default_environment, stdio_client
from mcp.client.streamable_http import streamable_http_client

from stanch.kernel.errors import NotFound, Refused, StanchError, Unavailable
from stanch.ports.bounded import async_bounds
from stanch.ports.issues import line
from stanch.ports.query import SystemSpec

MOST_TEXT: Final = 64 * 1024
LEFT_OFF: Final = "(the rest was left off)"
"""How an answer ends whose rest was left off."""
_ENTRY: Final[Mapping[str, str]] = {
    "search_issues": "\n## ",
    "get_issue_activity": "\n- ",
    "analyze_issue_with_seer": "\n<seer_analysis ",
}
"""By the tool, how each entry of its answer begins."""
_API: Final = re.compile(r"API error \((\d{3})\)(?::\s*([^\n]*))?")
_NO_TOOL: Final = re.compile(r"Tool \S+ not found|is not available in this session")
_EXPIRED: Final = "**Authorization Expired**"
"""What the server makes of an answer 401."""
_GATEWAYS: Final = ("execute_sentry_tool", "execute_tool")
"""Tools that call one which is not in the list of the session: in that the server keeps only a part of what it has."""
_SKILLS: Final[Mapping[str, str]] = {
    "update_issue": "triage",
    "add_issue_note": "triage",
    "analyze_issue_with_seer": "seer",
}
"""By the tool, the skill of the server that has it; every other is of `inspect`."""
_TELLING: Final[Mapping[str, str]] = {
    "inspect": "search_events",
    "triage": "update_issue",
    "seer": "analyze_issue_with_seer",
}
"""By the skill, a tool that is in the list wherever the skill is granted."""
_SENTRYS_OWN: Final = "sntry"
"""How Sentry's own tokens begin: they are no OAuth tokens of the remote server, and go by another word there."""

T = TypeVar("T")
Tool = tuple[str, Mapping[str, object]]
Opened = Callable[[], AbstractAsyncContextManager[Client]]
"""Opens a session with a server; given where it is none of those that are configured."""


class McpCalls:
    """One MCP server of one organization. Each use is a session of its own; threads may share it."""

    def __init__(self, spec: SystemSpec, *, opened: Opened | None = None) -> None:
        self._spec = spec
        self._open = opened or self._opened
        command = spec.settings.get("command", "")
        self._command: list[str] = json.loads(command) if command else []

    @property
    def where(self) -> str:
        """Return where it is, and which organization."""
        place = self._command[0] if self._command else self._spec.url
        return f"MCP server {place}, organization {self.organization}"

    @property
    def organization(self) -> str:
        """Return the slug of the organization."""
        return self._spec.settings.get("organization", "")

    def one(self, tool: str, given: Mapping[str, object], *, timeout_s: float) -> str:
        """Return what one tool answers, as text; of a long one the first entries, and `LEFT_OFF` at its end.

        Raises `Refused` where the server has no such tool or the token may not, `NotFound`, and `Unavailable`.
        """
        [answer] = self.several([(tool, given)], timeout_s=timeout_s)
        if isinstance(answer, StanchError):
            raise answer
        return answer

    def several(self, tools: Sequence[Tool], *, timeout_s: float) -> list[str | StanchError]:
        """Return what each tool answers, in one session, or why it does not: one that refuses keeps no other from it.

        The organization is added to what they are given. Raises `Unavailable` where there is no session.
        """
        return self._asked(lambda client, listed: self._all(client, listed, tools), timeout_s=timeout_s)

    def skills(self, *, timeout_s: float) -> tuple[str, ...]:
        """Return the skills that the server has in a session of ours. Raises `Unavailable` where there is none."""

        async def named(_: Client, listed: Collection[str]) -> tuple[str, ...]:
            return tuple(skill for skill, tool in _TELLING.items() if tool in listed)

        return self._asked(named, timeout_s=timeout_s)

    def _asked(self, ask: Callable[[Client, Collection[str]], Awaitable[T]], *, timeout_s: float) -> T:
        try:
            return asyncio.run(self._session(ask, timeout_s=timeout_s))
        except FileNotFoundError:
            raise Unavailable(f"there is no program {self._command[0]!r} on this machine", retry=False) from None
        except TimeoutError:
            raise Unavailable(f"Sentry's MCP server did not answer within {timeout_s:g} s", retry=True) from None
        except Exception as error:  # boundary "integration": what a session fails with comes in groups of many kinds
            inner = _innermost(error)
            said = line(str(inner) or type(inner).__name__)
            raise Unavailable(f"Sentry's MCP server does not answer: {said}", retry=True) from error

    async def _session(self, ask: Callable[[Client, Collection[str]], Awaitable[T]], *, timeout_s: float) -> T:
        async with asyncio.timeout(timeout_s), self._open() as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            return await ask(client, listed)

    async def _all(self, client: Client, listed: Collection[str], tools: Sequence[Tool]) -> list[str | StanchError]:
        return [await self._called(client, listed, name, given) for name, given in tools]

    async def _called(
        self, client: Client, listed: Collection[str], name: str, given: Mapping[str, object]
    ) -> str | StanchError:
        arguments = {"organizationSlug": self.organization, **given}
        gateway = next((one for one in _GATEWAYS if one in listed), "")
        if name in listed:
            result = await client.call_tool(name, arguments)
        elif gateway:
            result = await client.call_tool(gateway, {"name": name, "arguments": arguments})
        else:
            return _no_tool(name, listed)
        try:
            return _read(name, result)
        except StanchError as error:
            return error

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Client]:
        if not self._command:
            # How long a session may take, its streams too, is its caller's.
            headers = {"Authorization": f"{self._scheme} {self._spec.secret}"} if self._spec.secret else {}
            async with (
                httpx2.AsyncClient(
                    headers=headers, follow_redirects=False, timeout=None, event_hooks=async_bounds(within_s=math.inf)
                ) as http,
                Client(streamable_http_client(self._spec.url, http_client=http)) as client,
            ):
                yield client
            return
        program, *arguments = self._command
        # Its own telemetry is off: what it does for an incident is nobody else's business.
        environment = {**get_default_environment(), "SENTRY_ACCESS_TOKEN": self._spec.secret, "SENTRY_DSN": ""}
        parameters = StdioServerParameters(command=program, args=arguments, env=environment)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            async with Client(stdio_client(parameters, errlog=nowhere)) as client:
                yield client

    @property
    def _scheme(self) -> str:
        return "Sentry-Bearer" if self._spec.secret.startswith(_SENTRYS_OWN) else "Bearer"


def _read(tool: str, result: mcp_types.CallToolResult) -> str:
    text = "\n".join(one.text for one in result.content if isinstance(one, mcp_types.TextContent))
    if not result.is_error:
        # Some tools answer with an object alone, which is no use in parts.
        return _whole_entries(tool, text) if text else json.dumps(result.structured_content)
    text = text[:MOST_TEXT]
    if _EXPIRED in text:
        raise Refused("Sentry does not take the token of its MCP server", reason="not_connected")
    if _NO_TOOL.search(text):
        raise _no_tool(tool, ())
    found = _API.search(text)
    if found is None:
        raise Unavailable(f"Sentry's MCP server refused {tool}: {line(text)}", retry=False)
    status, said = int(found[1]), line(found[2] or "")
    words = f"Sentry answered {status} to its MCP server: {said}"
    if status in (401, 403):
        raise Refused(words, reason="scope_missing")
    if status == 404:
        raise NotFound(words)
    raise Unavailable(words, retry=status == 429 or status >= 500)


def _whole_entries(tool: str, text: str) -> str:
    """Return a text that is not too long: of a longer one the entries that fit whole, and a line that says so."""
    if len(text) <= MOST_TEXT:
        return text
    end = max(0, text.rfind(_ENTRY.get(tool, "\n"), 0, MOST_TEXT))
    return f"{text[:end]}\n{LEFT_OFF}"


def _no_tool(tool: str, listed: Collection[str]) -> Refused:
    skill = _SKILLS.get(tool, "inspect")
    if _TELLING[skill] in listed:
        # Older ones list few tools, and reach the others only where they are started for it.
        words = f"this version of Sentry's MCP server has no {tool}"
        return Refused(words, reason="tool_missing", hint="@sentry/mcp-server 0.39.0 has it")
    return Refused(f"Sentry's MCP server has no {tool}: its skill {skill} is not granted", reason="skill_missing")


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error
