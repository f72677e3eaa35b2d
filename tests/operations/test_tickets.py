"""Action items and their tickets: made once, and each follows the other, on both databases and with both trackers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from stanch.app.world import DUTIES
from stanch.catalog.trackers import TrackerSpec, tracker_for
from stanch.engine import tickets
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.actor import ActorKind
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid, Refused
from stanch.kernel.event import Event
from stanch.operations.items import ItemView
from stanch.operations.world import World
from stanch.ports.ticketing import Said
from stanch.review.items.tables import ItemProjector
from stanch.review.tickets.tables import read_tickets
from stanch.store import Store
from tests.integrations.trackers.far import Far, far_end
from tests.integrations.trackers.test_contract import DRAFT
from tests.operations.desk import AGENT, Desk
from tests.support.farend import Reply


@dataclass(frozen=True)
class Bench:
    """A desk whose items have tickets in a far end."""

    desk: Desk
    far: Far
    number: int

    def ask(self, name: str, **body: Any) -> ItemView:
        """Ask an operation on the incident's items."""
        answer = self.desk.ask(f"item.{name}", incident=self.number, **body)
        assert isinstance(answer, ItemView)
        return answer

    def item(self, number: int = 1) -> ItemView:
        """Return an item as the list shows it."""
        answer = self.desk.ask("item.list", incident=self.number)
        assert isinstance(answer, tuple)
        return next(one for one in answer if isinstance(one, ItemView) and one.number == number)

    def work(self, **length: float) -> None:
        """Let time pass, ten seconds at a time or what `length` says, and the engine do what is due."""
        self.desk.pass_time(**(length or {"seconds": 0.1}))
        self.desk.work()

    def poll(self) -> None:
        """Let the tracker be read."""
        self.work(minutes=2)

    def events(self, kind: type) -> list[Event]:
        """Return the incident's events of a kind."""
        return [one for one in self.desk.log(self.number) if one.kind == kind.kind]  # type: ignore[attr-defined]

    def shown(self) -> tuple[str, str, str, str]:
        """Return what the first ticket shows."""
        return self.far.shown()


