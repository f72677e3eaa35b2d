"""An incident from the first look to the post-mortem: one thread, a clock moved by hand, to be taken up at any time.

Everything of ours is real: store, engine, duties, operations, built-in collectors, command actuator, webhook channel.
What stands for the outside: a sampler that sees a fault until the mitigation's command has run, and a deploy record.
The people of the story act on what they see, so a process that takes the story up again goes on where it stands.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from stanch.app.wiring import PROJECTORS, build_engine
from stanch.catalog.model import ActionSpec, Catalog, ChannelSpec, Check, Service, Thresholds, Timing
from stanch.engine.loop import Engine
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.incidents.tables import find
from stanch.integrations.command import CommandActuator
from stanch.integrations.webhook import WebhookChannel
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.event import JSON
from stanch.operations import cases, incident, mitigation
from stanch.operations.world import Call, World
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.sampler import ErrorSighting, Look, Sample
from stanch.store import Store, Transaction

START: Final = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FAULT: Final = START + timedelta(seconds=40)
STEP: Final = timedelta(seconds=2)
AWAY: Final = timedelta(seconds=20)
"""How long a killed process is away: longer than any lease."""
_LONGEST: Final = 100
_REQUESTS: Final = 200.0
_FAILING: Final = 0.45


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a story takes place: its database, its folder, the URL its messages go to."""

    database: str
    folder: Path
    hook: str

    @property
    def ran(self) -> Path:
        """Return the file to which every run of the mitigation's command adds a line."""
        return self.folder / "ran"

    @property
    def said(self) -> Path:
        """Return the file that lists what people were told had been done."""
        return self.folder / "said"

    @property
    def time(self) -> Path:
        """Return the file that holds the story's time."""
        return self.folder / "time"


@dataclass(frozen=True, kw_only=True)
class Death:
    """When the process kills itself: right before or right after its `commit`-th commit."""

    commit: int
    after: bool


class MortalStore(Store):
    """A store that counts commits and kills its process at one of them.

    `ran_at` is the first commit after the mitigation's command has written to `ran`.
    """

    commits = 0
    ran_at = 0
    ran: Path | None = None
    death: Death | None = None

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that writes, which may be the last."""
        with super().writing() as tx:
            yield tx
            with _COUNTING:
                self.commits += 1
                number = self.commits
                if not self.ran_at and self.ran is not None and self.ran.exists():
                    self.ran_at = number
            self._die_at(number, after=False)
        self._die_at(number, after=True)

    def _die_at(self, number: int, *, after: bool) -> None:
        if self.death == Death(commit=number, after=after):
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()


_COUNTING: Final = threading.Lock()


class Shop:
    """The sampler: payments fails from `FAULT` until the command has run."""

    kind = "shop"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Return one look, the same for the same moment."""
        failing = service == "payments" and now >= FAULT and not self._scene.ran.exists()
        ratio = _FAILING if failing else 0.0
        figures = {
            "requests": _REQUESTS,
            "failed_requests": round(_REQUESTS * ratio),
            "error_ratio": ratio,
        }
        samples = tuple(Sample(service=service, metric=name, value=value, at=now) for name, value in figures.items())
        return Look(samples=samples, errors=(self._error(now),) if failing else (), cursor=cursor)

    def _error(self, now: datetime) -> ErrorSighting:
        return ErrorSighting(
            service="payments",
            fingerprint="c0ffee",
            title="TypeError: 'NoneType' object is not subscriptable",
            count=round(_REQUESTS * _FAILING),
            first_at=now,
            last_at=now,
            version="v3.2.1",
            culprit="payments/validation.py:17 in check",
        )


