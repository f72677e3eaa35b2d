"""What each provider's own protocol asks for beyond the contract."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from stanch.integrations.apprise import ApprisePager
from stanch.integrations.file import FilePager
from stanch.integrations.ntfy import NtfyPager
from stanch.integrations.smtp import SmtpPager
from stanch.integrations.twilio import TwilioPager
from stanch.integrations.twilio.callbacks import signature
from stanch.integrations.webhook.pager import signature as webhook_signature
from stanch.kernel.errors import Forbidden
from stanch.ports.pager import Failure, NewsKind, NotTaken, Page, PagerSettings
from stanch.ports.signals import Inbound
from tests.integrations.pagers.cases import CASES, Homeserver
from tests.integrations.pagers.far import NOWHERE, SECRET, Answer, far_end
from tests.support.mail import mail_server

# Apprise itself imports what Python will drop.
APPRISE = pytest.mark.filterwarnings("ignore:.*imghdr.*:DeprecationWarning")
BY_NAME = {case.name: case for case in CASES}


@dataclass
class Mailbox:
    """A mail server's hands: takes what comes, or answers what it was told to."""

    answer: str = "250 OK"
    took: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        if self.answer.startswith("250"):
            self.took.append(envelope)
        return self.answer


@pytest.fixture
def mailbox() -> Mailbox:
    """Give a mailbox."""
    return Mailbox()


@pytest.fixture
def mail(mailbox: Mailbox) -> Iterator[SmtpPager]:
    """Give a pager of a real mail server that puts mail into the mailbox."""
    with mail_server(mailbox) as port:
        settings = PagerSettings(name="mail", kind="smtp", url=f"smtp://127.0.0.1:{port}", sender="stanch@example.org")
        yield SmtpPager(settings)


def mailed() -> Page:
    """Return a page by mail."""
    return Page(
        id="page7/n3",
        kind="email",
        address="alice@example.org",
        subject="[SEV1] INC-4",
        text="SEV1: INC-4",
        link="https://stanch.example/a/t",
        incident=4,
    )


def text_of(envelope: Envelope) -> str:
    """Return a mail's text."""
    content = envelope.content
    assert isinstance(content, bytes)
    return content.decode()


def test_mail_is_accepted(mail: SmtpPager, mailbox: Mailbox) -> None:
    """A mail server takes the page, for the person and nobody else."""
    mail.page(mailed())

    assert [["alice@example.org"]] == [envelope.rcpt_tos for envelope in mailbox.took]


def test_a_mail_has_one_id(mail: SmtpPager, mailbox: Mailbox) -> None:
    """The same page sent twice is the same Message-ID twice, so that mailboxes may show it once."""
    references = {mail.page(mailed()).reference for _ in range(2)}
    lines = {
        line for envelope in mailbox.took for line in text_of(envelope).splitlines() if line.startswith("Message-ID")
    }

    assert (1, 1) == (len(references), len(lines))


def test_a_mail_says_that_a_program_sent_it(mail: SmtpPager, mailbox: Mailbox) -> None:
    """Auto-Submitted keeps holiday notices from answering."""
    mail.page(mailed())

    assert "Auto-Submitted: auto-generated" in text_of(mailbox.took[0])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 no such user", Failure.REFUSED),
        ("451 try again later", Failure.UNREACHABLE),
        ("450 mailbox busy", Failure.THROTTLED),
    ],
)
def test_a_mail_server_says_no(mail: SmtpPager, mailbox: Mailbox, answer: str, expected: Failure) -> None:
    """Codes of 5 are final, codes of 4 are not, and the server's words are kept."""
    mailbox.answer = answer
    with pytest.raises(NotTaken) as trouble:
        mail.page(mailed())

    assert (expected, True) == (trouble.value.failure, answer[4:] in str(trouble.value))


def test_no_mail_server() -> None:
    """Where no server listens nothing was sent."""
    with pytest.raises(NotTaken) as trouble:
        SmtpPager(PagerSettings(name="mail", kind="smtp", url="smtp://127.0.0.1:1")).page(mailed())

    assert Failure.UNREACHABLE is trouble.value.failure