@pytest.fixture(params=["github", "jira"])
def bench(request: pytest.FixtureRequest, database_url: str, clock: ManualClock) -> Iterator[Bench]:
    """Give a bench with each tracker."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(), ItemProjector()))
    desk = Desk.open(store, clock)
    with far_end(request.param, now=clock.now) as far:
        world = with_tracker(desk.world, far)
        with store.writing() as tx:
            for timer in tickets.first_timers(world):
                tx.schedule(timer)
        desk = replace(desk, world=world)
        number = desk.declare()
        desk.ask("incident.resolve", incident=number, force_reason="a test")
        desk.work()
        yield Bench(desk=desk, far=far, number=number)
    store.close()


def with_tracker(world: World, far: Far, **more: Any) -> World:
    """Return a world with a tracker."""
    spec = TrackerSpec(name=far.kind, kind=far.kind, project=far.project, people=dict(far.people), **more)
    catalog = replace(world.catalog, trackers={far.kind: spec})
    return replace(world, catalog=catalog, ticketing={far.kind: far.tracker()})


def test_an_item_has_a_ticket_and_its_link(bench: Bench) -> None:
    """It is made once, and the log says which it is."""
    bench.ask("add", title="Test guest checkout", owner="bob", due_on="2026-12-01")
    waits = bench.item().tracking
    for _ in range(3):
        bench.work()
    linked = bench.item()

    assert (
        f"on its way to {bench.far.kind}",
        ("Test guest checkout", "octo-bob", "2026-12-01", "open"),
        1,
        1,
        "",
        True,
    ) == (
        waits,
        bench.shown(),
        bench.far.made(),
        len(bench.events(ev.ItemLinked)),
        linked.tracking,
        linked.url.startswith("http"),
    )


def test_an_answer_that_was_lost_makes_no_second_ticket(bench: Bench) -> None:
    """The first is found and linked."""
    bench.far.loses = 1
    bench.ask("add", title="Test guest checkout")
    bench.work()
    linked_at_once = bool(bench.item().reference)
    bench.work(seconds=30)

    assert (False, 1, True) == (linked_at_once, bench.far.made(), bool(bench.item().reference))


def test_a_mark_that_was_guessed_takes_no_item(bench: Bench) -> None:
    """Which incident and item it is of is no secret; the rest of the mark is, and differs from item to item."""
    bench.ask("add", title="Test guest checkout")
    bench.ask("add", title="Limit the pool")
    bench.work()
    with bench.desk.world.store.reading() as view:
        rows = read_tickets(view.connection, [bench.number])
    keys = {row.key for row in rows.values()}

    assert ([32, 32], 2) == ([len(key) for key in keys], len(keys))


def test_a_ticket_that_is_ordered_twice_is_looked_for(bench: Bench) -> None:
    """Its answer was lost, and somebody asks for it by hand: the one that stands there is linked."""
    bench.far.loses = 1
    bench.ask("add", title="Test guest checkout")
    bench.work()
    bench.ask("link", number=1)
    for _ in range(12):
        bench.work(seconds=10)

    assert (1, True) == (bench.far.made(), bool(bench.item().reference))


def test_a_tracker_that_is_behind_makes_no_second_ticket(bench: Bench) -> None:
    """While its search does not show what it took, none is made; when it does, the first is linked."""
    bench.far.loses, bench.far.behind = 1, True
    bench.ask("add", title="Test guest checkout")
    bench.work()
    for _ in range(4):
        bench.work(seconds=10)
    waiting = bench.item()
    bench.far.behind = False
    bench.work(seconds=10)

    assert (1, True, True) == (
        bench.far.made(),
        "its answer was lost" in waiting.tracking,
        bool(bench.item().reference),
    )


def test_a_ticket_that_was_never_made_is_made_after_a_while(bench: Bench) -> None:
    """The answer was lost before it was taken."""
    bench.far.answers = [Reply(status=504, body="gateway time-out")]
    bench.ask("add", title="Test guest checkout")
    for _ in range(12):
        bench.work(seconds=10)

    assert (1, True) == (bench.far.made(), bool(bench.item().reference))


def test_a_ticket_is_found_though_its_node_died_before_the_link(bench: Bench) -> None:
    """What the item says by then, the ticket says after it."""
    bench.ask("add", title="Test guest checkout")
    world = bench.desk.world
    claimed = world.store.claim_timers(kinds=(tickets.TICKET,), node="n0", lease=tickets.SETTLES / 60, limit=1)
    tickets.keep_ticket(claimed[0], world)  # Made, and its effect is never applied.
    bench.ask("change", number=1, title="Test it well", owner="alice")
    for _ in range(4):
        bench.work(seconds=20)

    assert (1, ("Test it well", "octo-alice", "", "open")) == (bench.far.made(), bench.shown())


def test_what_changes_here_changes_there(bench: Bench) -> None:
    """Title, owner and day; done, and opened again."""
    bench.ask("add", title="Test guest checkout", owner="bob")
    bench.work()
    bench.ask("change", number=1, title="Test it well", owner="alice", due_on="2026-12-09")
    bench.work()
    changed = bench.shown()
    bench.ask("done", number=1)
    bench.work()
    ended = bench.shown()[3]
    bench.ask("reopen", number=1)
    bench.work()

    assert (("Test it well", "octo-alice", "2026-12-09", "open"), "done", "open", []) == (
        changed,
        ended,
        bench.shown()[3],
        bench.far.wrong,
    )


def test_what_is_dropped_here_is_dropped_there(bench: Bench) -> None:
    """Which is told from done."""
    bench.ask("add", title="Test guest checkout")
    bench.work()
    bench.ask("drop", number=1, note="the service is retired")
    bench.work()

    assert "dropped" == bench.shown()[3]


def test_closed_there_is_done_here_with_who_and_when(bench: Bench) -> None:
    """Who is the person that the account belongs to; when is when they did it."""
    bench.ask("add", title="Test guest checkout")
    bench.work()
    bench.far.edit(1, by="octo-bob", state="done")
    closed_at = bench.desk.clock.now()
    bench.poll()
    [ended] = bench.events(ev.ItemEnded)

    assert ("done", ("bob", ActorKind.PERSON), 0, f"closed in {bench.item().reference}") == (
        bench.item().status,
        (ended.actor.id, ended.actor.kind),
        (ended.at - closed_at).seconds,
        bench.item().note,
    )


def test_opened_again_there_is_open_here(bench: Bench) -> None:
    """An account of nobody here is on record as itself."""
    bench.ask("add", title="Test guest checkout")
    bench.work()
    bench.far.edit(1, by="octo-carol", state="dropped")
    bench.poll()
    dropped = bench.item().status
    bench.far.edit(1, by="octo-carol", state="open")
    bench.poll()
    actor = bench.events(ev.ItemEnded)[-1].actor

    assert ("dropped", "open", ActorKind.INTEGRATION, f"{bench.far.kind}:octo-carol") == (
        dropped,
        bench.item().status,
        actor.kind,
        actor.id,
    )


def test_what_changes_there_changes_here(bench: Bench) -> None:
    """Title, assignee and day, in one entry of the log."""
    bench.ask("add", title="Test guest checkout", owner="bob", due_on="2026-12-01")
    bench.work()
    bench.far.edit(1, by="octo-alice", title="Test it  well", owner="octo-alice", due="2026-12-09")
    bench.poll()
    item = bench.item()

    assert (("Test it well", "alice", date(2026, 12, 9)), 1) == (
        (item.title, item.owner, item.due_on),
        len(bench.events(ev.ItemChanged)),
    )


def test_nothing_goes_back_and_forth(bench: Bench) -> None:
    """What one side took over from the other is nobody's change."""
    bench.ask("add", title="Test guest checkout", owner="bob")
    bench.work()
    bench.far.edit(1, by="octo-alice", title="Test it  well", owner="octo-carol")
    for _ in range(4):
        bench.poll()
    writes = [one.method for one in bench.far.site.asked if one.method in ("PATCH", "PUT")]

    assert ([], 1, "bob") == (writes, len(bench.events(ev.ItemChanged)), bench.item().owner)


