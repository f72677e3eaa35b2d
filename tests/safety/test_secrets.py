"""No way into the store keeps a secret: every operation that writes, output, changes; then the file is read."""

import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.app.wiring import DUTIES
from stanch.catalog.changes import changes_between
from stanch.engine.changes import first_timer
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.integrations.command import CommandActuator
from stanch.kernel.actor import Via
from stanch.kernel.errors import StanchError
from stanch.kernel.redaction import hide_emails, redact
from stanch.mitigate.plan import digest_of
from stanch.operations import registry
from stanch.operations.mitigation import ApprovePlan, OnePlan, approve_plan, dry_run
from stanch.operations.registry import Effect
from stanch.operations.world import Call
from stanch.ports.actuator import Step
from stanch.ports.changes import Change, ChangeKind
from tests.surfaces.web.story import ALICE, OPERATIONS, START, Story

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
PASSWORD = "hunter2-hunter2"
SAID = f"see {TOKEN} and postgresql://shop:{PASSWORD}@db/orders and password={PASSWORD}"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"


class Pipeline:
    """A source of changes whose titles and diffs hold a secret."""

    name = "pipeline"

    def changes(self, *, services: tuple[str, ...], start: object, end: object) -> list[Change]:
        """Return one change."""
        change = Change(
            id="c9", at=START, kind=ChangeKind.CONFIG, service="payments", title=SAID, diff=f"+{SAID}\n+{KEY}"
        )
        return [replace(change, url=f"https://x:{PASSWORD}@ci.example/1", data={"env": {"DB_PASSWORD": PASSWORD}})]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Give an incident with a plan that waits."""
    told = Story(str(tmp_path / "stanch.db"))
    told.declare()
    told.investigate()
    with told.store.writing() as tx:
        # The story numbers its incident itself; what is declared from here on comes after it.
        tx.next_number("incident")
    yield told
    told.store.close()


def leaks(story: Story) -> list[str]:
    """Return what of the secrets stands in the file of the store, with what is around it."""
    path = story.store.url.database
    with sqlite3.connect(str(path)) as connection:
        text = "\n".join(connection.iterdump())
    found = [secret for secret in (TOKEN, PASSWORD, "MIIEvQIBADANBgkqhkiG9w0") if secret in text]
    return [text[max(0, text.find(one) - 300) : text.find(one) + 40] for one in found]


def test_no_operation_keeps_a_secret(story: Story) -> None:
    """Each that writes is called with a secret in every text that it takes; most take it, and none keeps it."""
    taken = []
    for name, operation in OPERATIONS.items():
        if operation.effect is Effect.READ:
            continue
        for field in fields(operation.request):
            example = dict(operation.example)
            if not isinstance(example.get(field.name, ""), str):
                continue
            example[field.name] = f"{example.get(field.name, '')} {SAID}".strip()
            story.clock.advance(timedelta(seconds=1))
            try:
                request = registry.decode(operation, example)
                registry.call(operation, Call(world=story.world, actor=ALICE, via=Via.HTTP), request)
            except (StanchError, TypeError, ValueError):
                continue
            taken.append(name)

    assert ([], True) == (leaks(story), len(set(taken)) > 10)


def test_labels_hide_it_too(story: Story) -> None:
    """What stands in a table of texts is looked at as well."""
    operation = OPERATIONS["alert.send"]
    request = registry.decode(operation, {**operation.example, "labels": {"dsn": SAID, "api_key": PASSWORD}})
    registry.call(operation, Call(world=story.world, actor=ALICE, via=Via.HTTP), request)

    assert [] == leaks(story)


def test_output_of_a_run_and_of_its_try_is_kept_without_it(story: Story) -> None:
    """The real command actuator prints secrets, a key over several lines among them; the log shows marks."""
    world = replace(story.world, actuators={"command": CommandActuator()})
    # What prints a secret must not name it itself: only its output counts here.
    program = story.store.url.database
    script = Path(str(program)).with_name("prints")
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{SAID}\n{KEY}\nEND\n")
    script.chmod(0o755)
    step = Step(actuator="command", argv=(str(script),))
    plan = replace(story.plan, id="prints", steps=(step,), dry_run=(step,), asked=())
    plan = replace(plan, digest=digest_of(plan))
    story.say(ev.PlanAdded(plan=plan, reason="by hand"))
    call = Call(world=world, actor=ALICE, via=Via.HTTP)
    dry_run(call, OnePlan(incident=1, plan="prints"))
    approve_plan(call, ApprovePlan(incident=1, plan="prints", digest=plan.digest))
    Engine(world, {kind: DUTIES[kind] for kind in ("run",)}).run_until_quiet(rounds=3)
    with story.store.reading() as view:
        text = "".join(str(event.data) for event in view.events(incident=1) if event.kind.startswith("action."))

    assert ([], True) == (leaks(story), text.count("[redacted:private-key]") >= 2)


def test_changes_are_kept_without_it(story: Story) -> None:
    """Of a pipeline that says too much: title, diff, address, data."""
    world = replace(story.world, change_sources=(Pipeline(),))
    with story.store.writing() as tx:
        tx.schedule(first_timer(story.clock.now()))
    Engine(world, {"changes": DUTIES["changes"]}).run_until_quiet(rounds=2)
    with story.store.reading() as view:
        kept = changes_between(view.connection, start=START - timedelta(days=1), end=START + timedelta(days=1))

    assert ([], ["c9"]) == (leaks(story), [one.id for one in kept if one.id == "c9"])


def test_addresses_are_kept_where_nothing_is_configured() -> None:
    """People have to be reached; only who says so hides them."""
    assert "ask alice@example.com" == redact("ask alice@example.com")


def test_addresses_are_taken_out_where_it_is_configured() -> None:
    """`redact_emails` of the configuration makes them what a secret is."""
    hide_emails(True)
    try:
        found = redact("login failed for alice.b+x@mail.example.com; see a@b and v1.2@sha256:0f")
    finally:
        hide_emails(False)

    assert "login failed for [redacted:email]; see a@b and v1.2@sha256:0f" == found
