"""What is told: previewed with who gets it, sent by a person, on record; stakeholders, hand-over, catching up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.catalog.channels import ChannelSpec, Comms, StakeholderSpec
from stanch.comms.catchup import Catchup
from stanch.incidents import events as ev
from stanch.incidents.model import Severity
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Forbidden, Invalid, Refused, Unavailable
from stanch.oncall.pages.tables import PageProjector, find_pages
from stanch.operations.communicating import PreviewView, ToldList
from stanch.ports.channel import Message, Receipt
from stanch.store import Store
from tests.operations.desk import AGENT, BOB, START, Desk, Listener

MERCHANTS = StakeholderSpec(
    name="merchants",
    title="Account managers",
    channel="mail",
    to=("anna@example.com", "person:bob"),
    services=("checkout", "payments"),
)


def told_of(desk: Desk, number: int) -> ToldList:
    """Return who was told what."""
    answer = desk.ask("comms.told", incident=number)
    assert isinstance(answer, ToldList)
    return answer


def preview(desk: Desk, number: int, **body: object) -> PreviewView:
    """Return what an update would be."""
    answer = desk.ask("comms.preview", incident=number, **body)
    assert isinstance(answer, PreviewView)
    return answer


@pytest.fixture
def mailing(desk: Desk) -> Desk:
    """Give a desk with a mail channel and stakeholders of checkout and payments from SEV2 on."""
    catalog = desk.world.catalog
    people = {**catalog.people, "bob": replace(catalog.people["bob"], email="bob@example.com")}
    mail = ChannelSpec(name="mail", kind="email", audiences=(), url="smtp://mail.example", sender="stanch@example.com")
    channels = {**catalog.channels, "mail": mail}
    listening = {**desk.channels, "mail": Listener("mail")}
    world = replace(
        desk.world,
        catalog=replace(catalog, channels=channels, people=people, stakeholders={"merchants": MERCHANTS}),
        channels=dict(listening),
    )
    return replace(desk, world=world, channels=listening)


def test_a_preview_says_who_gets_it(desk: Desk) -> None:
    """One message for each channel and audience, and nothing is sent by looking."""
    number = desk.declare()
    shown = preview(desk, number)

    assert (
        [("room", "responders"), ("status", "stakeholders"), ("status", "public")],
        3,
    ) == ([(one.channel, one.audience) for one in shown.messages], len(desk.state(number).messages))


def test_what_was_previewed_is_what_is_sent(desk: Desk) -> None:
    """Word for word."""
    number = desk.declare()
    shown = preview(desk, number, text="The rollback is under way.", public_text="A fix is under way.")
    desk.ask("comms.send", incident=number, text="The rollback is under way.", public_text="A fix is under way.")
    sent = [one.text for one in desk.state(number).messages.values() if one.purpose == "update"]

    assert [one.text for one in shown.messages] == sent


def test_the_public_is_told_what_was_written_for_it(desk: Desk) -> None:
    """What is said among colleagues stays there, and the other way round."""
    number = desk.declare()
    shown = preview(desk, number, text="The intern did it.", public_text="A fix is under way.")
    texts = {one.audience: one.text for one in shown.messages}

    assert (True, True, False, True) == (
        "The intern" in texts["responders"],
        "The intern" in texts["stakeholders"],
        "The intern" in texts["public"],
        "A fix is under way." in texts["public"],
    )


def test_an_update_by_a_person_moves_the_promise(desk: Desk) -> None:
    """The next one is due a quarter of an hour after it."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.pass_time(minutes=7)
    desk.ask("comms.send", incident=number, text="We know more.")

    assert START + timedelta(minutes=22) == desk.state(number).next_update_at


def test_an_update_goes_to_whom_it_is_for(desk: Desk) -> None:
    """Named audiences alone are told."""
    number = desk.declare()
    desk.ask("comms.send", incident=number, text="Among us.", audiences=["responders"])

    assert ["responders"] == [one.audience for one in desk.state(number).messages.values() if one.purpose == "update"]


def test_an_update_says_what_changed(desk: Desk) -> None:
    """The draft knows what is different since the last message."""
    number = desk.declare(severity="SEV3", reason="a test")
    desk.ask("incident.severity", incident=number, severity="SEV1", reason="payments lost")
    desk.ask("incident.acknowledge", incident=number)
    changed = preview(desk, number).changed

    assert ("Severity SEV3 became SEV1: payments lost", "Detected became acknowledged", "Alice took it on") == changed


