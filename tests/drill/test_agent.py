"""An agent takes a real fault to its end, on each transport; the one yes it needs a person gives in the browser."""

import asyncio
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from playwright.sync_api import Browser

from stanch.gameday.config import write_config
from stanch.gameday.shop.faults import inject
from stanch.gameday.shop.shop import Shop
from tests.drill.test_drill import processes_of, stanch
from tests.support.servers import free_port

pytestmark = [pytest.mark.drill, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1_200)]

_WITHIN_S: Final = 300.0
_BASELINE_S: Final = 14.0
_ALICE: Final = {"stanch-actor": "alice"}


@dataclass
class Worked:
    """What an agent was told, what the log says at the end, and where it met a person."""

    waits: threading.Event = field(default_factory=threading.Event)
    nobody_comes: threading.Event = field(default_factory=threading.Event)
    number: int = 0
    plan: str = ""
    refused: dict[str, Any] = field(default_factory=dict)
    early: dict[str, Any] = field(default_factory=dict)
    resolved: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    left_running: list[str] = field(default_factory=list)

    def by(self, kind: str) -> list[tuple[str, str]]:
        """Return who did such things, and through which surface."""
        return [(one["actor"], one["via"]) for one in self.entries if one["kind"] == kind]


class Shift:
    """One agent at work: it does what the answers say, and nothing else is known to it."""

    def __init__(self, client: Client, worked: Worked) -> None:
        self._client = client
        self._worked = worked
        self._after = 0

    async def ask(self, tool: str, **given: object) -> dict[str, Any]:
        """Return what a tool answers."""
        body: dict[str, Any] = (await self._client.call_tool(tool, given)).structured_content
        return body

    async def follow(self, *kinds: str) -> None:
        """Read the time line on until one of these has happened."""
        until = time.monotonic() + _WITHIN_S
        while time.monotonic() < until and not self._worked.nobody_comes.is_set():
            told = await self.ask("incident_timeline", incident=self._worked.number, after=self._after)
            entries = told["data"]
            self._after = entries[-1]["seq"] if entries else self._after
            if {one["kind"] for one in entries} & set(kinds):
                return
            if "more" not in told:
                await asyncio.sleep(2)
        raise TimeoutError(f"none of {kinds}")

    async def work(self) -> None:
        """Take up what is wrong, from the first look to the post-mortem."""
        until = time.monotonic() + _WITHIN_S
        while not (found := (await self.ask("overview"))["data"].get("incidents")):
            assert time.monotonic() < until, "no incident"
            await asyncio.sleep(1)
        number = self._worked.number = found[0]["number"]
        plan = self._worked.plan = await self._plan(number)
        findings = (await self.ask("incident_show", incident=number, part="findings"))["data"]["findings"]
        await self.ask("note", incident=number, text=f"{findings[0]['id']} is read", key="note")
        await self.ask("plan", incident=number, do="dry_run", plan=plan, key="dry-run")
        self._worked.refused = await self.ask("approve", incident=number, plan=plan)
        self._worked.early = await self.ask("resolve", incident=number, key="early")
        self._worked.waits.set()
        self._worked.resolved = await self._resolved(number)
        self._worked.written = await self.ask("postmortem", incident=number)

    async def _resolved(self, number: int) -> dict[str, Any]:
        """Resolve it once it is verified; where a figure broke again in between, after the next time."""
        for turn in range(1, 10):
            await self.follow("verification.passed")
            told = await self.ask("resolve", incident=number, cause="the deploy", key=f"resolve-{turn}")
            if told.get("error", {}).get("reason") != "not_verified":
                break
        return told

    async def _plan(self, number: int) -> str:
        """Return the plan that waits for a person; what the first look proposes may be to look on."""
        while True:
            await self.follow("mitigation.proposed")
            actions = (await self.ask("plan", incident=number))["data"]["actions"]
            for one in actions:
                if one["state"] == "proposed":
                    plan: str = one["plan"]["id"]
                    return plan


