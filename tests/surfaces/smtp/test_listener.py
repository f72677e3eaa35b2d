"""Mail comes in over a real connection, and 250 means that it is on the disk."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from stanch.alerts.inbound.tables import figures
from stanch.app.mail import mail_listener
from stanch.app.wiring import build_world
from stanch.catalog.inbox import MailRule, MailSpec
from stanch.catalog.model import Catalog, Service
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import Forbidden, Unavailable
from stanch.operations.board.listing import ListAlerts, list_alerts
from stanch.operations.world import Call, World
from tests.surfaces.serving import PATIENT_S

RULES = (MailRule(subject=r"^(?P<what>.+) failed", title="{what} failed", service="payments", severity="critical"),)


ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class Mailbox:
    """A world that takes mail, and where."""

    world: World
    address: tuple[str, int]

    def open(self) -> smtplib.SMTP:
        """Connect as a program does that sends mail."""
        return smtplib.SMTP(*self.address, timeout=PATIENT_S)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Mailbox]]:
    """Give what starts a listener with given settings, on a port that the system chooses."""
    with ExitStack() as stack:

        def start(**settings: object) -> Mailbox:
            spec = replace(MailSpec(listen=ANY_PORT, rules=RULES), **settings)
            catalog = Catalog(root=str(tmp_path), services={"payments": Service(name="payments")}, mail=spec)
            world = build_world(catalog=catalog, database=tmp_path / "stanch.db")
            stack.callback(world.store.close)
            listener = mail_listener(world)
            assert listener is not None
            listener.start()
            stack.callback(listener.stop)
            return Mailbox(world, listener.address)

        yield start


def send(
    mailbox: Mailbox,
    subject: str,
    *,
    sender: str = "cron@example.com",
    to: str = "alerts@stanch.example",
    text: str = "x",
) -> dict[str, tuple[int, bytes]]:
    """Send a mail as a program does; raises what the library raises when it is refused."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content(text)
    with mailbox.open() as client:
        return client.send_message(message)


def listed(mailbox: Mailbox) -> list[tuple[str, str, str, str]]:
    """Return name, service, severity and state of the alerts there are."""
    page = list_alerts(Call(world=mailbox.world, actor=person("alice"), via=Via.CLI), ListAlerts())
    return [(one.name, one.service, one.severity, one.state.value) for one in page.alerts]


def test_a_mail_becomes_an_alert(serve: Callable[..., Mailbox]) -> None:
    """What a rule reads out of a mail is listed as soon as the mail is accepted."""
    mailbox = serve()
    send(mailbox, "Backup failed")

    assert [("Backup failed", "payments", "critical", "firing")] == listed(mailbox)


def test_a_mail_ends_its_alert(serve: Callable[..., Mailbox]) -> None:
    """A later mail of the same name that says so ends it."""
    mailbox = serve()
    send(mailbox, "PROBLEM: Queue is long")
    send(mailbox, "RESOLVED: Queue is long")

    assert [("Queue is long", "", "warning", "resolved")] == listed(mailbox)


def test_mail_is_counted_as_a_source(serve: Callable[..., Mailbox]) -> None:
    """The sources' page says when mail last came."""
    mailbox = serve()
    send(mailbox, "Backup failed")
    with mailbox.world.store.reading() as view:
        found = figures(view.connection)["email"]

    assert (1, 1) == (found.deliveries, found.alerts)


def test_the_same_mail_again_is_one_alert(serve: Callable[..., Mailbox]) -> None:
    """A sending server that did not hear our answer sends again; the mail is known by its id."""
    mailbox = serve()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.c", "alerts@x", "Backup failed"
    message["Message-ID"] = "<77@b.c>"
    for _ in range(2):
        with mailbox.open() as client:
            client.send_message(message)
    with mailbox.world.store.reading() as view:
        found = figures(view.connection)["email"]

    assert (1, 1) == (found.deliveries, found.duplicates)


def test_a_token_is_asked_for(serve: Callable[..., Mailbox], monkeypatch: pytest.MonkeyPatch) -> None:
    """With tokens, mail to the bare mailbox is refused and mail with the token is taken."""
    monkeypatch.setenv("MAIL_TOKEN", "old new")
    mailbox = serve(token_env="MAIL_TOKEN")
    for wrong in ("alerts@x", "alerts+wrong@x", "other+new@x"):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(mailbox, "Backup failed", to=wrong)
    send(mailbox, "Backup failed", to="alerts+new@x")

    assert 1 == len(listed(mailbox))


def test_a_sender_must_be_on_the_list(serve: Callable[..., Mailbox]) -> None:
    """Addresses and whole domains can be named; others are refused."""
    mailbox = serve(senders=("cron@example.com", "@partner.example"))
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(mailbox, "Backup failed", sender="mallory@example.net")
    send(mailbox, "Backup failed", sender="any@partner.example")

    assert 1 == len(listed(mailbox))


def test_a_large_mail_is_refused(serve: Callable[..., Mailbox]) -> None:
    """What is larger than configured is refused, and nothing of it is kept."""
    mailbox = serve(largest_bytes=2048)
    with pytest.raises(smtplib.SMTPException):
        send(mailbox, "Backup failed", text="x" * 5000)

    assert [] == listed(mailbox)


def test_a_mail_is_never_relayed(serve: Callable[..., Mailbox]) -> None:
    """An address that is not the mailbox is refused."""
    mailbox = serve()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mailbox, "hello", to="somebody@example.org")

    assert [] == listed(mailbox)


def test_a_mail_waits_while_the_store_is_away(serve: Callable[..., Mailbox]) -> None:
    """Where it cannot be stored the answer is 451, so that the sending server keeps it and tries again."""
    mailbox = serve()
    with mailbox.world.store.writing() as tx:
        tx.connection.exec_driver_sql("DROP TABLE inbound")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(mailbox, "Backup failed")

    assert 451 == refused.value.smtp_code


def test_without_its_token_nothing_starts(tmp_path: Path) -> None:
    """A variable that is named and not set is an error, and not an open door."""
    spec = MailSpec(listen=ANY_PORT, token_env="STANCH_NO_SUCH_VARIABLE")
    world = build_world(catalog=Catalog(root=str(tmp_path), mail=spec), database=tmp_path / "stanch.db")
    with pytest.raises(Forbidden):
        mail_listener(world)
    world.store.close()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """The address is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        spec = MailSpec(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        world = build_world(catalog=Catalog(root=str(tmp_path), mail=spec), database=tmp_path / "stanch.db")
        with pytest.raises(Unavailable, match="cannot take mail at"):
            mail_listener(world)
        world.store.close()
