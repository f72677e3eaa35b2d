"""Ways in which a page could get lost, be doubled or be answered for nothing, each closed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select, update

from stanch.app.world import DUTIES
from stanch.catalog.model import Person
from stanch.catalog.oncall import Layer, OnCall, Policy, Schedule, Step
from stanch.engine.escalate import escalate_due
from stanch.engine.loop import Engine
from stanch.engine.page import begin, claim, finish, send
from stanch.incidents.events import AlertAttached
from stanch.integrations.twilio import TwilioPager
from stanch.integrations.twilio.callbacks import signature
from stanch.kernel.errors import Invalid
from stanch.oncall.escalation.model import NoticeState, PageStatus
from stanch.oncall.pages.tables import answers as used
from stanch.oncall.pages.tables import read_contacts
from stanch.operations.detection import Sign, sign_seen
from stanch.operations.oncall import answers
from stanch.ports.calendars import CalendarEvent
from stanch.ports.pager import Failure, PagerSettings
from stanch.ports.signals import Inbound
from stanch.store import timers as stored_timers
from stanch.store.model import Timer
from stanch.store.schema import deliveries, timers
from tests.oncall.paging.exchange import POLICY, START, Exchange, Provider, catalog_of, somebody

Make = Callable[..., Exchange]
NIGHT = ("22:00", "07:00")
TOKEN = "twilio-auth-token"


@pytest.fixture
def make(sqlite_url: str) -> Iterator[Make]:
    """Give what makes an exchange; it is closed at the end."""
    made: list[Exchange] = []

    def opened(*providers: Provider, **settings: object) -> Exchange:
        made.append(Exchange(sqlite_url, *providers, **settings))  # type: ignore[arg-type]  # passed through
        return made[-1]

    yield opened
    for one in made:
        one.close()


def sleeper(id: str) -> Person:
    """Return somebody whose quiet hours it is at the start."""
    return replace(somebody(id), quiet_hours=NIGHT, zone="UTC")


def reply(exchange: Exchange, what: str, **form: str) -> str:
    """Let Twilio report `form`, signed, and return what it is answered."""
    exchange.world.pagers["twilio"] = TwilioPager(
        PagerSettings(name="twilio", kind="twilio", account="AC1", sender="+1", secret=TOKEN, kinds=("voice",))
    )
    url = f"{exchange.world.url}/pager/twilio/{what}"
    headers = {"x-twilio-signature": signature(TOKEN, url, list(form.items()))}
    query = {"page": "page1/n1"} if what == "status" else {}
    inbound = Inbound(body=urlencode(form).encode(), headers=headers, query=query, method="POST", path=url)
    return answers.heard(exchange.world, "twilio", inbound, url=url)[0]


def test_a_provider_that_refuses_all_does_not_use_up_the_last_resort(make: Make) -> None:
    """A day of last resorts takes a day, also when every notice is refused the moment it is handed over."""
    exchange = make(Provider(always=Failure.REFUSED))
    exchange.declare()
    exchange.after(60)

    assert exchange.page().is_paging


def test_the_last_resort_is_reached_once_the_provider_works_again(make: Make) -> None:
    """Whoever is the last resort gets the next page after the provider has been mended."""
    provider = Provider(always=Failure.REFUSED)
    exchange = make(provider)
    exchange.declare()
    provider.always = None
    exchange.after(901)

    assert exchange.people == ["carol"]


def test_a_night_of_quiet_hours_ends_with_one_page_each(make: Make) -> None:
    """What quiet hours hold back comes once when they end, however often the levels were gone through."""
    crew = (sleeper("alice"), sleeper("bob"), sleeper("carol"))
    exchange = make(catalog=catalog_of(*crew))
    exchange.declare()
    exchange.after(4 * 3600 - 1, step_s=300)
    exchange.after(2)

    assert exchange.people == ["alice", "bob", "carol"]


def test_a_timer_that_never_works_does_not_end_the_loop(make: Make) -> None:
    """A timer that has failed a thousand times is put off like any other, and the pages behind it go out."""
    exchange = make()
    exchange.call("oncall.page", title="poisoned", targets=["person:bob"])
    with exchange.world.store.writing() as tx:
        broken = {"page": 1}
        tx.connection.execute(update(timers).where(timers.c.id == "page1/next").values(data=broken, attempts=5000))
    exchange.call("oncall.page", title="fine", targets=["person:alice"])
    exchange.settle()

    assert exchange.people == ["alice"]


def test_a_notice_that_cannot_be_read_does_not_hold_up_the_others(make: Make) -> None:
    """One delivery that no version understands any more is left, and those claimed with it go out."""
    exchange = make()
    exchange.call("oncall.page", title="please join", targets=["person:alice", "person:bob"])
    escalate_due(exchange.world)
    with exchange.world.store.writing() as tx:
        tx.connection.execute(update(deliveries).where(deliveries.c.id == "page1/n1").values(message={"id": 7}))
    exchange.engine.paging.run_due()

    assert exchange.people == ["bob"]


class BrokenCalendars:
    """Calendars whose library fails in a way of its own."""

    def events(self, text: str, *, start: datetime, end: datetime, zone: str) -> tuple[CalendarEvent, ...]:
        """Fail as no library says it does."""
        raise OverflowError("date value out of range")

    def holidays(self, place: str, *, years: Iterable[int]) -> frozenset[date]:
        """Know of none."""
        return frozenset()

    def fetch(self, url: str) -> str:
        """Fetch nothing."""
        return ""


def test_a_calendar_that_breaks_its_reader_keeps_nobody_from_being_paged(make: Make, tmp_path: Path) -> None:
    """Whoever the rotation names is paged when somebody's calendar cannot be worked out at all."""
    layer = Layer(name="week", people=("alice", "bob"), start=START.replace(tzinfo=None, hour=0))
    oncall = OnCall(schedules={"checkout": Schedule(name="checkout", zone="UTC", layers=(layer,))})
    policy = Policy(name="default", steps=(Step(targets=("schedule:checkout",)),))
    crew = (replace(somebody("alice"), calendar="holiday.ics"), somebody("bob"))
    catalog = replace(catalog_of(*crew, policy=policy, oncall=oncall), root=str(tmp_path))
    (tmp_path / "holiday.ics").write_text("BEGIN:VCALENDAR", encoding="utf-8")
    exchange = make(catalog=catalog)
    exchange.world = replace(exchange.world, calendars=BrokenCalendars())
    exchange.engine = Engine(exchange.world, DUTIES)
    exchange.declare()

    assert exchange.people == ["alice"]