@asynccontextmanager
async def connected(way: str, url: str, token: str, home: Path) -> AsyncIterator[Client]:
    """Give a client on one of the transports, with the agent's token."""
    if way == "http":
        async with (
            create_mcp_http_client(headers={"authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            yield client
        return
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "stanch", "--server", url, "mcp"],
        env={**os.environ, "XDG_STATE_HOME": str(home), "STANCH_AGENT_TOKEN": token},
    )
    async with Client(process) as client:
        yield client


def approve(browser: Browser, url: str, *, number: int, plan: str) -> None:
    """Do what a person does on the page of an incident: read, tick, approve."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "stanch_person", "value": "alice", "url": url}])
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{url}/i/{number}")
    form = page.locator("form.approve", has=page.locator(f"input[name=plan][value='{plan}']"))
    form.get_by_label(re.compile(r"Run \d+ command")).check()
    with page.expect_response(lambda one: "/mitigation/approve" in one.url) as answered:
        form.get_by_role("button").click()
    assert answered.value.ok, answered.value.text()
    context.close()


@pytest.fixture(scope="module", params=["http", "stdio"])
def worked(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worked]:
    """Give how a drill with an agent went. The agent has a thread: Playwright's event loop runs in this one."""
    home, told = tmp_path_factory.mktemp("agent"), Worked()
    with Shop.start(home / "shop", rate=30) as shop:
        go_through(request.param, browser, shop, home, told)
    told.left_running = processes_of(home)
    yield told


def go_through(way: str, browser: Browser, shop: Shop, home: Path, told: Worked) -> None:
    """Serve, break the shop, let the agent work and a person say yes. `stanch run` would resolve it by itself."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (home / "config").mkdir()
    config = write_config(shop, home / "config")
    process = stanch("serve", "--config", str(config), "--port", str(port), home=home)
    readers = [threading.Thread(target=pipe.read, daemon=True) for pipe in (process.stdout, process.stderr) if pipe]
    for reader in readers:
        reader.start()

    async def shift(token: str) -> None:
        """Work in one session."""
        async with connected(way, url, token, home) as client:
            await Shift(client, told).work()

    try:
        answers(url)
        made = httpx2.post(f"{url}/api/v1/agent/create", json={"name": "triage"}, headers=_ALICE).raise_for_status()
        time.sleep(_BASELINE_S)
        inject("bad-deploy", shop)
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(asyncio.run, shift(made.json()["token"]))
            while not told.waits.wait(0.5) and not working.done():
                pass
            try:
                if told.waits.is_set():
                    approve(browser, url, number=told.number, plan=told.plan)
            except BaseException:
                told.nobody_comes.set()  # nor does the agent wait any longer
                raise
            working.result()
        asked = httpx2.get(f"{url}/api/v1/incident/timeline", params={"incident": told.number}).raise_for_status()
        told.entries = asked.json()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        for reader in readers:
            reader.join(10)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def answers(url: str) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        try:
            httpx2.get(f"{url}/healthz", timeout=5).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(f"{url} does not answer")


def test_the_agent_resolves_it(worked: Worked) -> None:
    """Under its own name, through the surface of agents, once the recovery is verified and not before."""
    assert ("not_verified", "resolved", [("triage", "mcp")]) == (
        worked.early["error"]["reason"],
        worked.resolved["data"]["card"]["status"],
        worked.by("incident.resolved"),
    )


def test_a_person_approves_it(worked: Worked) -> None:
    """In the browser; the agent that asked to was refused."""
    assert ("approval_needs_a_person", [("alice", "web")]) == (
        worked.refused["error"]["reason"],
        worked.by("action.approved"),
    )


def test_the_post_mortem_is_there_to_write(worked: Worked) -> None:
    """It is drafted from the log when the incident is resolved."""
    assert "INC-" in worked.written["data"]["markdown"]


def test_nothing_is_left_running(worked: Worked) -> None:
    """Server, shop, and the process on standard input and output have stopped."""
    assert [] == worked.left_running