class Deploys:
    """The change source: payments v3.2.1 went live at the moment of the fault."""

    name = "deploys"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the one deploy there is."""
        at = FAULT - timedelta(seconds=3)
        if not start <= at < end:
            return []
        return [
            Change(
                id="deploys/1",
                at=at,
                kind=ChangeKind.DEPLOY,
                service="payments",
                title="payments v3.2.1",
                version="v3.2.1",
                previous="v3.2.0",
                commit="9f3c1d2",
                source="deploys",
                paths=("payments/validation.py",),
            )
        ]


def catalog_of(scene: Scene) -> Catalog:
    """Return the catalog: two services, one action, one room."""
    rollback = ActionSpec(
        name="rollback",
        mitigation="rollback",
        title="Roll payments back to {previous}",
        run=("/bin/sh", "-c", 'echo "to $1" >>ran; echo done', "rollback", "{previous}"),
        risk="low",
        cwd=str(scene.folder),
    )
    check = (Check(sampler="shop", target="all", every_s=STEP.total_seconds()),)
    return Catalog(
        root=str(scene.folder),
        services={
            "checkout": Service(name="checkout", depends_on=("payments",), tier=1),
            "payments": Service(name="payments", checks=check, actions=(rollback,), tier=1),
        },
        channels={"room": ChannelSpec(name="room", kind="webhook", target=scene.hook)},
        thresholds=Thresholds(for_s=2, resolve_for_s=2),
        timing=Timing(
            verification_s=(2, 2, 2, 2),
            shortened_because="this is a test",
            baseline_s=60,
            detect_window_s=4,
            # Every death is compared with the life without one: no collector is cut short on a busy machine.
            investigation_s=60,
            remeasure_s=6,
        ),
    )


class Story:
    """The story as one process lives it."""

    def __init__(self, scene: Scene, *, death: Death | None = None) -> None:
        self.scene = scene
        self._clock = ManualClock(_time_of(scene))
        self.store = MortalStore.open(scene.database, clock=self._clock, projectors=PROJECTORS)
        self.store.death = death
        self.store.ran = scene.ran
        self.world = World(
            store=self.store,
            clock=self._clock,
            catalog=catalog_of(scene),
            node=f"node-{os.getpid()}",
            samplers={"shop": Shop(scene)},
            change_sources=(Deploys(),),
            actuators={"command": CommandActuator()},
            channels={"room": WebhookChannel(name="room", url=scene.hook)},
        )
        self._engine: Engine = build_engine(self.world)
        self._alice = Call(world=self.world, actor=person("alice"), via=Via.HTTP)

    @classmethod
    def resumed(cls, scene: Scene, *, death: Death | None = None) -> Self:
        """Take a story up after its process was killed; all its leases are over."""
        _keep_time(scene, _time_of(scene) + AWAY)
        return cls(scene, death=death)

    def learn(self) -> None:
        """Live until just before the fault, so that it is known what is normal."""
        while self._clock.now() + STEP < FAULT:
            self._engine.run_until_quiet()
            self._tick()

    def play(self) -> None:
        """Go on to the end. Raises TimeoutError when the story does not come to its end."""
        for _ in range(_LONGEST):
            self._engine.run_until_quiet()
            while self._people():
                self._engine.run_until_quiet()
            if self._is_over():
                return
            self._tick()
        raise TimeoutError("the story does not end")

    def close(self) -> None:
        """Give the database back."""
        self.store.close()

    def state(self) -> IncidentState | None:
        """Return the incident, None before there is one."""
        with self.store.reading() as view:
            return cases.load(view, 1) if find(view.connection) else None

    def _tick(self) -> None:
        _keep_time(self.scene, self._clock.advance(STEP))

    def _is_over(self) -> bool:
        with self.store.reading() as view:
            return any(not row.is_open for row in find(view.connection))

    def _people(self) -> bool:
        """Do what a person would do now; tell whether there was anything to do."""
        state = self.state()
        if state is None or not state.is_open:
            return False
        if state.acknowledged_at is None:
            return self._say("acknowledge", lambda: incident.acknowledge(self._alice, incident.ById(incident=1)))
        if state.verification is not None and state.verification.passed_at is not None:
            return self._say("resolve", lambda: incident.resolve(self._alice, incident.Resolve(incident=1)))
        if state.proposal is not None and state.proposal.plan is not None:
            return self._decide(state.actions[state.proposal.plan.id])
        return False

    def _decide(self, action: Action) -> bool:
        plan = action.plan
        if action.state is ActionState.PROPOSED:
            request = mitigation.ApprovePlan(incident=1, plan=plan.id, digest=plan.digest)
            return self._say("approve", lambda: mitigation.approve_plan(self._alice, request))
        if action.state is ActionState.UNKNOWN and not self.scene.ran.exists():
            # Nobody knows whether it ran; a person has looked, it has not, and does it by hand.
            self.scene.ran.write_text("by hand\n", encoding="utf-8")
            written = incident.Note(incident=1, text="it had not run: done by hand")
            return self._say("note", lambda: incident.add_note(self._alice, written))
        return False

    def _say(self, word: str, act: Callable[[], object]) -> bool:
        """Act, and keep on disk that it was answered."""
        act()
        descriptor = os.open(self.scene.said, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
        os.write(descriptor, f"{word}\n".encode())
        os.close(descriptor)
        return True


def _time_of(scene: Scene) -> datetime:
    return datetime.fromisoformat(scene.time.read_text(encoding="utf-8")) if scene.time.exists() else START


def _keep_time(scene: Scene, now: datetime) -> None:
    fresh = scene.time.with_suffix(".new")
    fresh.write_text(now.isoformat(), encoding="utf-8")
    fresh.replace(scene.time)
