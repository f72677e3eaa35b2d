"""The HTTP probe against servers that answer well, badly, slowly, too much and not at all."""

import time
from datetime import UTC, datetime

import pytest

from stanch.integrations.http import HttpSampler
from stanch.ports.checks import HttpCheck
from stanch.ports.sampler import Look
from tests.support.farend import Asked, Reply, drip_body, drip_headers, flood, hang, site, wire

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def looked(sampler: HttpSampler, target: str) -> Look:
    """Return one look."""
    return sampler.look(service="shop", target=target, cursor={}, now=NOW)


def values(look: Look) -> dict[str, float]:
    """Return what a look brought, by metric."""
    return {one.metric: one.value for one in look.samples}


def note(look: Look) -> str:
    """Return what the check says is wrong."""
    return next(one.note for one in look.samples if one.metric == "check")


def test_plain_probe_is_up() -> None:
    """Without settings a probe says whether the service is up."""
    with site(lambda asked: Reply(body="fine")) as far:
        found = values(looked(HttpSampler(), far.url))

    assert found["up"] == 1.0


def test_plain_probe_is_down() -> None:
    """A 503 is down, and what was said is told."""
    with site(lambda asked: Reply(status=503, body="no database")) as far:
        look = looked(HttpSampler(), f"{far.url}/health")

    assert (0.0, f"{far.url}/health answered 503, where 2xx or 3xx is right: no database") == (
        values(look)["up"],
        look.trouble,
    )


@pytest.mark.parametrize(
    ("wanted", "reply", "wrong"),
    [
        (HttpCheck(status=("204",)), Reply(status=204), ""),
        (HttpCheck(status=("204",)), Reply(status=200), "answered 200, where 204 is right"),
        (HttpCheck(contains=("ready",)), Reply(body="not yet"), "the body does not hold 'ready'"),
        (HttpCheck(lacks=("error",)), Reply(body="an error"), "the body holds 'error'"),
        (HttpCheck(matches=r"v\d+"), Reply(body="version v12"), ""),
        (HttpCheck(matches=r"v\d+"), Reply(body="version x"), r"the body does not match 'v\\d+'"),
        (HttpCheck(json={"/db/ok": "true"}), Reply(body='{"db": {"ok": true}}'), ""),
        (HttpCheck(json={"/db/ok": "true"}), Reply(body='{"db": {"ok": false}}'), "/db/ok is 'false', where 'true'"),
        (HttpCheck(json={"/db/ok": "true"}), Reply(body='{"db": []}'), "the body has nothing at /db/ok"),
        (HttpCheck(json={"/a": "1"}), Reply(body="<html>"), "the body is not JSON"),
        (HttpCheck(answers={"X-Cache": "HIT"}), Reply(headers=(("X-Cache", "MISS"),)), "the header X-Cache is 'MISS'"),
        (HttpCheck(answers={"X-Cache": "HIT"}), Reply(), "the answer has no header X-Cache"),
        (HttpCheck(below_ms=0.001), Reply(), "ms is the limit"),
    ],
)
def test_assertion(wanted: HttpCheck, reply: Reply, wrong: str) -> None:
    """Each assertion holds or says what is wrong."""
    with site(lambda asked: reply) as far:
        found = note(looked(HttpSampler(wanted), far.url))

    assert (wrong in found, bool(found)) == (True, bool(wrong))


def test_secret_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the environment goes into the header, and is taken out of what is told."""
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-token")
    wanted = HttpCheck(headers={"Authorization": "Bearer ${env.SHOP_TOKEN}"})

    def echo(asked: Asked) -> Reply:
        return Reply(status=401, body=f"no: {asked.headers['Authorization']}")

    with site(echo) as far:
        found = note(looked(HttpSampler(wanted), far.url))
        sent = far.asked[0].headers["Authorization"]

    assert ("Bearer s3cr3t-token", False) == (sent, "s3cr3t" in found)


def test_missing_secret_is_trouble() -> None:
    """Without the variable nothing is asked, and the trouble names it."""
    wanted = HttpCheck(headers={"Authorization": "Bearer ${env.STANCH_TEST_NOT_SET}"})

    assert "STANCH_TEST_NOT_SET is not set" in looked(HttpSampler(wanted), "http://127.0.0.1:9/").trouble


@pytest.mark.parametrize("speak", [hang, drip_headers, drip_body])
def test_slow_far_end_is_given_up(speak: object) -> None:
    """A far end that hangs, or drips header or body, is left when the time is over."""
    with wire(speak) as place:  # type: ignore[arg-type]
        began = time.monotonic()
        look = looked(HttpSampler(HttpCheck(), timeout_s=0.4), f"http://{place}/")
        took = time.monotonic() - began

    assert (True, True) == (took < 10, "0.4 s" in note(look))


def test_flood_is_cut() -> None:
    """Of a body without an end so much is read as assertions are about, and no more."""
    with wire(flood) as place:
        found = values(looked(HttpSampler(HttpCheck(contains=("xxx",)), timeout_s=20), f"http://{place}/"))

    assert found["check"] == 1.0


def test_redirect_is_the_answer_unless_followed() -> None:
    """A redirect is followed where that is asked for."""

    def lead(asked: Asked) -> Reply:
        return Reply(body="there") if asked.path == "/there" else Reply(status=302, headers=(("Location", "/there"),))

    with site(lead) as far:
        stayed = values(looked(HttpSampler(HttpCheck(contains=("there",))), far.url))["check"]
        went = values(looked(HttpSampler(HttpCheck(contains=("there",), follow=True)), far.url))["check"]

    assert (0.0, 1.0) == (stayed, went)
