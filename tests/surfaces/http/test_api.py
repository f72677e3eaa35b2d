"""The JSON API: what is asked arrives, what is answered comes back, and every mistake has an answer in JSON."""

import json
import socket

import httpx2
import pytest

from stanch.surfaces.asgi.body import MOST_BYTES
from stanch.surfaces.asgi.front import Front
from tests.surfaces.http import desk
from tests.surfaces.serving import PATIENT_S


def error_of(response: httpx2.Response) -> tuple[int, str, str]:
    """Return the status, the code and the reason of an error."""
    detail = response.json()["error"]
    return response.status_code, detail["code"], detail["reason"]


def test_a_read_takes_its_fields_from_the_query(client: httpx2.Client) -> None:
    """Numbers, flags and repeated fields of a query arrive typed."""
    answer = client.get("/api/v1/desk/look?number=4&tags=a&tags=b&deep=true").json()

    assert "Look(number=4, tags=('a', 'b'), deep=True)" == answer["asked"]


def test_a_read_takes_a_long_question_from_the_body(client: httpx2.Client) -> None:
    """A read may be posted: an address holds no long text."""
    answer = client.post("/api/v1/desk/look", json={"number": 4, "tags": ["a" * 9_000]}).json()

    assert f"Look(number=4, tags=('{'a' * 9_000}',), deep=False)" == answer["asked"]


def test_a_write_takes_its_fields_from_the_body(client: httpx2.Client) -> None:
    """The fields of a JSON object arrive, instants in any offset."""
    answer = client.post("/api/v1/desk/write", json={"text": "pool is full", "at": "2026-03-01T04:00:00+01:00"}).json()

    assert "pool is full" in answer["asked"]


def test_the_person_in_the_header_acts(client: httpx2.Client) -> None:
    """Stanch-Actor names the person, and the catalog adds the name."""
    answer = client.get("/api/v1/desk/look?number=1").json()

    assert ("Alice Adams", "person", "http") == (answer["actor"], answer["kind"], answer["via"])


def test_an_agent_is_no_person(client: httpx2.Client) -> None:
    """Stanch-Agent makes the actor an agent, whatever person is named beside it."""
    answer = client.get("/api/v1/desk/look?number=1", headers={"stanch-agent": "triage"}).json()

    assert ("triage", "agent") == (answer["actor"], answer["kind"])


def test_an_agent_can_not_approve(client: httpx2.Client) -> None:
    """An approval by an agent is forbidden."""
    response = client.post("/api/v1/desk/approve", json={"text": "yes"}, headers={"stanch-agent": "triage"})

    assert (403, "forbidden", "approval_needs_a_person") == error_of(response)


def test_nobody_may_read(url: str) -> None:
    """Who does not say a name may look."""
    answer = httpx2.get(f"{url}/api/v1/desk/look?number=1", timeout=PATIENT_S).json()

    assert "integration" == answer["kind"]


def test_nobody_may_not_write(url: str) -> None:
    """Who does not say a name changes nothing."""
    response = httpx2.post(f"{url}/api/v1/desk/write", json={"text": "x"}, timeout=PATIENT_S)

    assert (403, "forbidden", "nobody") == error_of(response)


def test_a_name_that_is_none_is_invalid(client: httpx2.Client) -> None:
    """A header that can be no name is an error that names the header."""
    response = client.post("/api/v1/desk/write", json={"text": "x"}, headers={"stanch-actor": "<b>"})

    assert ["Stanch-Actor"] == [problem["field"] for problem in response.json()["error"]["problems"]]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("refused", 409),
        ("conflict", 409),
        ("not_found", 404),
        ("forbidden", 403),
        ("unavailable", 503),
        ("bug", 500),
    ],
)
def test_an_error_has_its_status(client: httpx2.Client, code: str, status: int) -> None:
    """Every family of the error tree has one status, and its code and message come through."""
    response = client.post("/api/v1/desk/fail", json={"text": code})

    error = response.json()["error"]
    expected = desk.ERRORS[code]

    assert (status, code, expected.message) == (response.status_code, error["code"], error["message"])


def test_a_refusal_says_why(client: httpx2.Client) -> None:
    """The stable reason and the hint come through."""
    error = client.post("/api/v1/desk/fail", json={"text": "refused"}).json()["error"]

    assert ("not_verified", "wait") == (error["reason"], error["hint"])


