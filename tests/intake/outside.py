"""A world that alerts come into from outside, on a clock that is moved by hand."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from stanch.alerts.intake.led.tables import Led, led_of
from stanch.alerts.intake.subject import check_matchers
from stanch.app.wiring import SIGNAL_SOURCES
from stanch.catalog.alerting import Alerting
from stanch.catalog.model import Catalog, Service, SourceSpec
from stanch.engine.follow import follow
from stanch.engine.intake import Intake
from stanch.engine.loop import Engine
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import IncidentProjector, find
from stanch.kernel.clock import ManualClock
from stanch.operations import cases
from stanch.operations.silencing import save_silence
from stanch.operations.world import World
from stanch.store import Store
from stanch.surfaces.http.alertmanager.posted import read_alerts, read_silence

BEGAN: Final = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SHOP: Final = Catalog(
    services={
        "gateway": Service(name="gateway", tier=1, depends_on=("payments",)),
        "payments": Service(name="payments", tier=1),
        "search": Service(name="search", tier=3),
    }
)


class Outside:
    """What comes in, and what came of it."""

    def __init__(self, where: str, catalog: Catalog) -> None:
        check_matchers(catalog)
        self.clock = ManualClock(BEGAN)
        self.store = Store.open(where, clock=self.clock, projectors=(IncidentProjector(),))
        self.world = World(
            store=self.store,
            clock=self.clock,
            catalog=catalog,
            node="n1",
            signal_sources={kind: make(SourceSpec(name=kind, kind=kind)) for kind, make in SIGNAL_SOURCES.items()},
        )
        self.intake = Intake(self.world, makers={})
        self.intake.prepare()
        self.engine = Engine(self.world, {"follow": follow})

    def post(self, name: str = "Down", *, end: datetime | None = None, note: str = "", **labels: str) -> int:
        """Post one alert to the v2 API, follow what came in, and return the alert's number."""
        alert = {"labels": {"alertname": name, **labels}, "annotations": {"summary": note} if note else {}}
        if end is not None:
            alert |= {"startsAt": (end - timedelta(minutes=1)).isoformat(), "endsAt": end.isoformat()}
        received, problems = read_alerts(
            msgspec.json.encode([alert]),
            now=self.clock.now(),
            resolve_timeout=self.intake.routing.resolve_timeout,
            recognition=self.intake.recognition,
        )
        assert not problems
        self.intake.receive_now(received)
        self.engine.run_until_quiet()
        return self.last()

    def silence(self, matchers: Mapping[str, str], *, minutes: int) -> None:
        """Silence what has these labels from now on."""
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in matchers.items()],
            "startsAt": self.clock.now().isoformat(),
            "endsAt": (self.clock.now() + timedelta(minutes=minutes)).isoformat(),
            "createdBy": "alice",
            "comment": "being replaced",
        }
        save(self.world, msgspec.json.encode(body), self.clock.now())

    def later(self, **length: float) -> None:
        """Let time pass, and do what is due."""
        self.clock.advance(timedelta(**length))
        self.engine.run_until_quiet()

    def last(self) -> int:
        """Return the number of the alert that was stored last."""
        with self.store.reading() as view:
            return int(view.connection.exec_driver_sql("SELECT max(id) FROM intake_alerts").scalar_one())

    def led(self, alert: int) -> Led | None:
        """Return what an alert led to."""
        with self.store.reading() as view:
            return led_of(view.connection, alert)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def incidents(self) -> list[IncidentState]:
        """Return every incident."""
        with self.store.reading() as view:
            numbers = sorted(row.number for row in find(view.connection, open_only=False))
            return [cases.load(view, number) for number in numbers]


def save(world: World, body: bytes, now: datetime) -> None:
    """Put a silence as it is posted."""
    save_silence(world, read_silence(body, now=now))


def with_rules(catalog: Catalog = SHOP, **rules: object) -> Catalog:
    """Return a catalog with other rules for alerts from outside."""
    return replace(catalog, alerting=Alerting(**rules))  # type: ignore[arg-type]  # the fields of the record


@contextmanager
def outside(where: str, catalog: Catalog = SHOP) -> Iterator[Outside]:
    """Give a world into which alerts come."""
    with closing(Outside(where, catalog)) as world:
        yield world
