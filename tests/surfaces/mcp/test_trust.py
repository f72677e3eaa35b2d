"""Whom `/mcp` listens to: this machine, whoever has the token, and nobody's page."""

import httpx2
import pytest

from tests.surfaces.mcp.agent import Agent
from tests.surfaces.mcp.conftest import TOKEN, Served
from tests.surfaces.serving import PATIENT_S

# What a proxy on this machine adds: behind it stands somebody elsewhere.
ELSEWHERE = ("x-forwarded-for", "192.0.2.7")
METADATA = "/.well-known/oauth-protected-resource/mcp"


def token_of(served: Served, name: str) -> str:
    """Return the token that Alice gives an agent."""
    body, alice = {"name": name}, {"stanch-actor": "alice"}
    told = httpx2.post(
        f"{served.url}/api/v1/agent/create", json=body, headers=alice, timeout=PATIENT_S
    ).raise_for_status()
    token: str = told.json()["token"]
    return token


def test_from_elsewhere_a_token_is_needed(served: Served) -> None:
    """And the answer says where it is written what protects this (RFC 9728)."""
    answer = httpx2.post(f"{served.url}/mcp", headers=dict([ELSEWHERE]), json={}, timeout=PATIENT_S)

    assert (401, f'Bearer resource_metadata="{served.story.world.url}{METADATA}"') == (
        answer.status_code,
        answer.headers["www-authenticate"],
    )


def test_its_token_lets_an_agent_in(served: Served) -> None:
    """As a bearer token, which is what its program can send."""
    agent = Agent(f"{served.url}/mcp", headers=(ELSEWHERE, ("authorization", f"Bearer {token_of(served, 'triage')}")))

    assert agent.told("overview")["data"]["incidents"]


def test_the_token_of_people_is_none_for_agents(served: Served) -> None:
    """Who has the server's own token can be any person, and a person can approve."""
    headers = dict([ELSEWHERE, ("authorization", f"Bearer {TOKEN}")])

    assert 401 == httpx2.post(f"{served.url}/mcp", headers=headers, json={}, timeout=PATIENT_S).status_code


def test_the_token_decides_who_acts(served: Served) -> None:
    """Whatever name is sent along."""
    token = ("authorization", f"Bearer {token_of(served, 'night-watch')}")
    agent = Agent(f"{served.url}/mcp", headers=(token, ("stanch-agent", "other"), ("stanch-actor", "alice")))
    agent.told("note", incident=1, text="who am I")
    entries = httpx2.get(f"{served.url}/api/v1/incident/timeline", params={"incident": 1}, timeout=PATIENT_S).json()

    assert ("night-watch", "mcp") == (entries[-1]["actor"], entries[-1]["via"])


def test_a_revoked_token_is_refused_here_too(served: Served) -> None:
    """From the next call on, even on this machine, where a name would do: whoever sends a token means it."""
    headers = {"authorization": f"Bearer {token_of(served, 'triage')}", "stanch-actor": "alice"}
    body = {"name": "triage"}
    httpx2.post(
        f"{served.url}/api/v1/agent/revoke", json=body, headers={"stanch-actor": "alice"}, timeout=PATIENT_S
    ).raise_for_status()
    told = [
        httpx2.post(f"{served.url}{path}", headers=headers, json={}, timeout=PATIENT_S)
        for path in ("/mcp", "/api/v1/incident/note")
    ]

    assert [(401, "agent_token_unknown")] * 2 == [(one.status_code, one.json()["error"]["reason"]) for one in told]


def test_an_agent_elsewhere_needs_its_own(served: Served) -> None:
    """On the API as well: with people's token its name in a header is not enough."""
    headers = dict([ELSEWHERE, ("authorization", f"Bearer {TOKEN}"), ("stanch-agent", "triage")])
    told = httpx2.get(f"{served.url}/api/v1/incident/overview", headers=headers, timeout=PATIENT_S)

    assert (403, "agent_token_needed") == (told.status_code, told.json()["error"]["reason"])


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("mitigation/approve", "approval_needs_a_person"),
        ("mitigation/reject", "rejecting_needs_a_person"),
        ("agent/create", "agents_need_a_person"),
        ("agent/revoke", "agents_need_a_person"),
    ],
)
@pytest.mark.parametrize("with_token", [True, False])
def test_what_needs_a_person_is_refused_over_http(
    served: Served, operation: str, reason: str, *, with_token: bool
) -> None:
    """With a token, beside which a person's name says nothing, and with a name in a header."""
    plan = served.story.plan
    bodies: dict[str, dict[str, object]] = {
        "mitigation/approve": {"incident": 1, "plan": plan.id, "digest": plan.digest},
        "mitigation/reject": {"incident": 1, "plan": plan.id, "reason": "no"},
    }
    who = {"authorization": f"Bearer {token_of(served, 'triage')}"} if with_token else {"stanch-agent": "triage"}
    told = httpx2.post(
        f"{served.url}/api/v1/{operation}",
        json=bodies.get(operation, {"name": "triage"}),
        headers={**who, "stanch-actor": "alice"},
        timeout=PATIENT_S,
    )

    assert (403, reason) == (told.status_code, told.json()["error"]["reason"])


def test_a_key_in_the_header_has_it_done_once(served: Served) -> None:
    """As programs know it from elsewhere: Idempotency-Key."""
    headers = {"stanch-agent": "triage", "idempotency-key": "k-1"}
    body = {"incident": 1, "text": "once"}
    told = [
        httpx2.post(f"{served.url}/api/v1/incident/note", json=body, headers=headers, timeout=PATIENT_S).json()
        for _ in range(2)
    ]

    assert (told[0], 1) == (told[1], served.kinds().count("incident.note_added"))


def test_a_wrong_token_does_not(served: Served) -> None:
    """It is refused as none is."""
    headers = dict([ELSEWHERE, ("authorization", "Bearer guess")])

    assert 401 == httpx2.post(f"{served.url}/mcp", headers=headers, json={}, timeout=PATIENT_S).status_code


def test_what_protects_it_is_open_to_read(served: Served) -> None:
    """A client has to read it before it has a token."""
    answer = httpx2.get(f"{served.url}{METADATA}", headers=dict([ELSEWHERE]), timeout=PATIENT_S)

    assert (200, f"{served.story.world.url}/mcp", ["header"]) == (
        answer.status_code,
        answer.json()["resource"],
        answer.json()["bearer_methods_supported"],
    )


@pytest.mark.parametrize("name", ["origin", "host"])
def test_a_page_from_elsewhere_is_refused(served: Served, name: str) -> None:
    """Neither another origin nor a name that was made to point here gets through."""
    value = "http://evil.example" if name == "origin" else "evil.example"

    assert 403 == httpx2.post(f"{served.url}/mcp", headers={name: value}, json={}, timeout=PATIENT_S).status_code


def test_there_is_no_stream_to_hold_open(served: Served) -> None:
    """Without sessions a GET has nothing to wait for."""
    answer = httpx2.get(f"{served.url}/mcp", headers={"accept": "text/event-stream"}, timeout=10)

    assert 405 == answer.status_code
