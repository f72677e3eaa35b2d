"""Lives automatic actions in processes that are killed at each of their commits, and tells what came of each.

Usage: `python -m tests.chaos.automatic DATABASE FOLDER`. One warm process forks for each life; each case is a service
of its own, so that no case blocks another. Prints a list of JSON objects.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from stanch.app.logging import configure_logging
from stanch.app.wiring import DUTIES, PROJECTORS
from stanch.catalog.acting import Automatic, Guard
from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.folding import fold_all
from stanch.incidents.model import Hypothesis, Reading, Severity, SeverityRuling
from stanch.integrations.command import CommandActuator
from stanch.kernel.clock import ManualClock
from stanch.mitigate.tables import runs_since
from stanch.operations import cases
from stanch.operations.investigation import conclude
from stanch.operations.world import World
from tests.chaos.story import AWAY, START, Death, MortalStore

_MOST: Final = 100
_SPACE: Final = timedelta(minutes=5)
_KEPT: Final = frozenset({"run", "look"})


def _world(database: str, folder: Path, case: int, *, away: bool) -> World:
    clock = ManualClock(START + case * _SPACE + (AWAY if away else timedelta()))
    action = ActionSpec(
        name="restart",
        mitigation="restart",
        title="Restart {service}",
        run=("/bin/sh", "-c", 'echo ran >>"$1"', "restart", f"ran-{case}"),
        risk="low",
        cwd=str(folder),
        automatic=True,
        guard=Guard(share=1.0, worst="SEV1"),
    )
    name = f"s{case}"
    catalog = Catalog(
        root=str(folder),
        services={name: Service(name=name, actions=(action,))},
        automatic=Automatic(most=1_000),
    )
    store = MortalStore.open(database, clock=clock, projectors=PROJECTORS)
    return World(
        store=store, clock=clock, catalog=catalog, node=f"node-{os.getpid()}", actuators={"command": CommandActuator()}
    )


def _declare(world: World, number: int, service: str) -> None:
    """Put an incident on record that is diagnosed, with nothing decided yet."""
    cause = Hypothesis(
        id=f"memory_leak/{service}",
        kind="memory_leak",
        title="leak",
        score=0.97,
        service=service,
        mitigations=("restart",),
    )
    reading = Reading(metric="error_ratio", service=service, value=0.45, unit="ratio", normal=0.002, high=0.01)
    with world.store.writing() as tx:
        assert number == tx.next_number("incident")
        now = world.clock.now()
        declared = ev.Declared(
            number=number,
            title=f"{service} fails",
            summary="",
            source="alert",
            services=(service,),
            started_at=now,
            ruling=SeverityRuling(severity=Severity.SEV2, rule="test", reason=""),
            channel="",
        )
        alert = ev.AlertAttached(alert=f"a-{service}", summary="", reading=reading, starts_at=now)
        ranked = ev.HypothesesRanked(round=1, hypotheses=(cause,), known=True, verdict="it leaks")
        cases.record(tx, number, declared, alert, ranked)


def _live(database: str, folder: Path, case: int, death: Death | None) -> dict[str, object]:
    world = _world(database, folder, case, away=False)
    store = world.store
    assert isinstance(store, MortalStore)
    number = case + 1
    _declare(world, number, f"s{case}")
    store.commits = 0
    store.death = death
    _go_on(world, number)
    store.close()
    return {"commits": store.commits}


def _resume(database: str, folder: Path, case: int) -> dict[str, object]:
    world = _world(database, folder, case, away=True)
    number = case + 1
    _go_on(world, number)
    ran = folder / f"ran-{case}"
    with world.store.reading() as view:
        events = view.events(incident=number)
        typed = [ev.typed(event) for event in events]
        state = fold_all(events)
        runs = [one for one in runs_since(view.connection, START - _SPACE) if one.incident == number]
    assert state is not None
    action = state.actions.get("restart-s" + str(case))
    world.store.close()
    return {
        "ran": len(ran.read_text().splitlines()) if ran.exists() else 0,
        "decided": sum(isinstance(one, ev.AutomaticDecided) and one.acts for one in typed),
        "begun": sum(isinstance(one, ev.RunStarted) for one in typed),
        "state": action.state.value if action else "",
        "kept": len(runs),
        "blocks": any(one.ended_at is None for one in runs),
        "stopped": bool(state.automatic_stopped),
    }


def _go_on(world: World, number: int) -> None:
    """Draw the conclusion where none was drawn yet, and do what is due."""
    with world.store.writing() as tx:
        conclude(tx, world, cases.load(tx, number, lock=True))
    Engine(world, {kind: duty for kind, duty in DUTIES.items() if kind in _KEPT}).run_until_quiet(rounds=20)


def _forked(act: object, *given: object) -> tuple[bool, dict[str, object]]:
    """Call `act` in a process of its own; return whether it was killed, and what it said."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        found = act(*given)  # type: ignore[operator]  # either of the two lives above
        with os.fdopen(writer, "w") as answer:
            answer.write(json.dumps(found))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, json.loads(text or "{}")


def main(database: str, folder: Path) -> None:
    """Kill one life at each commit, before and after it, and print what came of each."""
    _, unharmed = _forked(_live, database, folder, 0, None)
    _, end = _forked(_resume, database, folder, 0)
    commits = unharmed["commits"]
    assert isinstance(commits, int)
    told = [{"name": "unharmed", "killed": False, **end}]
    points = [(commit, after) for commit in range(1, commits + 1) for after in (False, True)]
    for case, (commit, after) in enumerate(points[:_MOST], start=1):
        killed, _ = _forked(_live, database, folder, case, Death(commit=commit, after=after))
        _, end = _forked(_resume, database, folder, case)
        told.append({"name": f"{'after' if after else 'before'}-{commit}", "killed": killed, **end})
    print(json.dumps(told))


if __name__ == "__main__":
    configure_logging(level="error")
    main(sys.argv[1], Path(sys.argv[2]))