def test_what_was_told_is_no_change_any_more(desk: Desk) -> None:
    """After an update the next draft begins anew."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number)
    desk.ask("comms.send", incident=number)

    assert () == preview(desk, number).changed


def test_an_agent_tells_the_public_nothing(desk: Desk) -> None:
    """It may write to colleagues."""
    number = desk.declare()
    desk.ask("comms.send", by=AGENT, incident=number, text="x", audiences=["responders"])
    with pytest.raises(Forbidden) as refusal:
        desk.ask("comms.send", by=AGENT, incident=number, text="x")

    assert "public_needs_a_person" == refusal.value.reason


@pytest.mark.parametrize("wrong", [{"purpose": "gossip"}, {"purpose": "reminder"}, {"audiences": ["everybody"]}])
def test_words_that_are_none_are_named(desk: Desk, wrong: dict[str, Any]) -> None:
    """With those that there are."""
    number = desk.declare()
    with pytest.raises(Invalid):
        preview(desk, number, **wrong)


def test_who_was_told_what_is_on_record(desk: Desk) -> None:
    """With when, by whom it was sent, and what became of it."""
    number = desk.declare()
    desk.work()
    desk.pass_time(minutes=1)
    desk.ask("comms.send", incident=number, text="x", audiences=["responders"])
    last = told_of(desk, number).told[-1]

    assert ("update", "responders", "room", "Alice", START + timedelta(minutes=1), "on its way") == (
        last.purpose,
        last.audience,
        last.channel,
        last.by,
        last.at,
        last.state,
    )


class Down(Listener):
    """A channel whose far end is down."""

    def post(self, message: Message) -> Receipt:
        """Take nothing."""
        raise Unavailable("503 chat is down", retry=True)


def test_what_has_not_arrived_is_shown(desk: Desk) -> None:
    """While chat is down the others are told, and what waits says when it is tried again and why it has to."""
    world = replace(desk.world, channels={**desk.world.channels, "room": Down("room")})
    desk = replace(desk, world=world)
    number = desk.declare()
    desk.work()
    found = told_of(desk, number)
    [late] = [one for one in found.told if one.state != "sent"]

    assert (1, "room", "503 chat is down", START + timedelta(seconds=1)) == (
        found.undelivered,
        late.channel,
        late.detail,
        late.next_try_at,
    )


def test_what_waits_goes_out_when_chat_is_back(desk: Desk) -> None:
    """Hours later, once, in the words that it was written in."""
    down = replace(desk, world=replace(desk.world, channels={**desk.world.channels, "room": Down("room")}))
    number = down.declare(severity="SEV4", reason="a test")
    for _ in range(40):
        down.work()
        down.pass_time(minutes=5)
    desk.work()

    assert (1, 0) == (len(desk.channels["room"].heard), told_of(desk, number).undelivered)


def addresses(desk: Desk) -> list[str]:
    """Return who was written to."""
    return [one.to for one in desk.channels["mail"].heard]


def test_stakeholders_of_a_service_are_told(mailing: Desk) -> None:
    """Each by themselves, people of the catalog by their address."""
    mailing.declare(severity="SEV2", reason="a test")
    mailing.work()

    assert ["anna@example.com", "bob@example.com"] == addresses(mailing)


def test_stakeholders_hear_first_what_is_for_them(mailing: Desk) -> None:
    """The first message to them is the initial one, which names no inner works."""
    number = mailing.declare(severity="SEV2", reason="a test")
    told = [one for one in told_of(mailing, number).told if one.channel == "mail"]

    assert {("initial", "stakeholders", "merchants")} == {(one.purpose, one.audience, one.stakeholder) for one in told}


def test_stakeholders_of_other_services_are_not_told(mailing: Desk) -> None:
    """Search is nobody's business here."""
    mailing.declare("Search is slow", services=["search"], severity="SEV2", reason="a test")
    mailing.work()

    assert [] == addresses(mailing)


def test_stakeholders_are_not_told_of_the_small(mailing: Desk) -> None:
    """Their entry says from which severity on."""
    mailing.declare(severity="SEV3", reason="a test")
    mailing.work()

    assert [] == addresses(mailing)


def test_who_was_told_is_told_the_end(mailing: Desk) -> None:
    """Also when the severity has been lowered since."""
    number = mailing.declare(severity="SEV2", reason="a test")
    mailing.ask("incident.severity", incident=number, severity="SEV4", reason="nobody noticed")
    mailing.ask("incident.resolve", incident=number, force_reason="a test")
    mailing.work()

    assert ["anna@example.com", "bob@example.com"] * 2 == addresses(mailing)


def test_a_role_is_handed_over_with_a_summary(desk: Desk) -> None:
    """The log says who left what to whom, and the responders are told with what is open."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number)
    desk.ask("incident.handover", incident=number, role="commander", person="bob", summary="The rollback runs.")
    desk.work()
    said = desk.channels["room"].heard[-1].text

    assert ("bob", True, True, 2) == (
        next(iter(desk.state(number).roles.values())),
        "Incident commander is now bob" in said,
        "The rollback runs." in said,
        len(desk.channels["room"].heard),
    )


def test_a_hand_over_promises_nothing(desk: Desk) -> None:
    """It is no update: the promise stands as it was."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.pass_time(minutes=3)
    desk.ask("incident.handover", incident=number, role="scribe", person="bob")

    assert START + timedelta(minutes=15) == desk.state(number).next_update_at


