"""Measures what Stanch costs an agent in tokens (characters / 4): the list of tools, and a whole drill through them.

  python -m bench.agent [--list] [--stdio] [--fault NAME]
The drill is the real `stanch run` with its sample shop, and the agent a client of the official SDK that follows what
the answers say: it looks, follows what is found, tries the plan dry, waits for a person's yes, which is given over the
API here, follows the recovery, resolves and reads the post-mortem. The aim is below 4,000 for the list, and below
25,000 for the drill. The exit code is 1 where that is missed, or where the incident is not resolved at the end.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp import Client, StdioServerParameters

from stanch.operations.all import all_operations
from stanch.surfaces.mcp.desk import Desk
from stanch.surfaces.mcp.server import INSTRUCTIONS, tool_list
from stanch.surfaces.mcp.tool import text_of

LIST_AIM: Final = 4_000
DRILL_AIM: Final = 25_000
_WITHIN_S: Final = 300.0
_POLL_S: Final = 8.0


@dataclass
class Spent:
    """Characters of calls and answers, by tool."""

    by_tool: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    def add(self, tool: str, given: object, answer: object) -> None:
        """Count one call with its answer."""
        self.calls += 1
        self.by_tool[tool] = self.by_tool.get(tool, 0) + len(json.dumps(given)) + len(text_of(answer))  # type: ignore[arg-type]

    @property
    def tokens(self) -> float:
        """Return all of it in tokens."""
        return sum(self.by_tool.values()) / 4


def list_tokens() -> float:
    """Return what the list of tools and the instructions cost."""

    def nobody(agent: str, key: str) -> Any:  # nothing is asked
        raise NotImplementedError

    desk = Desk(operations=all_operations(), asking=nobody)
    listed = [one.model_dump(by_alias=True, exclude_none=True, mode="json") for one in tool_list(desk)]
    return (len(text_of(listed)) + len(INSTRUCTIONS)) / 4


async def work(client: Client, url: str, spent: Spent) -> str:
    """Do an agent's part of a drill, and a person's yes; return how the incident stands at the end."""

    async def ask(tool: str, *, counts: bool = True, **given: object) -> dict[str, Any]:
        result = await client.call_tool(tool, given)
        if counts:
            spent.add(tool, given, result.structured_content)
        answer: dict[str, Any] = result.structured_content
        return answer

    # An agent that is called by a page comes when there is something: waiting for it costs no tokens.
    until = time.monotonic() + _WITHIN_S
    while not (await ask("overview", counts=False))["data"].get("incidents"):
        if time.monotonic() > until:
            return "no incident"
        await asyncio.sleep(1)
    number = (await ask("overview"))["data"]["incidents"][0]["number"]
    await ask("incident_show", incident=number)
    # The collectors are out already; what they find and what follows from it appears in the time line.
    after = await follow(ask, number, until_one_of={"mitigation.proposed"}, after=0)
    findings = await ask("incident_show", incident=number, part="findings")
    await ask("incident_show", incident=number, part="changes")
    await ask("hypotheses", incident=number)
    cited = findings["data"]["findings"][0]["id"]
    await ask("note", incident=number, text=f"the first finding to read is {cited}", key="first")
    await ask("runbook", incident=number)
    plans = await ask("plan", incident=number)
    waiting = [one["plan"] for one in plans["data"].get("actions", []) if one["state"] == "proposed"]
    if waiting:
        await ask("plan", incident=number, do="dry_run", plan=waiting[0]["id"])
        await ask("update_draft", incident=number)
        body = {"incident": number, "plan": waiting[0]["id"], "digest": waiting[0]["digest"]}
        httpx2.post(f"{url}/api/v1/mitigation/approve", json=body, headers={"stanch-actor": "alice"})
    await follow(ask, number, until_one_of={"verification.passed", "incident.resolved"}, after=after)
    await ask("resolve", incident=number)
    await ask("postmortem", incident=number)
    await ask("postmortem_lint", incident=number)
    status: str = (await ask("incident_show", incident=number))["data"]["card"]["status"]
    return status


async def follow(ask: Any, number: int, *, until_one_of: set[str], after: int) -> int:  # `ask` takes any arguments
    """Follow the time line until one of these happened, and return the place of the last entry that was read."""
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        told = await ask("incident_timeline", incident=number, after=after)
        after = told["data"][-1]["seq"] if told["data"] else after
        if until_one_of & {one["kind"] for one in told["data"]}:
            return after
        if "more" not in told:
            await asyncio.sleep(_POLL_S)
    return after


def drill(fault: str, *, stdio: bool) -> tuple[Spent, str]:
    """Run one drill with an agent; return what it cost and how it ended."""
    spent = Spent()
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as home:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        env = {**os.environ, "XDG_STATE_HOME": home}
        process = subprocess.Popen(
            [sys.executable, "-m", "stanch", "run", "--fault", fault, "--baseline", "12", "--port", str(port)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(Path(home) / "stanch" / "server.json")
            server = [sys.executable, "-m", "stanch", "--server", url, "mcp"]
            target = StdioServerParameters(command=server[0], args=server[1:], env=env) if stdio else f"{url}/mcp"

            async def session() -> str:
                async with Client(target) as client:
                    return await work(client, url, spent)

            return spent, asyncio.run(session())
        finally:
            process.terminate()
            process.wait(30)


def _wait(file: Path) -> None:
    until = time.monotonic() + _WITHIN_S
    while not file.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"no {file}")
        time.sleep(0.2)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="the list of tools alone")
    parser.add_argument("--stdio", action="store_true", help="through `stanch mcp` and not over HTTP")
    parser.add_argument("--fault", default="bad-deploy")
    asked = parser.parse_args()
    listed = list_tokens()
    print(f"list of tools    {listed:8,.0f} tokens; the aim is below {LIST_AIM:,}")
    if asked.list:
        return 0 if listed < LIST_AIM else 1
    spent, status = drill(asked.fault, stdio=asked.stdio)
    for tool, characters in sorted(spent.by_tool.items(), key=lambda one: -one[1]):
        print(f"  {tool:<18}{characters / 4:8,.0f}")
    print(f"drill            {spent.tokens:8,.0f} tokens in {spent.calls} calls; the aim is below {DRILL_AIM:,}")
    print(f"the incident is {status or 'open still'}")
    return 0 if listed < LIST_AIM and spent.tokens < DRILL_AIM and status == "resolved" else 1


if __name__ == "__main__":
    sys.exit(main())
