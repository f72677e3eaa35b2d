"""Plans whose far end is a file of flags, a service of requests or a database: from the catalog to what is there then.

Each goes the whole way: proposed as it is declared, looked at, approved by people, run by the engine.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from stanch.app.actuators import open_actuators
from stanch.app.systems import Systems
from stanch.catalog.model import ActionSpec
from stanch.incidents.state import ActionState
from stanch.integrations.postgresql import PostgresSessions
from stanch.kernel.actor import Via, person
from stanch.operations.proposing import ProposeAction, propose
from stanch.operations.world import Call, World
from stanch.ports.query import SystemSpec
from tests.engine.incident import approve, declare, engine, shop, state_of
from tests.support.farend import Asked, Reply, site

FLAG = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}


def proposed(world: World, spec: ActionSpec, systems: Systems | None = None) -> tuple[World, int]:
    """Return a shop that declares an action, and its incident with a plan for it."""
    world = shop(world)
    payments = replace(world.catalog.services["payments"], actions=(spec,))
    world = replace(
        world,
        catalog=replace(world.catalog, services={"payments": payments}),
        actuators=open_actuators(systems or Systems()),
    )
    number = declare(world)
    call = Call(world=world, actor=person("alice"), via=Via.HTTP)
    propose(call, ProposeAction(incident=number, action=spec.name, service="payments"))
    return world, number


def action(uses: str, settings: Mapping[str, str], *, risk: str = "low") -> ActionSpec:
    """Return a declared action."""
    return ActionSpec(name="act", mitigation="flag_off", title="Act", uses=uses, settings=settings, risk=risk)


def run(world: World, number: int, *, who: str = "alice") -> ActionState:
    """Approve the plan, let it run, and return how it ended."""
    approve(world, number, plan="act-payments", who=who)
    engine(world).run_until_quiet()
    return state_of(world, number).actions["act-payments"].state


def test_a_flag_is_off_after_a_yes(world: World, tmp_path: Path) -> None:
    """Not before: until somebody says yes the file stays as it is."""
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"fast": FLAG}}))
    told = {"flag": "fast", "set": "off", "file": str(file)}
    world, number = proposed(world, action("flag.flagd", told))
    before = json.loads(file.read_text())["flags"]["fast"]
    ended = run(world, number)

    assert (FLAG, ActionState.SUCCEEDED, "off") == (
        before,
        ended,
        json.loads(file.read_text())["flags"]["fast"]["defaultVariant"],
    )


def test_a_flag_that_somebody_moved_is_left_alone(world: World, tmp_path: Path) -> None:
    """Between look and run it got another rule: that stays, and another plan stands for it."""
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": {"fast": FLAG}}))
    world, number = proposed(world, action("flag.flagd", {"flag": "fast", "set": "off", "file": str(file)}))
    moved = json.dumps({"flags": {"fast": {**FLAG, "targeting": {"if": [True, "on"]}}}})
    file.write_text(moved)
    ended = run(world, number)

    assert (ActionState.STALE, moved, "act-payments") == (
        ended,
        file.read_text(),
        state_of(world, number).actions["act-payments~2"].plan.replaces,
    )


def test_a_request_is_sent_once_after_a_yes(world: World) -> None:
    """Looking at it sends nothing that changes anything; running it sends it once, and reads back."""
    limits = {"per_second": 100}
    sent: list[str] = []

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            sent.append(asked.path)
            limits["per_second"] = 10
        return Reply(body=json.dumps(limits))

    with site(answer) as far:
        told = {
            "url": f"{far.url}/limits",
            "body": '{"per_second": 10}',
            "check_url": f"{far.url}/limits",
            "check_path": "per_second",
            "check_is": "10",
        }
        world, number = proposed(world, action("http", told))
        before = list(sent)
        ended = run(world, number)

    assert ([], ActionState.SUCCEEDED, ["/limits"]) == (before, ended, sent)


def test_a_session_is_ended_after_two_have_said_yes(world: World, bare_postgres_url: str) -> None:
    """One yes is not enough; after the second, the transaction that does nothing is gone."""
    server = PostgresSessions(SystemSpec(name="db", kind="postgresql", url=bare_postgres_url))
    database = str(psycopg.conninfo.conninfo_to_dict(bare_postgres_url)["dbname"])
    told = {"on": "db", "which": "idle_in_transaction", "at_least_s": "1", "databases": database, "grace_s": "2"}
    kill = action("postgresql.kill", told, risk="irreversible")
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(bare_postgres_url, autocommit=True) as admin:
        # Roles are the server's, which all workers share: one that two make at once is an error for the second.
        role = f"batch_{os.getpid()}_{database}"
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        with contextlib.closing(psycopg.connect(bare_postgres_url, user=role)) as holder:
            holder.execute("SELECT 1")
            # A second and a little: what idles for less is left alone.
            admin.execute("SELECT pg_sleep(1.2)")
            world, number = proposed(world, kill, Systems(sessions={"postgresql": {"db": server}}))
            alone = run(world, number, who="alice")
            before = admin.execute(alive, (holder.info.backend_pid,)).fetchone()
            both = run(world, number, who="bob")
            after = admin.execute(alive, (holder.info.backend_pid,)).fetchone()

    assert (ActionState.PROPOSED, (1,), ActionState.SUCCEEDED, (0,)) == (alone, before, both, after)
