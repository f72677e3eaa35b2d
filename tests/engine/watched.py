"""A world whose catalog is written as people write it, and whose samplers say what a test tells them."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from stanch.alerts.model import Alert
from stanch.alerts.tables import find_alerts
from stanch.app.wiring import DUTIES
from stanch.catalog.load import read_catalog
from stanch.engine.loop import Engine
from stanch.engine.watch import schedule_watches
from stanch.incidents.tables import find
from stanch.kernel.clock import ManualClock
from stanch.kernel.event import JSON
from stanch.operations import cases
from stanch.operations.maintenance import follow_catalog
from stanch.operations.world import World
from stanch.ports.sampler import Look, Sample

Found = tuple[str, float, tuple[tuple[str, str], ...], str]


@dataclass
class Told:
    """A sampler that says what it was told last: samples as (metric, value, labels, note), or trouble."""

    kind: str = "told"
    samples: list[Found] = field(default_factory=list)
    trouble: str = ""

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Return what it was told."""
        return Look(
            samples=tuple(
                Sample(service=service, metric=metric, value=value, at=now, labels=labels, note=note)
                for metric, value, labels, note in self.samples
            ),
            trouble=self.trouble,
        )


@dataclass
class Watch:
    """A world that is watched, one sampler for every check."""

    world: World
    clock: ManualClock
    samplers: dict[str, Told]

    @classmethod
    def over(cls, world: World, clock: ManualClock, text: str) -> "Watch":
        """Return the world with the catalog of `text`; samplers by the name of their check."""
        catalog = read_catalog(tomllib.loads(text), root=Path("/srv"))
        checks = [check for service in catalog.services.values() for check in service.checks]
        told = {check.reader: Told() for check in checks}
        world = replace(world, catalog=catalog, samplers=dict(told))
        with world.store.writing() as tx:
            follow_catalog(tx, world)
            schedule_watches(tx, world)
        return cls(world=world, clock=clock, samplers={check.name: told[check.reader] for check in checks})

    def say(self, name: str, *samples: Found, trouble: str = "") -> None:
        """Let the check `name` see this from now on."""
        self.samplers[name].samples = list(samples)
        self.samplers[name].trouble = trouble

    def run(self, seconds: float, *, step: float = 5.0) -> None:
        """Let seconds pass, doing what is due after each step."""
        kinds = ("watch", "hold", "follow")
        engine = Engine(self.world, {kind: DUTIES[kind] for kind in kinds})
        for _ in range(round(seconds / step)):
            self.clock.advance(timedelta(seconds=step))
            engine.run_until_quiet()

    def alerts(self, *, firing: bool = True) -> list[Alert]:
        """Return the alerts, the newest first."""
        with self.world.store.reading() as view:
            return find_alerts(view.connection, firing_only=firing)

    def incidents(self) -> Iterator[str]:
        """Yield the titles of the incidents."""
        with self.world.store.reading() as view:
            for row in find(view.connection):
                yield row.title

    def rulings(self) -> list[str]:
        """Return severity and rule of each incident."""
        with self.world.store.reading() as view:
            numbers = [row.number for row in find(view.connection)]
        with self.world.store.writing() as tx:
            found = [cases.load(tx, number).ruling for number in numbers]
        return [f"{ruling.severity.name} {ruling.rule}" for ruling in found]


def check(value: float, note: str = "", **labels: str) -> Found:
    """Return what a check says: 1 when all is well."""
    return ("check", value, tuple(sorted(labels.items())), note)


def series(value: float, **labels: str) -> Found:
    """Return one series of a rule."""
    return ("rule", value, tuple(sorted(labels.items())), "")
