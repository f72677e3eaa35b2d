"""A page by mail is answered by replying to it: over SMTP, by a signed address, and by people alone."""

import smtplib
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from stanch.app.mail import mail_listener
from stanch.catalog.inbox import MailSpec
from stanch.integrations.smtp.pager import message_of
from stanch.oncall.escalation.model import PageStatus
from tests.oncall.paging.exchange import Exchange, Provider, catalog_of, somebody
from tests.support.servers import free_port


@pytest.fixture
def exchange(database_url: str) -> Iterator[Exchange]:
    """Give an exchange that pages by mail and takes replies."""
    crew = (somebody("alice", "email"), somebody("bob", "email"), somebody("carol", "email"))
    mail = MailSpec(listen=f"127.0.0.1:{free_port()}", replies="page@stanch.example", senders=("@devices.example",))
    provider = Provider(kinds=frozenset({"email"}))
    made = Exchange(database_url, provider, catalog=replace(catalog_of(*crew), mail=mail))
    listener = mail_listener(made.world)
    assert listener is not None
    listener.start()
    yield made
    listener.stop()
    made.close()


def reply(exchange: Exchange, text: str, *, to: str = "", sender: str = "alice@home.example", **headers: str) -> bytes:
    """Reply to the newest mail as a mail program does, and return the server's words."""
    paged = message_of(exchange.took[-1], sender="stanch@example.org")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@home.example", to or paged["Reply-To"], "Re: it"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(f"{text}\n\n> {paged.get_content()}")
    host, _, port = exchange.world.catalog.mail.listen.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=20) as client:
        client.ehlo()
        client.mail(sender)
        code, said = client.rcpt(message["To"])
        if code != 250:
            return said
        return client.data(message.as_bytes())[1]


def test_ack_ends_the_paging(exchange: Exchange) -> None:
    """`ack` takes the page on in the name of whoever it was sent to, and nobody else is paged."""
    exchange.declare()
    said = reply(exchange, "ack")
    exchange.after(1000)
    page = exchange.page()

    assert (b"2.0.0 acknowledged", PageStatus.ACKNOWLEDGED, "alice", ["alice"]) == (
        said,
        page.status,
        page.acknowledged_by,
        exchange.people,
    )


def test_escalate_pages_the_next_level_now(exchange: Exchange) -> None:
    """`escalate` lets the next level come at once; nobody has the page by that."""
    exchange.declare()
    said = reply(exchange, "escalate")
    exchange.settle()

    assert (b"2.0.0 the next level is paged", ["alice", "bob"], True) == (
        said,
        exchange.people,
        exchange.page().is_paging,
    )


def test_snooze_pages_again(exchange: Exchange) -> None:
    """`snooze 10` is quiet for ten minutes; as nobody acted by then, paging begins again."""
    exchange.declare()
    reply(exchange, "snooze 10")
    exchange.after(595)
    quiet = list(exchange.people)
    exchange.after(10)

    assert (["alice"], ["alice", "alice"]) == (quiet, exchange.people)


def test_an_act_after_snooze_keeps_it_quiet(exchange: Exchange) -> None:
    """Whoever acts on the incident in the meantime is not paged when the ten minutes are over."""
    number = exchange.declare()
    reply(exchange, "snooze 10")
    exchange.after(60)
    exchange.call("incident.note", incident=number, text="looking at it")
    exchange.after(600)

    assert ["alice"] == exchange.people


def test_an_automatic_reply_answers_nothing(exchange: Exchange) -> None:
    """An absence note that quotes `ack` is taken, and the paging goes on."""
    exchange.declare()
    said = reply(exchange, "ack", Auto_Submitted="auto-replied")
    exchange.after(301)

    assert (b"2.0.0 an automatic reply answers nothing", ["alice", "bob"]) == (said, exchange.people)


def test_a_word_that_is_not_understood_is_told(exchange: Exchange) -> None:
    """A reply that says something else changes nothing, and the server says which words there are."""
    exchange.declare()
    said = reply(exchange, "what is this?")

    assert (True, True) == (b"no word was understood" in said, exchange.page().is_paging)


def test_a_forged_address_answers_nothing(exchange: Exchange) -> None:
    """Another page's number in the address does not fit its signature: 550, and the paging goes on."""
    exchange.declare()
    address = str(message_of(exchange.took[-1], sender="s@example.org")["Reply-To"])
    said = reply(exchange, "ack", to=address.replace("+1.", "+2."))

    assert (b"5.7.1 this is no link of ours", True) == (said, exchange.page().is_paging)


def test_strangers_still_send_no_alerts(exchange: Exchange) -> None:
    """Who may send alerts stays as configured; only replies come from anybody."""
    exchange.declare()
    said = reply(exchange, "x", to="alerts@stanch.example", sender="eve@evil.example")

    assert b"5.7.1 this sender is not on the list" == said
