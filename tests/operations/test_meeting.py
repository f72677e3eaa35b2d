"""The meeting on a post-mortem: called once when an incident is resolved, moved, called off, as calendars read it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar

from stanch.app.world import calendars_for
from stanch.catalog.channels import ChannelSpec
from stanch.catalog.model import Person
from stanch.catalog.writeup import WriteUp
from stanch.integrations.smtp.channel import mail_of
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.operations.meeting import MeetingView
from stanch.ports.channel import Message
from stanch.review.meeting.rules import meeting_at
from stanch.store import Store
from tests.operations.desk import BOB, Desk, Listener


class Post(Listener):
    """A mail channel that keeps what would be sent, as mail."""

    def mails(self) -> list[EmailMessage]:
        """Return the mails in the order in which they went."""
        return [mail_of(one, sender="Stanch <stanch@example.com>", to=(one.to,)) for one in self.heard if one.calendar]

    def said(self) -> list[tuple[str, str, int]]:
        """Return recipient, method and sequence of each."""
        return [(one.to, *_method(one)) for one in self.heard if one.calendar]


def _method(message: Message) -> tuple[str, int]:
    found = Calendar.from_ical(message.calendar)
    return str(found["METHOD"]), int(found.walk("VEVENT")[0]["SEQUENCE"])


@pytest.fixture
def desk(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk with a mail channel, whose people have addresses; carol has none."""
    store = Store.open(database_url, clock=clock)
    desk = Desk.open(store, clock)
    people = {name: Person(id=name, name=name.title(), email=f"{name}@example.com") for name in ("alice", "bob")}
    mail = ChannelSpec(
        name="mail", kind="email", sender="Stanch <stanch@example.com>", severity="SEV1", services=("x",)
    )
    catalog = replace(
        desk.world.catalog,
        people={**people, "carol": Person(id="carol")},
        channels={**desk.world.catalog.channels, "mail": mail},
        zone="Europe/Berlin",
        war_room="https://meet.example/war",
    )
    post = Post("mail")
    world = replace(desk.world, catalog=catalog, channels={**desk.world.channels, "mail": post})
    yield replace(desk, world=world, channels={**desk.channels, "mail": post})
    store.close()


def post_of(desk: Desk) -> Post:
    """Return the mail channel."""
    found = desk.channels["mail"]
    assert isinstance(found, Post)
    return found


def resolved(desk: Desk) -> int:
    """Return an incident that alice declared, bob acknowledged and alice resolved, with what follows sent."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number, by=BOB)
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.work()
    return number


def ask(desk: Desk, name: str, **body: object) -> MeetingView:
    """Ask an operation on a meeting, and let what follows be sent."""
    answer = desk.ask(f"postmortem.{name}", **body)
    assert isinstance(answer, MeetingView)
    desk.work()
    return answer


def test_those_who_took_part_are_invited_once(desk: Desk) -> None:
    """One mail each, however often the engine looks."""
    resolved(desk)
    desk.work()

    assert [("alice@example.com", "REQUEST", 0), ("bob@example.com", "REQUEST", 0)] == post_of(desk).said()


def test_the_invitation_is_one_that_calendars_take(desk: Desk) -> None:
    """Saturday's incident: two working days later is Tuesday, at ten in Berlin, which is nine in UTC."""
    number = resolved(desk)
    mail = post_of(desk).mails()[0]
    [part] = [one for one in mail.walk() if one.get_content_type() == "text/calendar"]
    [event] = Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")

    assert (
        ("REQUEST", "utf-8"),
        datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 24, 10, 0, tzinfo=UTC),
        "mailto:stanch@example.com",
        ["mailto:alice@example.com", "mailto:bob@example.com"],
        "https://meet.example/war",
        f"Post-mortem of INC-{number}: Checkout fails",
        "CONFIRMED",
    ) == (
        (part.get_param("method"), str(part.get_param("charset")).lower()),
        event["DTSTART"].dt,
        event["DTEND"].dt,
        str(event["ORGANIZER"]),
        [str(one) for one in event["ATTENDEE"]],
        str(event["LOCATION"]),
        str(event["SUMMARY"]),
        str(event["STATUS"]),
    )


def test_a_meeting_that_is_moved_stays_the_same_entry(desk: Desk) -> None:
    """The same UID, a higher sequence; the same words again change nothing."""
    number = resolved(desk)
    for _ in range(2):
        moved = ask(desk, "meet", incident=number, at="2026-11-26T13:00:00Z", length_s=2700)
    events = [Calendar.from_ical(one.calendar).walk("VEVENT")[0] for one in post_of(desk).heard if one.calendar]

    assert (1, [0, 0, 1, 1], datetime(2026, 11, 26, 13, 45, tzinfo=UTC)) == (
        len({str(one["UID"]) for one in events}),
        [int(one["SEQUENCE"]) for one in events],
        moved.ends_at,
    )