def test_a_page_by_hand_does_not_stand_for_the_policy(make: Make) -> None:
    """An incident about which somebody was paged by hand is paged about by its policy once there is one."""
    exchange = make(catalog=replace(catalog_of(), oncall=OnCall()))
    exchange.declare()
    exchange.call("oncall.page", title="please look", targets=["person:bob"], incident=1)
    edited = make(node="node-2")
    edited.call("incident.severity", incident=1, severity="SEV1", reason="payments are lost")
    edited.settle()

    assert sorted([*exchange.people, *edited.people]) == ["alice", "bob"]


def test_a_rising_severity_pages_without_a_policy_in_the_configuration(make: Make) -> None:
    """When the policy is gone from the configuration, the one that was frozen is begun again for the worse severity."""
    exchange = make()
    exchange.declare()
    edited = make(catalog=replace(catalog_of(), oncall=OnCall()), node="node-2")
    edited.call("incident.severity", incident=1, severity="SEV1", reason="payments are lost")
    edited.settle()

    assert (edited.people, edited.page().severity) == (["alice"], 1)


def test_a_late_record_does_not_take_an_answer_back(make: Make) -> None:
    """An answer that comes before it was recorded that the notice was handed over stays in the ledger."""
    exchange = make()
    exchange.call("incident.declare", by="dora", title="it fails", services=["checkout"])
    escalate_due(exchange.world)
    ended = [send(one) for one in begin(exchange.world, claim(exchange.world, "push", limit=1))]
    token = exchange.took[0].link.rpartition("/")[2]
    answers.take(exchange.world, token, how="link")
    finish(exchange.world, ended)

    assert exchange.states() == [NoticeState.ACKNOWLEDGED]


