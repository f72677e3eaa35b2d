"""Reminds of action items: before they are due, on the day, and every week until they are done."""

from stanch.engine.loop import Effect
from stanch.incidents import events as ev
from stanch.kernel.errors import Bug
from stanch.operations import cases
from stanch.operations.announcing import announce
from stanch.operations.items import schedule_reminder, view_of
from stanch.operations.world import World
from stanch.review.items.tables import find_items
from stanch.store import Transaction
from stanch.store.model import Timer

_SOON_DAYS = 3


def remind(timer: Timer, world: World) -> Effect:
    """Say in the responders' rooms what is due soon or overdue, with who owes it."""
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    number = timer.incident

    def effect(tx: Transaction) -> None:
        now = world.clock.now()
        state = cases.load(tx, number, lock=True)
        views = [view_of(one, world, now=now) for one in find_items(tx.connection, incident=number, open_only=True)]
        due = [one for one in views if one.due_on and (one.due_on - now.date()).days <= _SOON_DAYS]
        if due:
            lines = tuple(
                f"{one.number}. {one.title}: {one.owner or 'nobody has it'}, "
                + (f"{one.overdue_days} days overdue" if one.overdue_days else f"due {one.due_on}")
                for one in due
            )
            announce(tx, world, state, purpose="action_items", more={"items": lines})
            record = ev.ItemsReminded(numbers=tuple(one.number for one in due), due_at=timer.due_at)
            cases.record(tx, number, record, stream=ev.items_stream(number))
        schedule_reminder(tx, world, number)

    return effect
