"""The projections hold nothing that is not in the log."""

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.tables import find
from tests.operations.desk import PLAN, Desk


def live(desk: Desk) -> None:
    """Let five incidents have every kind of life."""
    resolved, reopened, dismissed, merged, running = (desk.declare(f"Number {n}") for n in range(1, 6))
    for number in (resolved, reopened):
        desk.ask("incident.acknowledge", incident=number)
        desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.ask("incident.reopen", incident=reopened, reason="errors are back")
    desk.ask("incident.dismiss", incident=dismissed, reason="a load test")
    desk.ask("incident.dismiss", incident=merged, reason="same", merged_into=running)
    desk.ask("incident.severity", incident=running, severity="SEV1", reason="payments lost")
    desk.ask("incident.status", incident=running, status="mitigating")
    desk.diagnose(running)
    digest = desk.state(running).actions[PLAN].plan.digest
    desk.ask("mitigation.approve", incident=running, plan=PLAN, digest=digest)
    desk.work()


def test_a_rebuild_equals_what_was_there(desk: Desk) -> None:
    """Computed again from the log, every projection is what it was."""
    live(desk)
    before = desk.world.store.dump_projections()
    desk.world.store.rebuild()

    assert before == desk.world.store.dump_projections()


def test_a_list_says_what_the_logs_say(desk: Desk) -> None:
    """The row of an incident agrees with the state that its events add up to."""
    live(desk)
    with desk.world.store.reading() as view:
        rows = find(view.connection)
    states = [desk.state(row.number) for row in rows]

    assert [(one.number, one.status, one.ruling.severity, one.resolved_at) for one in states] == [
        (row.number, row.status, row.severity, row.resolved_at) for row in rows
    ]


def test_acknowledged_is_listed(desk: Desk) -> None:
    """Somebody has taken it on: a list shows that too."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number)
    with desk.world.store.reading() as view:
        (row,) = find(view.connection)

    assert Status.ACKNOWLEDGED is row.status


def test_a_late_acknowledgement_undoes_no_status(desk: Desk) -> None:
    """What has moved on stays there when somebody acknowledges afterwards."""
    number = desk.declare()
    desk.tell(number, ev.StatusChanged(status=Status.INVESTIGATING, reason="a test"))
    desk.ask("incident.acknowledge", incident=number)
    with desk.world.store.reading() as view:
        (row,) = find(view.connection)

    assert (Status.INVESTIGATING, Status.INVESTIGATING) == (row.status, desk.state(number).status)
