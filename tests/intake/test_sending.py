"""Many notifications to a receiver that hangs: few are in memory, none is lost, and none is told twice."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from stanch.alerts.intake.config import read_routing
from stanch.catalog.model import Catalog
from stanch.engine.intake import Intake
from stanch.engine.intake.sending import _MOST_WAITING
from stanch.operations.world import World
from stanch.ports.notifier import Notice
from stanch.store import Store
from stanch.surfaces.http.alertmanager.posted import read_alerts

ROUTING = """
route: {receiver: slow, group_by: [alertname], group_wait: 0s, group_interval: 10m, repeat_interval: 4h}
receivers: [{name: slow, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]
"""
GROUPS = _MOST_WAITING + 200


class Hanging:
    """A receiver that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.told: list[str] = []

    def notify(self, notice: Notice) -> str:
        """Take a notice, at some time."""
        assert self.go.wait(60)
        self.told.append(notice.id)
        return "taken"

    def close(self) -> None:
        """Nothing is kept open."""


@contextmanager
def running(where: str, receiver: Hanging) -> Iterator[Intake]:
    """Run an intake in its own threads that tells `receiver`."""
    store = Store.open(where)
    world = World(store=store, clock=store.clock, catalog=Catalog(), node="n1")
    world.routing.now = read_routing(ROUTING, kinds={"webhook": lambda settings: None})
    intake = Intake(world, makers={"webhook": lambda one: receiver})
    intake.start()
    try:
        yield intake
    finally:
        receiver.go.set()
        intake.stop()
        store.close()


def post(intake: Intake, count: int) -> None:
    """Post alerts that are a group each."""
    body = msgspec.json.encode([{"labels": {"alertname": f"a{number}"}} for number in range(count)])
    received, problems = read_alerts(body, now=intake.world.clock.now(), resolve_timeout=intake.routing.resolve_timeout)
    assert not problems
    intake.receive_now(received)


def test_a_receiver_that_hangs(sqlite_url: str) -> None:
    """No more than some hundred notifications are held in memory for it; when it wakes up it is told each once."""
    receiver = Hanging()
    with running(sqlite_url, receiver) as intake:
        post(intake, GROUPS)
        held = _MOST_WAITING - intake._sender.room()
        receiver.go.set()
        deadline = time.monotonic() + 60
        while len(receiver.told) < GROUPS and time.monotonic() < deadline:
            threading.Event().wait(0.05)

        assert (True, GROUPS, {1}) == (
            held <= _MOST_WAITING,
            len(receiver.told),
            set(Counter(receiver.told).values()),
        )
