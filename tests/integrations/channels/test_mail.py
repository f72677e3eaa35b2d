"""The mail channel, against a real SMTP server: one mail a recipient, one thread an incident, nobody called by text."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from stanch.integrations.smtp import MailChannel
from stanch.ports.channel import ChannelSettings, Failure, Message, NotTaken
from tests.integrations.channels.cases import message
from tests.support.mail import mail_server


class Mailbox:
    """Takes mail, or answers as it is told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.lines: list[bytes] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take one mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        found = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        if self.answer.startswith("250"):
            self.mails.append(found)
            self.lines += content.splitlines()
        return self.answer


@pytest.fixture
def mailbox() -> Mailbox:
    """Give an empty one."""
    return Mailbox()


@pytest.fixture
def channel(mailbox: Mailbox) -> Iterator[MailChannel]:
    """Give the channel, pointed at a server."""
    with mail_server(mailbox) as port:
        yield MailChannel(
            ChannelSettings(
                name="mail",
                kind="email",
                url=f"smtp://127.0.0.1:{port}",
                sender="Stanch <stanch@example.com>",
            )
        )


def to_anna(id: str = "inc7/initial/1/mail/stakeholders/anna@example.com", **more: object) -> Message:
    """Return a message to one stakeholder."""
    made = message(id, to="anna@example.com", **more)
    assert made.case is not None
    return replace(made, case=replace(made.case, audience="stakeholders"))


def test_an_invitation_arrives_as_one_that_calendars_take(channel: MailChannel, mailbox: Mailbox) -> None:
    """RFC 6047: an alternative of type text/calendar with its method, each line as it was written."""
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nSUMMARY:Checkout fällt aus\r\nEND:VCALENDAR\r\n"
    channel.post(to_anna(calendar=calendar))
    [mail] = mailbox.mails
    parts = list(mail.iter_parts())

    assert ("multipart/alternative", "text/calendar", "CANCEL", calendar) == (
        mail.get_content_type(),
        parts[-1].get_content_type(),
        parts[-1].get_param("method"),
        parts[-1].get_payload(decode=True).decode(),
    )


def test_a_mail_says_it_in_text_and_in_html(channel: MailChannel, mailbox: Mailbox) -> None:
    """Both say the same, to one recipient."""
    channel.post(to_anna())
    [mail] = mailbox.mails
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None

    assert ("anna@example.com", True, True) == (
        mail["To"],
        "We look into it." in plain.get_content(),
        "<p>We look into it.</p>" in html.get_content(),
    )


def test_mails_about_one_incident_are_one_thread(channel: MailChannel, mailbox: Mailbox) -> None:
    """Each refers to the same root and has an id of its own, the same when it is sent again."""
    channel.post(to_anna())
    channel.post(to_anna("inc7/update/1/mail"))
    channel.post(to_anna())
    first, second, again = mailbox.mails

    assert (True, False, True) == (
        first["References"] == second["References"] == second["In-Reply-To"],
        first["Message-ID"] == second["Message-ID"],
        first["Message-ID"] == again["Message-ID"],
    )


def test_ids_of_a_long_room_are_sent_as_they_are(channel: MailChannel, mailbox: Mailbox) -> None:
    """An id that is encoded as words are is none to a mail program, and the mail stands in no thread."""
    room = "incident-2026-11-21-checkout-answers-with-errors-for-guests-who-pay-by-card"
    channel.post(replace(to_anna(), room=room))
    roots = [line.partition(b": ")[2] for line in mailbox.lines if line.startswith((b"In-Reply-To", b"References"))]

    assert [f"<{room}.7@example.com>".encode()] * 2 == roots


def test_the_link_that_leaves_is_sent_as_it_is(channel: MailChannel, mailbox: Mailbox) -> None:
    """RFC 8058: a mail program posts to it; in an encoded header it would find none. This one is longer than a line."""
    leave = f"https://incidents.shop.example.com/status/leave/l.{'0' * 16}.0.{'a_B-' * 5}cd"
    channel.post(replace(to_anna(), leave=leave))

    assert [f"List-Unsubscribe: <{leave}>".encode(), b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"] == [
        line for line in mailbox.lines if line.startswith(b"List-Unsubscribe")
    ]


def test_a_stakeholder_can_ask_to_be_left_out(channel: MailChannel, mailbox: Mailbox) -> None:
    """As RFC 2369 says; responders are not asked."""
    channel.post(to_anna())
    channel.post(message(to="bob@example.com"))
    first, second = mailbox.mails

    assert ("<mailto:stanch@example.com?subject=unsubscribe%20anna%40example.com>", None, "auto-generated") == (
        first["List-Unsubscribe"].strip(),
        second["List-Unsubscribe"],
        first["Auto-Submitted"],
    )


def test_a_title_adds_no_header(channel: MailChannel, mailbox: Mailbox) -> None:
    """A line break in a title ends no header."""
    channel.post(to_anna(title="Checkout\r\nBcc: everybody@example.com"))

    assert (None, True) == (mailbox.mails[0]["Bcc"], "Bcc: everybody" in str(mailbox.mails[0]["Subject"]))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 no such mailbox", Failure.REFUSED),
        ("451 try later", Failure.UNREACHABLE),
        ("421 too many", Failure.THROTTLED),
    ],
)
def test_a_refusal_says_what_it_means(channel: MailChannel, mailbox: Mailbox, answer: str, expected: Failure) -> None:
    """By the server's code."""
    mailbox.answer = answer
    with pytest.raises(NotTaken) as trouble:
        channel.post(to_anna())

    assert expected is trouble.value.failure


def test_html_from_outside_is_text(channel: MailChannel, mailbox: Mailbox) -> None:
    """Markup in what an alert says is shown and not obeyed."""
    channel.post(to_anna(words="<img src=x onerror=alert(1)>"))
    html = mailbox.mails[0].get_body(("html",))
    assert html is not None

    assert "<img" not in html.get_content()
