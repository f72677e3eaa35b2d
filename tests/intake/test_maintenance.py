"""Alerts from outside in a maintenance window: no incident and no notification, the reason, and what comes after."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stanch.alerts.intake.listing import view_at
from stanch.alerts.intake.quiet import quiet_at
from stanch.alerts.intake.subject import LedTo
from stanch.kernel.actor import Via, person
from stanch.operations.board.listing import ListAlerts, list_alerts
from stanch.operations.maintenance import CreateWindow, OneWindow, create, end
from stanch.operations.world import Call
from tests.intake.outside import Outside, outside


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a shop that alerts come into."""
    with outside(database_url) as found:
        yield found


def by(world: Outside) -> Call:
    """Return the call of alice."""
    return Call(world=world.world, actor=person("alice"), via=Via.CLI)


def upgrade(world: Outside, **wanted: object) -> None:
    """Put a window of three minutes over payments."""
    given: dict[str, object] = {"name": "upgrade", "services": ("payments",), "lasts": "3m"} | wanted
    create(by(world), CreateWindow(**given))  # type: ignore[arg-type]  # the fields of the record


def test_nothing_is_declared_and_the_reason_is_kept(world: Outside) -> None:
    """While the window holds a severe alert leads to nothing, and says why and until when."""
    upgrade(world)
    alert = world.post(severity="critical", service="payments")
    led = world.led(alert)

    assert ([], LedTo.MAINTENANCE, "in maintenance upgrade until 2026-11-21 14:33 UTC") == (
        world.incidents(),
        led and led.outcome,
        led and led.detail,
    )


def test_it_declares_when_the_window_ends(world: Outside) -> None:
    """If it still fires at the end of the window, it is an incident then."""
    upgrade(world)
    alert = world.post(severity="critical", service="payments")
    for _ in range(7):
        world.later(seconds=30)
    led = world.led(alert)

    assert (1, LedTo.DECLARED) == (len(world.incidents()), led and led.outcome)


def test_it_declares_when_the_window_is_ended_early(world: Outside) -> None:
    """Ended by somebody, the window holds nothing back any more."""
    upgrade(world)
    world.post(severity="critical", service="payments")
    end(by(world), OneWindow(name="upgrade"))
    world.later(seconds=31)

    assert 1 == len(world.incidents())


def test_other_services_are_not_covered(world: Outside) -> None:
    """An alert about another service is an incident."""
    upgrade(world)
    world.post(severity="critical", service="search")

    assert 1 == len(world.incidents())


def test_groups_are_not_notified_about_it(world: Outside) -> None:
    """What routes and receivers see is quiet in the window, and loud after it."""
    upgrade(world)
    labels = {"service": "payments", "severity": "critical"}
    with world.store.reading() as view:
        now = quiet_at(view.connection, world.intake.routing, world.clock.now())
        later = quiet_at(view.connection, world.intake.routing, world.clock.now() + timedelta(minutes=4))

    assert (True, False) == (now.in_maintenance(labels) is not None, later.in_maintenance(labels) is not None)


def test_the_api_says_that_it_is_muted(world: Outside) -> None:
    """Readers of the v2 API see that it is suppressed, and by what."""
    upgrade(world)
    world.post(severity="critical", service="payments")
    with world.store.reading() as view:
        [shown] = view_at(view.connection, world.intake.routing, world.clock.now()).alerts

    assert (True, ("upgrade",)) == (shown.is_suppressed, shown.muted_by)


def test_the_list_of_alerts_says_so(world: Outside) -> None:
    """On the list of alerts it stands as suppressed with the window as the reason."""
    upgrade(world, why="PostgreSQL 17")
    world.post(severity="critical", service="payments")
    [row] = list_alerts(by(world), ListAlerts()).alerts

    assert ("suppressed", ("in maintenance upgrade until 2026-11-21 14:33 UTC (PostgreSQL 17)",)) == (
        row.state.value,
        row.quiet,
    )
