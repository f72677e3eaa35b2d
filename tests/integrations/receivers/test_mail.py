"""Receivers by mail: what arrives, at whom, and what a mail server's answers mean."""

import email
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from stanch.kernel.errors import Invalid, Unavailable
from tests.integrations.receivers.notices import alert, notice, receiver, tell
from tests.support.mail import mail_server


@dataclass
class Server:
    """A mail server's hands: takes what comes, or answers what it was told to."""

    where: str = ""
    answer: str = "250 OK"
    refuses: str = ""
    logins: list[tuple[str, str]] = field(default_factory=list)
    took: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, but the one that is refused."""
        if address == self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        if self.answer.startswith("250"):
            self.took.append(envelope)
        return self.answer

    def authenticated(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: object) -> AuthResult:
        """Note a log-in and take it."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)


def last(server: Server) -> EmailMessage:
    """Return the mail that came last."""
    message = email.message_from_bytes(bytes(server.took[-1].content or b""), policy=default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a mail server that speaks no TLS."""
    found = Server()
    with mail_server(found, authenticator=found.authenticated) as port:
        found.where = f"127.0.0.1:{port}"
        yield found


def settings(server: Server, **more: object) -> dict[str, object]:
    """Return the settings of a receiver at `server`, which offers no TLS."""
    return {"to": "a@x.example", "from": "am@x.example", "smarthost": server.where, "require_tls": "false", **more}


def test_ours_is_plain_text(server: Server) -> None:
    """Without a text of one's own the mail is plain text that names the alert, and is marked as automatic."""
    tell("email", settings(server), notice())
    mail = last(server)

    assert ("FIRING 1: DiskFull, db1 (page)", "text/plain", "auto-generated", True) == (
        mail["Subject"],
        mail.get_content_type(),
        mail["Auto-Submitted"],
        "DiskFull <is> full" in mail.get_content(),
    )


def test_templates_headers_and_html(server: Server) -> None:
    """Subject, addresses and HTML are written from the templates; values in HTML are escaped."""
    receiver(
        "email",
        settings(
            server,
            to="a@x.example, {{ .CommonLabels.alertname }}@x.example",
            headers={"subject": "{{ .Status }}", "X-Team": "ops"},
            html="<b>{{ .CommonAnnotations.summary }}</b>",
        ),
    ).notify(notice())
    mail = last(server)
    html = mail.get_body(("html",))

    assert (["a@x.example", "DiskFull@x.example"], "firing", "ops", "<b>DiskFull &lt;is&gt; full</b>") == (
        server.took[0].rcpt_tos,
        mail["Subject"],
        mail["X-Team"],
        html.get_content().strip() if html else "",
    )


def test_one_notice_has_one_message_id(server: Server) -> None:
    """The same notice told twice has the same Message-ID, another one another."""
    one = receiver("email", settings(server))
    for about in (notice(), notice(), notice(alert(over=True), id="notice/1/1/email[0]/2")):
        one.notify(about)
    ids = [email.message_from_bytes(bytes(each.content or b""))["Message-Id"] for each in server.took]

    assert (True, False) == (ids[0] == ids[1], ids[0] == ids[2])


def test_who_was_not_taken_is_on_record(server: Server) -> None:
    """A recipient that the server refuses is named; the others are told."""
    server.refuses = "gone@x.example"
    said = tell("email", settings(server, to="a@x.example, gone@x.example"), notice())

    assert ("taken for 1 of 2; gone@x.example: 550", ["a@x.example"]) == (said, server.took[0].rcpt_tos)


@pytest.mark.parametrize(("answer", "again"), [("451 later", True), ("554 never", False)])
def test_what_is_tried_again(server: Server, answer: str, again: bool) -> None:
    """4xx is tried again and 5xx is not."""
    server.answer = answer
    with pytest.raises(Unavailable) as raised:
        tell("email", settings(server), notice())

    assert (again, f"the mail server answered {answer}") == (raised.value.retry, raised.value.message)


def test_logs_in(server: Server) -> None:
    """Name and password are used where they are configured."""
    tell("email", settings(server, auth_username="am", auth_password="pw"), notice())

    assert [("am", "pw")] == server.logins


def test_tls_is_required_unless_said_otherwise(server: Server) -> None:
    """A server without STARTTLS is refused by default, before anything is sent."""
    given = settings(server)
    del given["require_tls"]
    with pytest.raises(Unavailable) as raised:
        tell("email", given, notice())

    assert (True, []) == ("STARTTLS" in raised.value.message, server.took)


def test_a_header_cannot_be_broken_into(server: Server) -> None:
    """A line end in a label makes no header of its own."""
    receiver("email", settings(server, headers={"Subject": "{{ .CommonLabels.instance }}"})).notify(
        notice(alert(instance="x\r\nBcc: b@x.example"))
    )

    assert ("x Bcc: b@x.example", None) == (last(server)["Subject"], last(server)["Bcc"])


def test_what_is_missing_is_named() -> None:
    """Without sender and server the error names both, and a server without a port too."""
    with pytest.raises(Invalid) as raised:
        receiver("email", {"to": "a@x.example", "smarthost": "mail"})

    assert {"from", "smarthost"} == {problem.field for problem in raised.value.problems}