def test_an_unexpected_error_says_nothing_but_its_id(client: httpx2.Client) -> None:
    """What escapes becomes a bug with the request's id, and none of its text leaks."""
    response = client.post("/api/v1/desk/fail", json={"text": "password"})

    assert (500, response.headers["stanch-request-id"], False) == (
        response.status_code,
        response.json()["error"]["request_id"],
        "secret" in response.text,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"[1]", "body"),
        (b'"text"', "body"),
        (b"[" * 100_000, "body"),
        (b'{"text": "\xff"}', "body"),
        (b"{}", "text"),
        (b"", "text"),
        (b'{"text": 1e999}', "body"),
        (b'{"text": "a", "at": "yesterday"}', "at"),
        (b'{"text": "a\\u0000b"}', "text"),
        (b'{"text": "a", "wrong": 1}', "wrong"),
        (b'{"text": 123456789012345678901234567890}', "text"),
    ],
)
def test_a_bad_body_names_the_field(client: httpx2.Client, body: bytes, field: str) -> None:
    """Every bad body is a 400 that names the field at fault."""
    response = client.post("/api/v1/desk/write", content=body, headers={"content-type": "application/json"})

    fields = [problem["field"] for problem in response.json()["error"].get("problems", [])]

    assert (400, [field]) == (response.status_code, fields)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "number"),
        ("number=x", "number"),
        ("number=1&number=2", "number"),
        ("number=1&other=2", "other"),
        ("number=" + "9" * 40, "number"),
        ("number=1&tags=%00", "tags"),
    ],
)
def test_a_bad_query_names_the_field(client: httpx2.Client, query: str, field: str) -> None:
    """Every bad query is a 400 that names the field at fault."""
    response = client.get(f"/api/v1/desk/look?{query}")

    assert (400, [field]) == (
        response.status_code,
        [problem["field"] for problem in response.json()["error"]["problems"]],
    )


def test_a_large_body_is_refused(client: httpx2.Client) -> None:
    """A body over the limit is a 413, by its declared length or by counting."""
    big = json.dumps({"text": "x" * MOST_BYTES}).encode()
    declared = client.post("/api/v1/desk/write", content=big, headers={"content-type": "application/json"})
    counted = client.post(
        "/api/v1/desk/write", content=iter([big[:900_000], big[900_000:]]), headers={"content-type": "application/json"}
    )

    assert [(413, "too_large", "too_large")] * 2 == [error_of(declared), error_of(counted)]


def test_a_form_is_no_json(client: httpx2.Client) -> None:
    """A body of another type is a 415."""
    response = client.post("/api/v1/desk/write", data={"text": "x"})

    assert (415, "unsupported_media_type", "unsupported_media_type") == error_of(response)


@pytest.mark.parametrize("path", ["/api/v1/desk/nothing", "/api/v2", "/api/v1/desk/look/", "/nowhere"])
def test_an_unknown_path_is_a_404_in_json(client: httpx2.Client, path: str) -> None:
    """What is not served is not found, in JSON."""
    assert (404, "not_found", "not_found") == error_of(client.get(path))


def test_another_method_is_a_405_in_json(client: httpx2.Client) -> None:
    """A read is not put; the answer says what is allowed."""
    response = client.put("/api/v1/desk/look", json={"number": 1})

    assert ((405, "method_not_allowed", "method_not_allowed"), "GET, HEAD, POST") == (
        error_of(response),
        ", ".join(sorted(response.headers["allow"].split(", "))),
    )


def test_an_unchanged_read_is_not_sent_again(client: httpx2.Client) -> None:
    """A client that has the answer already gets 304."""
    first = client.get("/api/v1/desk/look?number=1")
    second = client.get("/api/v1/desk/look?number=1", headers={"if-none-match": first.headers["etag"]})

    assert (304, b"") == (second.status_code, second.content)


def test_every_answer_is_framed(client: httpx2.Client) -> None:
    """Answers forbid foreign content, frames and sniffing."""
    headers = client.get("/api/v1/desk/look?number=1").headers

    assert ("nosniff", True, True) == (
        headers["x-content-type-options"],
        "frame-ancestors 'none'" in headers["content-security-policy"],
        "unsafe" not in headers["content-security-policy"],
    )


def test_a_caller_who_goes_away_is_no_defect(client: httpx2.Client, front: Front) -> None:
    """A body that is broken off is neither answered nor counted as an unexpected error."""
    address = client.base_url
    with socket.create_connection((address.host, address.port or 80)) as caller:
        caller.sendall(
            b"POST /api/v1/desk/write HTTP/1.1\r\nHost: 127.0.0.1\r\nStanch-Actor: alice\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
    # Answered after the broken request has been read to its end: both are served by one loop, in order.
    for _ in range(20):
        client.get("/api/v1/desk/look?number=1")

    assert 0 == next(iter(front.figures.bugs.collect())).samples[0].value