def test_a_refusal_after_the_lease_is_not_recorded(make: Make) -> None:
    """When another node has taken a notice over, what the first one hears about it fails nothing."""
    provider = Provider(answers=[Failure.REFUSED])
    exchange = make(provider)
    exchange.call("incident.declare", by="dora", title="it fails", services=["checkout"])
    escalate_due(exchange.world)
    ended = [send(one) for one in begin(exchange.world, claim(exchange.world, "push", limit=1))]
    exchange.clock.advance(timedelta(seconds=20))
    begin(exchange.world, claim(exchange.world, "push", limit=1))
    finish(exchange.world, ended)

    assert exchange.states() == [NoticeState.COMMITTED]


def test_a_reply_takes_on_what_nobody_has(make: Make) -> None:
    """A reply without a number is about the page that is still paging, and not about a newer one that somebody has."""
    exchange = make()
    exchange.declare()
    exchange.call("incident.declare", by="dora", title="it fails too", services=["checkout"])
    exchange.settle()
    newest = exchange.pages()[0]
    exchange.call("oncall.acknowledge", by="bob", page=newest.number)
    reply(exchange, "reply", From="alice", Body="ack")

    assert exchange.page(1).status is PageStatus.ACKNOWLEDGED


def test_a_reply_finds_the_page_it_names_in_a_storm(make: Make) -> None:
    """A reply that names a page reaches it however many newer ones are open."""
    exchange = make()
    exchange.declare()
    for _ in range(101):
        exchange.call("oncall.page", title="more", targets=["person:bob"])
    reply(exchange, "reply", From="alice", Body="ack 1")

    assert exchange.page(1).acknowledged_by == "alice"


def test_a_call_that_nobody_took_is_no_bounce(make: Make) -> None:
    """Who did not pick up once can still be reached by that number."""
    exchange = make()
    exchange.call("page.test", person="alice")
    exchange.settle()
    with exchange.world.store.reading() as view:
        before = read_contacts(view.connection)
    reply(exchange, "status", CallStatus="no-answer")
    with exchange.world.store.reading() as view:
        after = read_contacts(view.connection)

    assert (exchange.states(), after) == ([NoticeState.FAILED], before)


def test_a_callback_of_too_many_fields_is_a_clear_no(make: Make) -> None:
    """A form with hundreds of fields is invalid, and no defect."""
    with pytest.raises(Invalid):
        reply(make(), "reply", **{f"f{number}": "" for number in range(300)})


def test_used_links_are_forgotten_after_their_day(make: Make) -> None:
    """Which links were used is kept for as long as any of them could be opened again, and no longer."""
    exchange = make()
    for _ in range(2):
        exchange.call("page.test", person="alice")
        exchange.settle()
        answers.take(exchange.world, exchange.took[-1].link.rpartition("/")[2], how="link")
        exchange.clock.advance(timedelta(hours=25))
    with exchange.world.store.reading() as view:
        kept = view.connection.execute(select(func.count()).select_from(used)).scalar_one()

    assert kept == 1


def test_a_raised_acknowledgement_goes_stale_by_the_new_policy(make: Make) -> None:
    """An acknowledgement under a policy without a limit has one when the severity rises to a policy that sets one."""
    exchange = make(catalog=catalog_of(policy=replace(POLICY, stale_after_s=0.0)))
    exchange.declare()
    exchange.call("incident.acknowledge", incident=1)
    edited = make(node="node-2")
    edited.call("incident.severity", by="dora", incident=1, severity="SEV1", reason="payments are lost")
    edited.settle()
    edited.after(1810, step_s=60)

    assert "page.ack_went_stale" in edited.kinds()


