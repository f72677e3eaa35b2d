"""An agent: a client of the official SDK, a session for each thing it does, as a server without sessions allows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

T = TypeVar("T")


@dataclass(frozen=True)
class Agent:
    """Speaks to the server at `url`, with these headers; `mode` chooses the generation of the protocol."""

    url: str
    headers: tuple[tuple[str, str], ...] = (("stanch-agent", "triage"),)
    mode: str = "auto"

    def run(self, doing: Callable[[Client], Awaitable[T]]) -> T:
        """Do something in one session."""

        async def session() -> T:
            """Do it in one session."""
            async with (
                create_mcp_http_client(headers=dict(self.headers)) as http,
                Client(streamable_http_client(self.url, http_client=http), mode=self.mode) as client,
            ):
                return await doing(client)

        return asyncio.run(session())

    def call(self, tool: str, **given: object) -> types.CallToolResult:
        """Call a tool."""

        async def doing(client: Client) -> types.CallToolResult:
            """Do it in one session."""
            return await client.call_tool(tool, given)

        return self.run(doing)

    def told(self, tool: str, **given: object) -> dict[str, Any]:
        """Return what a tool answers; an error fails the test."""
        result = self.call(tool, **given)
        assert not result.is_error, result.structured_content
        body: dict[str, Any] = result.structured_content
        return body

    def refused(self, tool: str, **given: object) -> tuple[str, str]:
        """Return code and reason of what a tool refuses."""
        result = self.call(tool, **given)
        assert result.is_error, result.structured_content
        error = result.structured_content["error"]
        return error["code"], error["reason"]


def on_stdio(parameters: StdioServerParameters, doing: Callable[[Client], Awaitable[T]], *, mode: str = "auto") -> T:
    """Do something in one session with a process of its own."""

    async def session() -> T:
        """Do it in one session."""
        async with Client(parameters, mode=mode) as client:
            return await doing(client)

    return asyncio.run(session())
