"""Whom an incident meets, read from the logs again while it lasts."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from stanch.catalog.model import Service
from stanch.engine.loop import Engine
from stanch.engine.remind import remeasure
from stanch.incidents.state import IncidentState
from stanch.kernel.clock import ManualClock
from stanch.operations.world import World
from stanch.store.model import Timer
from tests.engine.crew import ONSET, START, declare, shop, state_of


def access_log(path: Path, *, users: int, until_s: float) -> None:
    """Write two requests a second since the onset, of which those of guests fail."""
    lines = []
    for number in range(int(2 * until_s)):
        guest = number % 3 == 0
        entry = {
            "ts": (ONSET + timedelta(seconds=number / 2)).isoformat(),
            "level": "error" if guest else "info",
            "message": "POST /payments failed" if guest else "POST /payments answered",
            "status": 500 if guest else 201,
            "version": "v3.2.1" if number % 2 == 0 else "v3.2.0",
            "user": {"kind": "guest" if guest else "customer", "id": f"u-{number % users}"},
        }
        lines.append(json.dumps(entry))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(world: World, clock: ManualClock, log: Path) -> list[IncidentState]:
    """Measure once, let a minute pass in which more users are met, and measure again."""
    payments = Service(name="payments", logs=(str(log),))
    ready = replace(world, catalog=shop(root=str(log.parent), payments=payments))
    access_log(log, users=6, until_s=120)
    number = declare(ready, services=("payments",))
    engine = Engine(ready, {"measure": remeasure})
    with ready.store.writing() as tx:
        tx.schedule(Timer(id=f"inc{number}/measure", kind="measure", due_at=START, incident=number))
    engine.run_due()
    states = [state_of(ready, number)]
    clock.advance(timedelta(seconds=90))
    access_log(log, users=60, until_s=200)
    engine.run_due()
    return [*states, state_of(ready, number)]


def test_whom_it_meets_is_measured(world: World, clock: ManualClock, tmp_path: Path) -> None:
    """The failures' common value and the users come from the access log, without an investigation."""
    first = measured(world, clock, tmp_path / "payments.log")[0].impact

    assert first is not None and (2, True) == (first.users, "user.kind=guest" in first.explained)


def test_it_is_measured_again_while_it_lasts(world: World, clock: ManualClock, tmp_path: Path) -> None:
    """A minute later more users are met, and that is on record."""
    second = measured(world, clock, tmp_path / "payments.log")[1].impact

    assert second is not None and 20 == second.users