def test_a_slow_mail_server_has_one_deadline() -> None:
    """A server that is slow at every step gets one deadline for them all, and what was not begun has not arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = PagerSettings(name="mail", kind="smtp", url=f"smtp://127.0.0.1:{port}")
        with pytest.raises(NotTaken) as trouble:
            SmtpPager(settings, within_s=0.2).page(mailed())

    assert (Failure.UNREACHABLE, "mail gave no answer: not done within 0.2 s") == (
        trouble.value.failure,
        str(trouble.value),
    )


def test_ntfy_has_a_button_that_posts() -> None:
    """A push message acknowledges by a POST of its button, so that no page has to be opened."""
    case = BY_NAME["ntfy"]
    with far_end(case.speak) as far, case.opened(far) as pager:
        pager.page(case.page(far))
        button = far.got[0].json["actions"][0]

    assert ("http", "POST", "https://stanch.example/a/7.3.x.y") == (button["action"], button["method"], button["url"])


def test_a_token_goes_to_its_own_server_alone() -> None:
    """An address on another ntfy server is posted to without the token of ours."""
    case = BY_NAME["ntfy"]
    with far_end(case.speak) as ours, far_end(case.speak) as other, case.opened(ours) as pager:
        pager.page(case.page(other))

    assert "authorization" not in other.got[0].headers


def test_a_token_without_a_server_goes_nowhere() -> None:
    """A token that is said to be for no server is sent to none."""
    case = BY_NAME["ntfy"]
    with far_end(case.speak) as far:
        pager = NtfyPager(PagerSettings(name="ntfy", kind="ntfy", secret="tk_1"))
        pager.page(case.page(far))
        pager.close()

    assert "authorization" not in far.got[0].headers


def test_a_webhook_is_signed() -> None:
    """The signature covers the time and the body as they came."""
    case = BY_NAME["webhook"]
    with far_end(case.speak) as far, case.opened(far) as pager:
        pager.page(case.page(far))
        got = far.got[0]
    said = got.headers["stanch-signature"]
    at = int(said.split(",")[0].removeprefix("t="))

    assert webhook_signature(SECRET, got.body, at=at) == said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("channel_not_found", Failure.REFUSED),
        ("invalid_auth", Failure.CREDENTIALS),
        ("ratelimited", Failure.THROTTLED),
        ("internal_error", Failure.UNREACHABLE),
    ],
)
def test_slack_says_no_with_status_200(error: str, expected: Failure) -> None:
    """An answer that is not `ok` is no success, whatever its status."""
    case = BY_NAME["slack"]
    no = Answer(200, {"ok": False, "error": error})
    with far_end(lambda got, count: no) as far, case.opened(far) as pager, pytest.raises(NotTaken) as trouble:
        pager.page(case.page(far))

    assert expected is trouble.value.failure


def test_a_direct_room_is_made_once() -> None:
    """A user of Matrix gets one room, which is found again by another process."""
    case, server = BY_NAME["matrix"], Homeserver()
    with far_end(server) as far:
        for _ in range(2):
            with case.opened(far) as pager:
                pager.page(_to(case.page(far), "@alice:example.org"))

    assert (1, {"@alice:example.org": ["!room1"]}) == (server.made, server.direct)


def test_matrix_takes_a_transaction_once() -> None:
    """The same page sent twice is one event."""
    case, server = BY_NAME["matrix"], Homeserver()
    with far_end(server) as far, case.opened(far) as pager:
        references = {pager.page(case.page(far)).reference for _ in range(2)}

    assert {"$event1"} == references


def test_matrix_says_how_long_to_wait() -> None:
    """The homeserver's `retry_after_ms` is kept, in seconds."""
    case = BY_NAME["matrix"]
    limited = Answer(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500})
    with far_end(lambda got, count: limited) as far, case.opened(far) as pager, pytest.raises(NotTaken) as trouble:
        pager.page(case.page(far))

    assert 2.5 == trouble.value.retry_after_s


def _to(page: Page, address: str) -> Page:
    return Page(id=page.id, kind=page.kind, address=address, subject=page.subject, text=page.text)


