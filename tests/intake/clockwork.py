"""Runs cases on a clock that is moved by hand: no port, no thread, a second of the story in a few milliseconds."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from stanch.alerts.intake.config import read_routing
from stanch.alerts.intake.routes import Routing
from stanch.catalog.model import Catalog
from stanch.engine.intake import Intake
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Unavailable
from stanch.operations.silencing import end_silence, save_silence
from stanch.operations.world import World
from stanch.ports.notifier import Notice
from stanch.store import Store
from stanch.surfaces.http.alertmanager.posted import read_alerts, read_silence
from tests.intake.live import posted, silence_body
from tests.intake.story import Arrived, Case, Got, Hook, Post, Reload, Silence, Step, Unsilence, faults

BEGAN: Final = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_STEP: Final = timedelta(milliseconds=50)


class Recorder:
    """Takes the place of a webhook: notes what it is told, and refuses as its hook does."""

    def __init__(self, number: int, hook: Hook | None, clock: ManualClock, arrived: list[Arrived]) -> None:
        self._number = number
        self._hook = hook
        self._clock = clock
        self._arrived = arrived

    def notify(self, notice: Notice) -> str:
        """Note the notice, unless the hook refuses."""
        at = (self._clock.now() - BEGAN).total_seconds()
        early = self._hook is not None and at < self._hook.until
        if self._hook is not None and early and self._hook.status >= 300:
            raise Unavailable(f"answered {self._hook.status}", retry=self._hook.status >= 500)
        if not early:
            self._arrived.append(Arrived(hook=self._number, at=at, alerts=tuple(_got(notice))))
        return "200"

    def close(self) -> None:
        """Nothing is kept open."""


def _got(notice: Notice) -> list[Got]:
    return [
        Got(
            labels=one.labels,
            annotations=one.annotations,
            start=(one.starts_at - BEGAN).total_seconds(),
            end=None if one.ends_at is None else (one.ends_at - BEGAN).total_seconds(),
        )
        for one in notice.alerts
    ]


def run_by_hand(case: Case, where: str) -> list[str]:
    """Run a case on a store at `where`, and return what is wrong with it."""
    clock = ManualClock(BEGAN)
    arrived: list[Arrived] = []
    config = [case.config]
    store = Store.open(where, clock=clock)
    world = World(store=store, clock=clock, catalog=Catalog(), node="n1")

    def load() -> Routing:
        return read_routing(config[0], kinds={"webhook": lambda settings: None})

    world.routing.now = load()
    intake = Intake(
        world,
        makers={
            "webhook": lambda one: Recorder(
                _number(one.settings), case.hooks.get(_number(one.settings)), clock, arrived
            )
        },
        load=load,
    )
    intake.prepare()
    steps = sorted(case.steps, key=lambda one: one.at)
    silences: dict[str, str] = {}
    while clock.now() <= BEGAN + timedelta(seconds=case.end):
        while steps and BEGAN + timedelta(seconds=steps[0].at) <= clock.now():
            _take(steps.pop(0), intake, silences, config.__setitem__)
        while intake.run_due():
            pass
        clock.advance(_STEP)
    store.close()
    return faults(case, arrived)


def _number(settings: Mapping[str, object]) -> int:
    return int(str(settings["url"])[3])


def _take(step: Step, intake: Intake, silences: dict[str, str], change: Callable[[int, str], None]) -> None:
    now, began = intake.world.clock.now(), BEGAN.timestamp()
    match step:
        case Post(alerts=alerts):
            body = msgspec.json.encode([posted(one, began) for one in alerts])
            received, problems = read_alerts(
                body, now=now, resolve_timeout=intake.routing.resolve_timeout, recognition=intake.recognition
            )
            assert not problems
            intake.receive_now(received)
        case Silence():
            wanted = read_silence(msgspec.json.encode(silence_body(step, began)), now=now)
            silences[step.key] = save_silence(intake.world, wanted).id
        case Unsilence(key=key):
            end_silence(intake.world, silences[key])
        case Reload(config=changed):
            if changed:
                change(0, changed)
            intake.reload()