def test_who_is_left_out_has_it_taken_out(desk: Desk) -> None:
    """The others see that somebody is missing."""
    number = resolved(desk)
    ask(desk, "meet", incident=number, leave_out=["bob"])

    assert [("alice@example.com", "REQUEST", 1), ("bob@example.com", "CANCEL", 1)] == post_of(desk).said()[2:]


def test_a_meeting_is_called_off(desk: Desk) -> None:
    """From everybody's calendar, with why; a second time there is none."""
    number = resolved(desk)
    gone = ask(desk, "call_off", incident=number, reason="nobody has the time")
    with pytest.raises(NotFound):
        ask(desk, "call_off", incident=number)

    assert (None, [("alice@example.com", "CANCEL", 1), ("bob@example.com", "CANCEL", 1)]) == (
        gone.starts_at,
        post_of(desk).said()[2:],
    )


def test_reopening_calls_it_off_and_the_next_end_calls_another(desk: Desk) -> None:
    """Which is another entry."""
    number = resolved(desk)
    desk.ask("incident.reopen", incident=number, reason="errors are back")
    desk.work()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.work()
    sent = [one for one in post_of(desk).heard if one.calendar]
    uids = [str(Calendar.from_ical(one.calendar).walk("VEVENT")[0]["UID"]) for one in sent]

    assert (["REQUEST"] * 2 + ["CANCEL"] * 2 + ["REQUEST"] * 2, True, True) == (
        [method for _, method, _ in post_of(desk).said()],
        uids[0] == uids[2],
        uids[0] != uids[4],
    )


def test_an_invitation_makes_nobody_a_reader_of_messages(desk: Desk) -> None:
    """Who took part is asked to the meeting; what is told of an incident that is taken up again is for its readers."""
    number = resolved(desk)
    desk.ask("incident.reopen", incident=number, reason="errors are back")
    desk.work()

    assert [] == [one.subject for one in post_of(desk).heard if not one.calendar]


def test_a_meeting_that_took_place_stays_though_the_incident_is_reopened(desk: Desk) -> None:
    """Nobody's past is changed."""
    number = resolved(desk)
    desk.pass_time(days=5)
    desk.ask("incident.reopen", incident=number, reason="errors are back")
    desk.work()

    assert 2 == len(post_of(desk).said())


def test_it_is_shown_and_who_was_told_is_on_record(desk: Desk) -> None:
    """With the incident, and in its log."""
    number = resolved(desk)
    card = desk.view("incident.show", incident=number).postmortem
    assert card is not None

    assert (datetime(2026, 11, 24, 9, 0, tzinfo=UTC), ("alice", "bob"), 1, ["sent", "sent"]) == (
        card.meeting_at,
        card.invited,
        desk.kinds(number).count("postmortem.meeting_set"),
        [one.state for one in desk.view("incident.show", incident=number).messages if one.purpose == "meeting"],
    )


@pytest.mark.parametrize(
    "body",
    [
        {"at": "2026-11-21T09:00:00Z"},
        {"length_s": 10},
        {"invite": ["carol"]},
        {"invite": ["mallory"]},
        {"leave_out": ["alice", "bob"]},
    ],
)
def test_a_meeting_that_makes_no_sense_is_not_called(desk: Desk, body: dict[str, object]) -> None:
    """It lies ahead, lasts a while, and somebody comes who can be written to."""
    number = resolved(desk)
    with pytest.raises(Invalid):
        desk.ask("postmortem.meet", incident=number, **body)


def test_there_is_no_meeting_before_the_end(desk: Desk) -> None:
    """Nor without anything to invite with."""
    number = desk.declare()
    with pytest.raises(Refused):
        desk.ask("postmortem.meet", incident=number)

    assert [] == post_of(desk).said()


@pytest.mark.parametrize(
    "rule", [WriteUp(meetings=False), WriteUp(meeting_severity="SEV1"), WriteUp(meeting_channel="other")]
)
def test_who_wants_no_meetings_has_none(desk: Desk, rule: WriteUp) -> None:
    """None at all, or only after what was worse; one can still be called by hand where there is a channel."""
    catalog = replace(desk.world.catalog, postmortem=rule)
    quiet = replace(desk, world=replace(desk.world, catalog=catalog))
    number = quiet.declare()
    quiet.ask("incident.severity", incident=number, severity="SEV3", reason="a test")
    quiet.ask("incident.resolve", incident=number, force_reason="a test")
    quiet.work()

    assert [] == post_of(quiet).said()


