"""Whom `/mcp` listens to: this machine, whoever has the token, and nobody's page."""

import httpx2
import pytest

from tests.surfaces.mcp.agent import Agent
from tests.surfaces.mcp.conftest import TOKEN, Served

# What a proxy on this machine adds: behind it stands somebody elsewhere.
ELSEWHERE = ("x-forwarded-for", "192.0.2.7")
METADATA = "/.well-known/oauth-protected-resource/mcp"


def test_from_elsewhere_a_token_is_needed(served: Served) -> None:
    """And the answer says where it is written what protects this (RFC 9728)."""
    answer = httpx2.post(f"{served.url}/mcp", headers=dict([ELSEWHERE]), json={})

    assert (401, f'Bearer resource_metadata="{served.story.world.url}{METADATA}"') == (
        answer.status_code,
        answer.headers["www-authenticate"],
    )


def test_the_token_lets_an_agent_in(served: Served) -> None:
    """As a bearer token, which is what its program can send."""
    agent = Agent(f"{served.url}/mcp", headers=(ELSEWHERE, ("authorization", f"Bearer {TOKEN}")))

    assert agent.told("overview")["data"]["incidents"]


def test_a_wrong_token_does_not(served: Served) -> None:
    """It is refused as none is."""
    headers = dict([ELSEWHERE, ("authorization", "Bearer guess")])

    assert 401 == httpx2.post(f"{served.url}/mcp", headers=headers, json={}).status_code


def test_what_protects_it_is_open_to_read(served: Served) -> None:
    """A client has to read it before it has a token."""
    answer = httpx2.get(f"{served.url}{METADATA}", headers=dict([ELSEWHERE]))

    assert (200, f"{served.story.world.url}/mcp", ["header"]) == (
        answer.status_code,
        answer.json()["resource"],
        answer.json()["bearer_methods_supported"],
    )


@pytest.mark.parametrize("name", ["origin", "host"])
def test_a_page_from_elsewhere_is_refused(served: Served, name: str) -> None:
    """Neither another origin nor a name that was made to point here gets through."""
    value = "http://evil.example" if name == "origin" else "evil.example"

    assert 403 == httpx2.post(f"{served.url}/mcp", headers={name: value}, json={}).status_code


def test_there_is_no_stream_to_hold_open(served: Served) -> None:
    """Without sessions a GET has nothing to wait for."""
    answer = httpx2.get(f"{served.url}/mcp", headers={"accept": "text/event-stream"}, timeout=10)

    assert 405 == answer.status_code