def test_a_text_message_is_short() -> None:
    """A long title is cut so that link and number of the page still fit into three segments."""
    case = BY_NAME["twilio"]
    with far_end(case.speak) as far, case.opened(far) as pager:
        page = case.page(far)
        long = Page(id="p", kind="sms", address=page.address, subject="", text="x" * 2000, link=page.link, number=7)
        pager.page(long)
        body = far.got[0].form["Body"][0]

    assert (True, True) == (len(body) <= 459, body.endswith(f"{page.link} or reply ack 7"))


def test_a_call_asks_for_a_key() -> None:
    """The call's TwiML gathers one key and posts it to this page's own address."""
    case = BY_NAME["voice"]
    with far_end(case.speak) as far, case.opened(far) as pager:
        pager.page(case.page(far))
        said = far.got[0].form["Twiml"][0]

    assert 'numDigits="1"' in said
    assert "/pager/voice/gather?page=page7%2Fn3" in said


URL = "https://stanch.example/pager/voice/status?page=page7%2Fn3"


def report(what: str, *, url: str = URL, signed: bool = True, **form: str) -> Inbound:
    """Return a callback of Twilio's."""
    secret = BY_NAME["voice"].settings(NOWHERE).secret if signed else "guessed"
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    headers = {"x-twilio-signature": signature(secret, url, list(form.items()))}
    return Inbound(body=body, headers=headers, query={"page": "page7/n3"}, path=f"/pager/voice/{what}")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("delivered", NewsKind.DELIVERED), ("read", NewsKind.SEEN), ("undelivered", NewsKind.FAILED)],
)
def test_a_status_is_news(status: str, expected: NewsKind) -> None:
    """Twilio's status callbacks move the notice that they name."""
    heard = _twilio().hear(report("status", MessageStatus=status), url=URL)

    assert [(expected, "page7/n3")] == [(one.kind, one.page) for one in heard.news]


def test_the_right_key_acknowledges() -> None:
    """Four on the phone takes the page on."""
    heard = _twilio().hear(report("gather", Digits="4"), url=URL)

    assert [NewsKind.ACKNOWLEDGED] == [one.kind for one in heard.news]


def test_another_key_does_not() -> None:
    """Any other key, as an answering machine may press, acknowledges nothing."""
    heard = _twilio().hear(report("gather", Digits="1"), url=URL)

    assert () == heard.news


def test_a_guessed_signature_is_refused() -> None:
    """Without the auth token nobody reports anything."""
    with pytest.raises(Forbidden):
        _twilio().hear(report("gather", signed=False, Digits="4"), url=URL)


def test_the_published_vector_of_the_signature() -> None:
    """The signature is the one that Twilio's own documentation computes for its example."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert "RSOYDt4T1cUTdK1PDd93/VVr8B8=" == signature("12345", url, list(form.items()))


def _twilio() -> TwilioPager:
    return TwilioPager(BY_NAME["voice"].settings(NOWHERE))


def test_a_file_holds_a_page_once(tmp_path: Path) -> None:
    """Handed over twice, a page is one line."""
    pager = FilePager(PagerSettings(name="file", kind="file", root=str(tmp_path)))
    page = Page(id="page1/n1", kind="file", address="pages.jsonl", subject="s", text="t")
    pager.page(page)
    pager.page(page)

    assert ["page1/n1"] == [json.loads(line)["id"] for line in (tmp_path / "pages.jsonl").read_text().splitlines()]


@APPRISE
def test_apprise_hands_over() -> None:
    """A page goes to whatever service the address names: here a JSON endpoint."""
    with far_end(lambda got, count: Answer(200)) as far:
        address = far.url.replace("http://", "json://") + "/hook"
        ApprisePager(PagerSettings(name="apprise", kind="apprise")).page(
            Page(id="p", kind="apprise", address=address, subject="s", text="SEV1: it fails")
        )
        got = far.got

    assert ["SEV1: it fails"] == [one.json["message"].strip() for one in got]


@APPRISE
def test_apprise_does_not_know_the_address() -> None:
    """An address that Apprise does not know is refused for good."""
    with pytest.raises(NotTaken) as trouble:
        ApprisePager(PagerSettings(name="apprise", kind="apprise")).page(
            Page(id="p", kind="apprise", address="nosuch://x", subject="s", text="t")
        )

    assert Failure.REFUSED is trouble.value.failure