@pytest.mark.parametrize(
    ("after", "days", "at"),
    [
        # Thursday + 2 is Monday, Friday + 2 Tuesday, Saturday + 1 Monday.
        ("2026-11-19T12:00:00+00:00", 2, "2026-11-23T10:00:00+00:00"),
        ("2026-11-20T23:59:00+00:00", 2, "2026-11-24T10:00:00+00:00"),
        ("2026-11-21T12:00:00+00:00", 1, "2026-11-23T10:00:00+00:00"),
    ],
)
def test_weekends_are_no_working_days(after: str, days: int, at: str) -> None:
    """They are passed over, wherever one begins."""
    found = meeting_at(datetime.fromisoformat(after), days=days, clock="10:00", zone="UTC")

    assert datetime.fromisoformat(at) == found


def test_ten_in_the_morning_is_that_of_the_zone_on_that_day() -> None:
    """The clocks change in between: Friday 23 October in summer time, Tuesday 27 October 2026 in winter time."""
    found = meeting_at(datetime(2026, 10, 23, 12, tzinfo=UTC), days=2, clock="10:00", zone="Europe/Berlin")

    assert datetime(2026, 10, 27, 9, 0, tzinfo=UTC) == found


@pytest.mark.parametrize(
    ("holidays", "days", "at"),
    [
        # 24 December 2026 is a Thursday; two working days after it are the next Monday and Tuesday.
        (set(), 2, "2026-12-28"),
        ({date(2026, 12, 25)}, 2, "2026-12-29"),
        ({date(2026, 12, 25), date(2026, 12, 28)}, 2, "2026-12-30"),
        # One on a weekend takes nothing away.
        ({date(2026, 12, 26)}, 2, "2026-12-28"),
    ],
)
def test_holidays_are_no_working_days(holidays: set[date], days: int, at: str) -> None:
    """They are passed by as weekends are."""
    christmas = datetime(2026, 12, 24, 12, tzinfo=UTC)
    found = meeting_at(christmas, days=days, clock="10:00", zone="UTC", holidays=holidays)

    assert at == found.date().isoformat()


def test_a_calendar_without_working_days_ends_nothing() -> None:
    """A day is found all the same: one year on at most."""
    start = datetime(2026, 12, 24, 12, tzinfo=UTC)
    every = {start.date() + timedelta(days=count) for count in range(2_000)}

    assert date(2027, 12, 25) == meeting_at(start, days=2, clock="10:00", zone="UTC", holidays=every).date()


COMPANY = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261124
SUMMARY:Company outing
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("holidays", "day"),
    [
        # Saturday's incident: Monday and Tuesday are the two working days.
        ((), 24),
        (("2026-11-24",), 25),
        (("company.ics",), 25),
        (("company.ics", "2026-11-25"), 26),
        # Repentance Day, 18 November, lies behind; Saxony has no other in these days.
        (("DE-SN",), 24),
        # Thanksgiving on Thursday, with Monday to Wednesday off.
        (("US", "2026-11-23", "2026-11-24", "2026-11-25"), 30),
        # A file that is not there keeps no meeting from being called.
        (("missing.ics",), 24),
    ],
)
def test_the_configured_days_are_passed_by(desk: Desk, tmp_path: Path, holidays: tuple[str, ...], day: int) -> None:
    """Dates, countries and calendars, together."""
    (tmp_path / "company.ics").write_text(COMPANY)
    catalog = replace(desk.world.catalog, root=str(tmp_path), postmortem=WriteUp(holidays=holidays))
    world = replace(desk.world, catalog=catalog, calendars=calendars_for(catalog))
    number = resolved(replace(desk, world=world))
    meeting = desk.state(number).meeting
    assert meeting is not None

    assert day == meeting.starts_at.day


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alcie", "'alcie' is not in the catalog; did you mean alice?"),
        ("zoe", "'zoe' is not in the catalog"),
        ("carol", "carol has no mail address: write [people.carol] email = ..."),
    ],
)
def test_who_cannot_be_invited_is_told_who_can(desk: Desk, name: str, said: str) -> None:
    """The list has those with an address."""
    number = resolved(desk)
    with pytest.raises(Invalid) as refusal:
        ask(desk, "meet", incident=number, invite=[name])

    assert ((said,), "who can be invited: alice, bob") == (
        tuple(one.message for one in refusal.value.problems),
        refusal.value.hint,
    )


def test_control_characters_stay_out_of_the_invitation(desk: Desk) -> None:
    """Whatever an alert's title has in it: no line of the calendar ends where it should not."""
    number = desk.declare("pool\x0bis\x0cfull\x1b[31m\u2028now")
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.work()
    text = next(one.calendar for one in post_of(desk).heard if one.calendar)

    assert (set(), len(text.split("\r\n"))) == (
        {letter for letter in text if not letter.isprintable()} - {"\r", "\n"},
        len(text.splitlines()) + 1,
    )
