"""A desk for operations on on-call: three people, a schedule and its backup, a clock moved by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stanch.app.world import PROJECTORS
from stanch.catalog.model import Catalog
from stanch.kernel.actor import Actor, Via, person
from stanch.kernel.clock import ManualClock
from stanch.operations import registry
from stanch.operations.all import all_operations
from stanch.operations.world import Call, World
from stanch.ports.calendars import Calendars
from stanch.store import Store
from tests.oncall.rota import catalog_of, utc

START: Final = utc("2026-11-21T14:30")
ALICE, BOB, CAROL = (person(name, name=name.title()) for name in ("alice", "bob", "carol"))
OPERATIONS: Final = all_operations()

SHOP: Final = """
[services.checkout]
policy = "checkout"
[services.search]
[oncall.schedules.shop]
secondary = "backup"
layers = [{name = "week", people = ["alice", "bob", "carol"], start = "2026-01-05"}]
[oncall.schedules.backup]
layers = [{name = "week", people = ["bob", "carol", "alice"], start = "2026-01-05"}]
[oncall.policies.checkout]
steps = [{targets = ["schedule:shop"], wait_s = "5m"}, {targets = ["schedule:backup"]}]
fallback = ["team:commerce"]
"""


class ShiftDesk:
    """A world and the way to ask it."""

    def __init__(self, store: Store, clock: ManualClock, catalog: Catalog, calendars: Calendars | None) -> None:
        self.clock = clock
        self.world = World(store=store, clock=clock, catalog=catalog, calendars=calendars, url="http://stanch.example")

    def ask(self, name: str, *, by: Actor = ALICE, via: Via = Via.CLI, **body: object) -> object:
        """Ask the operation `name` as a surface does."""
        entry = OPERATIONS[name]
        return registry.call(entry, Call(world=self.world, actor=by, via=via), registry.decode(entry, body))


@contextmanager
def shift_desk(database: str, *, text: str = SHOP, calendars: Calendars | None = None) -> Iterator[ShiftDesk]:
    """Open a desk on a database, on a Saturday in alice's week."""
    clock = ManualClock(START)
    store = Store.open(database, clock=clock, projectors=PROJECTORS)
    try:
        yield ShiftDesk(store, clock, catalog_of(text), calendars)
    finally:
        store.close()
