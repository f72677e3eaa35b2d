"""Journeys through a small shop that has a session, a token and a cart."""

from datetime import UTC, datetime

import pytest

from stanch.integrations.http import JourneySampler
from stanch.ports.checks import JourneyCheck, JourneyStep
from stanch.ports.sampler import Look
from tests.support.farend import Asked, Reply, hang, site, wire

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STEPS = (
    JourneyStep(name="form", url="/login", save={"csrf": 'regex:csrf" value="([^"]+)"'}),
    JourneyStep(
        name="log in",
        method="POST",
        url="/login",
        form={"csrf": "${csrf}", "password": "${env.SHOP_PASSWORD}"},
        status=("302",),
        save={"next": "header:Location", "session": "cookie:session"},
    ),
    JourneyStep(name="cart", url="${next}", save={"item": "json:/items/0/id"}, json={"/items/0/name": "tea"}),
    JourneyStep(name="pay", method="POST", url="/pay/${item}", body='{"session": "${session}"}', contains=("paid",)),
)


def shop(asked: Asked) -> Reply:
    """Answer as the shop does: every page needs what the one before has given."""
    match asked.method, asked.path:
        case "GET", "/login":
            return Reply(body='<input name="csrf" value="c-4711">')
        case "POST", "/login" if asked.body == b"csrf=c-4711&password=open-sesame":
            cookies = (("Set-Cookie", "theme=dark; Path=/"), ("Set-Cookie", "session=s-0815; Path=/; HttpOnly"))
            return Reply(status=302, headers=(("Location", "/cart"), *cookies))
        case "GET", "/cart" if "session=s-0815" in asked.headers.get("Cookie", ""):
            return Reply(body='{"items": [{"id": 7, "name": "tea"}]}')
        case "POST", "/pay/7" if asked.body == b'{"session": "s-0815"}':
            return Reply(body="paid")
    return Reply(status=403, body=f"not like this: {asked.body.decode()}")


def gone(target: str, *, steps: tuple[JourneyStep, ...] = STEPS, timeout_s: float = 10) -> Look:
    """Return the look of one journey."""
    sampler = JourneySampler(JourneyCheck(steps=steps), timeout_s=timeout_s)
    return sampler.look(service="shop", target=target, cursor={}, now=NOW)


def test_journey_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step saves is used by the next, cookies last, and each step has its latency."""
    monkeypatch.setenv("SHOP_PASSWORD", "open-sesame")
    with site(shop) as far:
        look = gone(far.url)
    steps = [dict(one.labels)["step"] for one in look.samples if one.metric == "check_step_ms"]

    assert (1.0, ["form", "log in", "cart", "pay"]) == (look.samples[0].value, steps)


def test_journey_ends_at_the_step_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note names the step and why it failed, without the secret; later steps are not gone."""
    monkeypatch.setenv("SHOP_PASSWORD", "wrong-password")
    with site(shop) as far:
        look = gone(far.url)
        asked = len(far.asked)

    told = look.samples[0].note

    assert (2, True, False) == (
        asked,
        told.startswith("step 2 'log in': answered 403, where 302 is right: not like this: csrf=***"),
        "wrong-password" in told,
    )


def test_what_cannot_be_saved_fails_the_step() -> None:
    """A step whose answer lacks what is to be saved has failed."""
    step = JourneyStep(name="token", url="/", save={"token": "json:/token"})
    with site(lambda asked: Reply(body="{}")) as far:
        look = gone(far.url, steps=(step,))

    assert "step 1 'token': token cannot be saved: the body has nothing at /token" == look.samples[0].note


def test_journey_keeps_its_time() -> None:
    """A step that hangs ends the journey when the time for all steps is over."""
    with wire(hang) as place:
        look = gone(f"http://{place}", steps=(JourneyStep(name="wait", url="/"),), timeout_s=0.3)

    assert "step 1 'wait'" in look.samples[0].note