def test_a_new_alert_pages_again_where_paging_was_given_up(make: Make) -> None:
    """An alert that joins an open incident about which nobody answered for a day pages anew."""
    exchange = make()
    exchange.declare()
    exchange.after(26 * 3600, step_s=300)
    sign = Sign(
        service="checkout",
        about="errors",
        detail="",
        attached=AlertAttached(
            alert="x1", summary="errors", reading=None, starts_at=exchange.clock.now(), labels={"service": "checkout"}
        ),
    )
    with exchange.world.store.writing() as tx:
        sign_seen(tx, exchange.world, sign)
    exchange.settle()

    assert [(page.status, page.number) for page in exchange.pages()] == [
        (PageStatus.PAGING, 2),
        (PageStatus.ENDED, 1),
    ]


def test_a_relapse_after_watching_goes_stale_too(make: Make) -> None:
    """An acknowledgement that outlived a time of only watching goes stale when nobody acts after the relapse."""
    exchange = make()
    exchange.declare()
    exchange.call("incident.acknowledge", incident=1)
    exchange.call("incident.status", incident=1, status="monitoring")
    exchange.after(2000, step_s=100)
    exchange.call("incident.status", incident=1, status="investigating")
    exchange.after(3700, step_s=100)

    assert "page.ack_went_stale" in exchange.kinds()


def test_a_clock_set_back_does_not_hold_up_a_second_method(make: Make) -> None:
    """A notice that is due in two minutes comes in two minutes, also when the clock is set back by an hour."""
    crew = (somebody("alice", "push", "sms"), somebody("bob"), somebody("carol"))
    exchange = make(Provider(kinds=frozenset({"push", "sms"})), catalog=catalog_of(*crew))
    exchange.declare()
    exchange.clock.set(exchange.clock.now() - timedelta(hours=1))
    exchange.settle()
    exchange.after(121)

    assert [page.kind for page in exchange.took] == ["push", "sms"]


@pytest.mark.parametrize("back", [timedelta(minutes=20), timedelta(hours=3), timedelta(days=400)])
def test_a_clock_set_back_across_a_restart_holds_up_nothing(make: Make, back: timedelta) -> None:
    """The clock is set back while nothing runs here: the next level still comes after its wait, and duties too."""
    exchange = make(node="here-1")
    with exchange.world.store.writing() as tx:
        tx.schedule(Timer(id="watchdog/x", kind="watchdog", due_at=exchange.clock.now() + timedelta(minutes=1)))
    exchange.engine.run_due()
    exchange.declare()
    exchange.engine.run_due()
    exchange.clock.advance(timedelta(seconds=30) - back)
    after = make(node="here-2")
    after.clock.set(exchange.clock.now())
    after.engine.run_due()
    paged = list(after.people)
    with after.world.store.reading() as view:
        (waiting,) = (one for one in stored_timers.find(view.connection, kind="watchdog") if one.id == "watchdog/x")
    wait = waiting.due_at - after.clock.now()
    after.after(301, step_s=20)

    assert ([], ["bob"], True) == (paged, after.people, wait < timedelta(minutes=3))


def test_what_arrived_after_all_is_not_said_again(make: Make) -> None:
    """A text of unknown outcome of which the provider says later that it was delivered is not repeated."""
    exchange = make(Provider(answers=[Failure.UNKNOWN], idempotent=False))
    exchange.declare()
    exchange.after(20)
    reply(exchange, "status", MessageStatus="delivered")
    exchange.after(200)

    assert (["page1/n1"], [NoticeState.DELIVERED, NoticeState.CANCELLED]) == (
        [page.id for page in exchange.took],
        exchange.states(),
    )