def test_what_changed_on_both_sides_stays_as_it_is_here(bench: Bench) -> None:
    """Part by part: what changed only there is taken over."""
    bench.ask("add", title="Test guest checkout", owner="bob")
    bench.work()
    bench.far.edit(1, by="octo-alice", title="Theirs", owner="octo-alice")
    bench.ask("change", number=1, title="Ours")
    bench.work()

    assert (("Ours", "octo-alice", "", "open"), ("Ours", "alice")) == (
        bench.shown(),
        (bench.item().title, bench.item().owner),
    )


def test_a_secret_in_a_title_there_does_not_come_in(bench: Bench) -> None:
    """What enters is clean, whichever door it takes."""
    bench.ask("add", title="Test guest checkout")
    bench.work()
    bench.far.edit(1, by="octo-alice", title="Use ghp_0123456789abcdefghijABCDEFGHIJ999999")
    bench.poll()

    assert (False, True) == ("ghp_0123" in bench.item().title, bench.item().title.startswith("Use "))


def test_a_tracker_that_refuses_is_shown_and_asked_again(bench: Bench) -> None:
    """The item itself is there all the while."""
    bench.far.answers = [Reply(status=404, body="Not Found")]
    bench.ask("add", title="Test guest checkout")
    bench.work()
    trouble = bench.item().tracking
    bench.work(minutes=61)
    bench.work(minutes=2)

    assert (True, 1, "") == ("404" in trouble, bench.far.made(), bench.item().tracking)


def test_a_ticket_that_is_there_is_linked_as_it_is(bench: Bench) -> None:
    """Neither side follows what the other said before, only what is said after."""
    bench.ask("add", title="One")
    bench.work()
    reference = bench.item().reference
    world = with_tracker(bench.desk.world, bench.far, automatic=False)
    by_hand = replace(bench, desk=replace(bench.desk, world=world))
    by_hand.ask("add", title="Two")
    by_hand.work()
    with pytest.raises(Refused):
        by_hand.ask("link", number=2, reference=reference)
    bench.far.tracker().create(replace(DRAFT, mark="stanch-other-inc-1-1", said=Said(title="Theirs")))
    linked = by_hand.ask("link", number=2, reference=reference.replace("1", "2"))
    by_hand.work()
    shown_before = bench.far.shown(2)[0]
    by_hand.ask("done", number=2)
    by_hand.work()

    assert (reference.replace("1", "2"), "Theirs", "done") == (linked.reference, shown_before, bench.far.shown(2)[3])


@pytest.mark.parametrize("reference", ["no ticket", "other/repository#1", "{project}#999", "{project}-999"])
def test_a_ticket_that_there_is_not_is_what_was_said_wrong(bench: Bench, reference: str) -> None:
    """Nothing outside failed: whoever said it says it again."""
    bench.ask("add", title="Test guest checkout")
    with pytest.raises(Invalid) as caught:
        bench.ask("link", number=1, reference=reference.format(project=bench.far.project))

    assert ["reference"] == [one.field for one in caught.value.problems]


def test_an_agent_takes_no_ticket_that_is_there(bench: Bench) -> None:
    """It could close any of the project by way of an item; it may order one."""
    with pytest.raises(Refused) as refused:
        bench.desk.ask("item.link", by=AGENT, incident=bench.number, number=1, reference="#7")

    assert "linking_needs_a_person" == refused.value.reason


def test_items_of_before_are_linked_by_hand(bench: Bench) -> None:
    """Where a tracker does not want every item, one that is asked for has a ticket."""
    world = with_tracker(bench.desk.world, bench.far, automatic=False)
    by_hand = replace(bench, desk=replace(bench.desk, world=world))
    by_hand.ask("add", title="Test guest checkout")
    by_hand.work()
    before = bench.far.made()
    by_hand.ask("link", number=1)
    by_hand.work()

    assert (0, 1, True) == (before, bench.far.made(), bool(by_hand.item().reference))


def test_a_reminder_outlives_the_end_of_its_incident(bench: Bench) -> None:
    """Of an item that was written down while it lasted."""
    number = bench.desk.declare(title="Search fails")
    bench.desk.ask("item.add", incident=number, title="Test it", owner="bob", due_on="2026-12-01")
    bench.desk.ask("incident.resolve", incident=number, force_reason="a test")
    bench.desk.pass_time(days=9)
    Engine(bench.desk.world, DUTIES).run_until_quiet(rounds=50)

    assert 1 == bench.desk.kinds(number).count("item.reminded")


@pytest.mark.parametrize(
    ("services", "teams", "name"),
    [({"payments"}, {"money"}, "service"), ({"ledger"}, {"money"}, "team"), ({"search"}, set(), "all")],
)
def test_an_item_belongs_to_the_tracker_that_names_it_closest(services: set[str], teams: set[str], name: str) -> None:
    """A service before a team before all."""
    found = tracker_for(
        {
            "all": TrackerSpec(name="all"),
            "team": TrackerSpec(name="team", teams=("money",)),
            "service": TrackerSpec(name="service", services=("payments",)),
        },
        services=services,
        teams=teams,
    )

    assert found is not None
    assert name == found.name
