"""Whom the server listens to."""

import base64

import httpx2
import pytest

from stanch.surfaces.asgi.trust import Distrust, Trust
from tests.surfaces.serving import PATIENT_S

HERE = {"host": "127.0.0.1:8484"}


@pytest.mark.parametrize("host", ["localhost", "localhost:8484", "LOCALHOST", "127.0.0.1:1", "[::1]:8484", "[::1]"])
def test_local_names_are_answered(host: str) -> None:
    """The machine's own names are trusted, with any port."""
    assert Trust().refuse(method="GET", headers={"host": host}, peer="127.0.0.1") is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "[::1"]
)
def test_foreign_names_are_refused(host: str) -> None:
    """A name that somebody pointed at this machine is not answered."""
    assert Distrust.HOST is Trust().refuse(method="GET", headers={"host": host}, peer="127.0.0.1")


def test_a_configured_name_is_answered() -> None:
    """A host of the configuration is trusted."""
    trust = Trust(hosts=frozenset({"stanch.example"}))

    assert trust.refuse(method="GET", headers={"host": "stanch.example"}, peer="::1") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_write_from_elsewhere_is_refused(headers: dict[str, str]) -> None:
    """A page of another origin, another port of this machine too, may change nothing."""
    assert Distrust.ORIGIN is Trust().refuse(method="POST", headers={**HERE, **headers}, peer="127.0.0.1")


@pytest.mark.parametrize("headers", [{}, {"origin": "http://127.0.0.1:8484", "sec-fetch-site": "same-origin"}])
def test_a_write_from_here_is_taken(headers: dict[str, str]) -> None:
    """A program without an Origin and our own page may write."""
    assert Trust().refuse(method="POST", headers={**HERE, **headers}, peer="127.0.0.1") is None


def test_another_machine_is_refused_without_a_token() -> None:
    """Without a token only this machine is listened to."""
    assert Distrust.PEER is Trust().refuse(method="GET", headers=HERE, peer="10.0.0.7")


def test_a_proxy_on_this_machine_does_not_lend_its_trust() -> None:
    """Who stands behind a local proxy is no local peer."""
    headers = {**HERE, "x-forwarded-for": "10.0.0.7"}

    assert Distrust.PEER is Trust().refuse(method="GET", headers=headers, peer="127.0.0.1")


BASIC = base64.b64encode(b"alice:let-me").decode()


@pytest.mark.parametrize("authorization", ["Bearer let-me", "bearer let-me", f"Basic {BASIC}"])
def test_another_machine_enters_with_the_token(authorization: str) -> None:
    """The token opens, as a bearer token and as the password of a browser."""
    trust = Trust(token="let-me")

    assert trust.refuse(method="GET", headers={**HERE, "authorization": authorization}, peer="10.0.0.7") is None


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nope", "Basic !", "Basic bm9wZQ==", "Digest let-me"])
def test_another_machine_without_the_token_is_challenged(authorization: str) -> None:
    """Anything else than the token does not open."""
    trust = Trust(token="let-me")

    assert Distrust.TOKEN is trust.refuse(
        method="GET", headers={**HERE, "authorization": authorization}, peer="10.0.0.7"
    )


def test_the_token_is_not_shown() -> None:
    """A trust that lands in a log does not tell its token."""
    assert "let-me" not in repr(Trust(token="let-me"))


def test_a_rebound_name_gets_no_answer(url: str) -> None:
    """A request under a foreign host name is turned away by the server, before anything is read."""
    response = httpx2.get(f"{url}/api/v1/desk/look?number=1", headers={"host": "evil.example"}, timeout=PATIENT_S)

    assert (403, "host_not_allowed") == (response.status_code, response.json()["error"]["reason"])


def test_a_forged_write_gets_no_answer(url: str) -> None:
    """A post with a foreign origin is turned away by the server."""
    headers = {"origin": "https://evil.example", "stanch-actor": "alice"}
    response = httpx2.post(f"{url}/api/v1/desk/write", json={"text": "x"}, headers=headers, timeout=PATIENT_S)

    assert (403, "origin_not_allowed") == (response.status_code, response.json()["error"]["reason"])


def test_a_forwarded_request_is_challenged(url: str) -> None:
    """A browser behind a proxy is asked for the token."""
    response = httpx2.get(
        f"{url}/api/v1/desk/look?number=1", headers={"x-forwarded-for": "10.0.0.7"}, timeout=PATIENT_S
    )

    assert (401, True) == (response.status_code, response.headers["www-authenticate"].startswith("Basic"))
