"""Who may not, or says yes to what is not so: refused with the same code by terminal, API and page; nothing runs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.kernel.actor import person
from stanch.kernel.event import JSON
from stanch.mitigate.plan import digest_of
from stanch.operations import cases
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.surfaces.cli.terminal import Terminal
from tests.surfaces.serving import serving
from tests.surfaces.web.story import OPERATIONS, Story


def who(actor: str) -> dict[str, str]:
    """Return the header by which a program or a person says who it is."""
    program = actor.removeprefix("agent:")
    return ({"stanch-actor": actor} if program == actor else {"stanch-agent": program}) if actor else {}


def as_browser(actor: str) -> dict[str, str]:
    """Return what a browser sends; a program that drives one says what it is."""
    return who(actor) if actor.startswith("agent:") or not actor else {"cookie": f"stanch_person={actor}"}


@dataclass(frozen=True)
class Desk:
    """The story, where it is served, and a terminal."""

    story: Story
    url: str
    terminal: Terminal

    def by_api(self, operation: str, body: dict[str, JSON], actor: str) -> tuple[str, str]:
        """Return code and reason of what the API answers."""
        noun, verb = operation.split(".")
        answer = httpx2.post(f"{self.url}/api/v1/{noun}/{verb}", json=body, headers=who(actor))
        error = answer.json().get("error", {"code": f"done {answer.status_code}", "reason": ""})
        return error["code"], error["reason"]

    def by_page(self, operation: str, body: dict[str, JSON], actor: str) -> tuple[str, str]:
        """Return code and reason of what a form is answered, read from the page that a browser shows."""
        noun, verb = operation.split(".")
        answer = httpx2.post(
            f"{self.url}/do/{noun}/{verb}",
            data={name: str(value) for name, value in body.items()},
            headers={"origin": self.url, "accept": "application/json", **as_browser(actor)},
        )
        if answer.status_code < 400:
            return f"done {answer.status_code}", ""
        error = answer.json()["error"]
        return error["code"], error["reason"]

    def by_terminal(self, operation: str, body: dict[str, JSON], actor: str) -> tuple[str, str]:
        """Return code and reason of what the command says."""
        ran = self.terminal("--server", self.url, "--actor", actor, "call", operation, json.dumps(body), "--json")
        if ran.code == 0:
            return "done 0", ""
        return str(ran.error["code"]), str(ran.error["reason"])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give an incident with a plan that waits."""
    story = Story(str(tmp_path / "stanch.db"))
    story.calm()
    story.declare()
    story.investigate()
    front = Front.of(story.world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    app = application(front, routes=routes, page_error=pages.page_error(front))
    with serving(app, front) as url:
        yield Desk(story=story, url=url, terminal=Terminal(folder=tmp_path, state=tmp_path / "state"))
    story.store.close()


def nothing(desk: Desk) -> None:
    """Leave all as it is."""


def resolved(desk: Desk) -> None:
    """End the incident."""
    desk.story.say(ev.StatusChanged(status=Status.RESOLVED, reason="over"))


def ran(desk: Desk) -> None:
    """Let the plan have run."""
    desk.story.approve()
    desk.story.run()


def irreversible(desk: Desk) -> None:
    """Put a plan there that two must approve, with Alice's yes."""
    plan = replace(desk.story.plan, id="drop", risk="irreversible", approvals_needed=2)
    plan = replace(plan, digest=digest_of(plan))
    desk.story.say(ev.PlanAdded(plan=plan, reason="by hand"))
    expires = desk.story.clock.now() + timedelta(minutes=15)
    desk.story.say(
        ev.Approved(plan="drop", digest=plan.digest, expires_at=expires),
        actor=person("alice", name="Alice Adams"),
        stream=ev.action_stream(1, "drop"),
    )


PLAN = "rollback-payments"
SITUATIONS: dict[str, tuple[Callable[[Desk], None], str, str, str, tuple[str, str]]] = {
    # what is so, by whom, which plan, which digest ("" is the right one): what is said
    "an agent says yes": (nothing, "agent:triage", PLAN, "", ("forbidden", "approval_needs_a_person")),
    "a digest of nothing": (nothing, "alice", PLAN, "f" * 64, ("conflict", "digest_mismatch")),
    "another plan's digest": (nothing, "alice", PLAN, "restart-payments", ("conflict", "digest_mismatch")),
    "a plan that is not there": (nothing, "alice", "delete-all", "f" * 64, ("not_found", "not_found")),
    "the incident is over": (resolved, "alice", PLAN, "", ("refused", "not_open")),
    "it has run": (ran, "alice", PLAN, "", ("refused", "not_waiting")),
    "the same person twice": (irreversible, "alice", "drop", "", ("refused", "already_approved")),
}


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_surface_refuses_it_alike(desk: Desk, situation: str) -> None:
    """The same code and reason on the terminal, over HTTP and on the page, and no yes is on record."""
    prepare, actor, plan, given, expected = SITUATIONS[situation]
    prepare(desk)
    right = digests(desk)
    body: dict[str, JSON] = {"incident": 1, "plan": plan, "digest": right.get(given or plan, given)}
    before = approvals(desk)
    said = [surface("mitigation.approve", body, actor) for surface in (desk.by_api, desk.by_page, desk.by_terminal)]

    assert ([expected] * 3, before) == (said, approvals(desk))


@pytest.mark.slow
def test_nobody_says_no_for_others(desk: Desk) -> None:
    """Without a name there is no yes: the API and the page ask who one is, with the same code."""
    body: dict[str, JSON] = {"incident": 1, "plan": PLAN, "digest": digests(desk)[PLAN]}

    assert (desk.by_api("mitigation.approve", body, ""), 0) == (
        desk.by_page("mitigation.approve", body, ""),
        approvals(desk),
    )


def test_a_yes_without_its_digest_is_no_request(desk: Desk) -> None:
    """What was shown must be named."""
    body: dict[str, JSON] = {"incident": 1, "plan": PLAN}

    assert ("invalid", "invalid") == (
        desk.by_api("mitigation.approve", body, "alice")[0],
        desk.by_page("mitigation.approve", body, "alice")[0],
    )


def digests(desk: Desk) -> dict[str, str]:
    """Return the digest of every plan."""
    with desk.story.store.reading() as view:
        return {name: digest_of(action.plan) for name, action in cases.load(view, 1).actions.items()}


def approvals(desk: Desk) -> int:
    """Return how many yeses are on record."""
    with desk.story.store.reading() as view:
        return sum(event.kind == "action.approved" for event in view.events(incident=1))