def test_a_role_is_not_handed_to_who_has_it(desk: Desk) -> None:
    """Nothing is said twice."""
    number = desk.declare()
    desk.ask("incident.handover", incident=number, role="scribe", person="bob")
    with pytest.raises(Refused):
        desk.ask("incident.handover", incident=number, role="scribe", person="bob")


def test_who_joins_late_catches_up(desk: Desk) -> None:
    """The state, the last decisions with who took them, what is open, and what each role must do."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.ask("incident.acknowledge", incident=number)
    desk.ask("incident.note", incident=number, text="We keep payments on.", pinned=True)
    desk.diagnose(number)
    found = desk.ask("incident.catchup", incident=number, by=BOB)
    assert isinstance(found, Catchup)

    assert (True, True, True, True) == (
        found.state[0].startswith("SEV2, identified"),
        any("We keep payments on." in one.text and one.actor == "Alice" for one in found.decisions),
        any("Roll payments back" in line for line in found.open),
        any(one.role == "commander" and one.person == "alice" and one.duty for one in found.duties),
    )


@pytest.fixture
def paged(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk whose pages are on record."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(), PageProjector()))
    yield Desk.open(store, clock)
    store.close()


def with_lead(desk: Desk) -> int:
    """Declare an incident whose communications alice leads."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.ask("incident.assign", incident=number, role="communications_lead", person="alice")
    return number


def minutes(desk: Desk, count: int) -> None:
    """Let minutes pass, and the engine do what is due in each."""
    for _ in range(count):
        desk.pass_time(minutes=1)
        desk.work()


def purposes(desk: Desk, number: int) -> list[str]:
    """Return what was said to responders."""
    return [one.purpose for one in desk.state(number).messages.values() if one.audience == "responders"]


def test_the_lead_is_reminded_before_an_update_is_due(desk: Desk) -> None:
    """Five minutes before, in the responders' room, with the draft at hand."""
    number = with_lead(desk)
    minutes(desk, 9)
    before = purposes(desk, number)
    minutes(desk, 1)
    said = desk.channels["room"].heard[-1].text

    assert (["declaration"], ["declaration", "reminder"], True, True) == (
        before,
        purposes(desk, number),
        "due by 14:45 UTC" in said,
        "stanch comms send -i INC-" in said,
    )


def test_a_missed_update_is_recorded_and_paged(paged: Desk) -> None:
    """It was left to a person: the log says that it was missed, and the lead is paged."""
    number = with_lead(paged)
    minutes(paged, 15)
    with paged.world.store.reading() as view:
        [page] = find_pages(view.connection, incident=number)

    assert (1, True, ("person:alice",)) == (
        paged.kinds(number).count(ev.UpdateMissed.kind),
        "the update promised for 14:45 UTC was not sent" in page.title,
        page.policy.steps[0].targets,
    )


def test_an_update_in_time_is_not_missed(desk: Desk) -> None:
    """Sent after the reminder and before the promise, and the clock starts over."""
    number = with_lead(desk)
    minutes(desk, 12)
    desk.ask("comms.send", incident=number, text="We know more.")
    minutes(desk, 9)

    assert (0, ["declaration", "reminder", "update"]) == (
        desk.kinds(number).count(ev.UpdateMissed.kind),
        purposes(desk, number),
    )


def test_without_a_lead_updates_go_out_by_themselves(desk: Desk) -> None:
    """Nobody has to be reminded of anything."""
    number = desk.declare(severity="SEV2", reason="a test")
    minutes(desk, 15)

    assert ["declaration", "update"] == purposes(desk, number)


def test_updates_can_be_left_to_stanch(desk: Desk) -> None:
    """As configured, also where somebody leads communication."""
    catalog = replace(desk.world.catalog, comms=Comms(updates="automatic"))
    desk = replace(desk, world=replace(desk.world, catalog=catalog))
    number = with_lead(desk)
    minutes(desk, 15)

    assert ["declaration", "update"] == purposes(desk, number)


def test_a_miss_is_noticed_again(paged: Desk) -> None:
    """Nobody hears nothing for an hour: every quarter counts."""
    number = with_lead(paged)
    minutes(paged, 30)

    assert 2 == paged.kinds(number).count(ev.UpdateMissed.kind)


def test_a_worse_severity_is_told_of_sooner(desk: Desk) -> None:
    """What was promised for half an hour is due in a quarter once it is SEV1."""
    number = desk.declare(severity="SEV3", reason="a test")
    desk.ask("incident.severity", incident=number, severity=Severity.SEV1.label, reason="payments lost")
    minutes(desk, 15)

    assert ["declaration", "update"] == purposes(desk, number)
