"""Asking a system over HTTP: one request that reads, to its own address and to no other."""

from datetime import UTC, datetime

import pytest

from stanch.integrations.http import HttpSource
from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON
from stanch.ports.query import Ask, SystemSpec
from tests.support.farend import Asked, Reply, site
from tests.support.servers import free_port

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
TOKEN = "tok-hunter2hunter2"


def asked(url: str, text: str, *, secret: str = "", user: str = "") -> dict[str, JSON]:
    """Ask a system at `url` and return its row."""
    source = HttpSource(SystemSpec(name="flags", kind="http", url=url, secret=secret, user=user))
    with source.open() as session:
        (row,) = session.ask(Ask(text=text, start=NOW, end=NOW)).rows
    return row


def test_an_answer_is_a_row_with_its_document() -> None:
    """Status, time and body; JSON is read."""
    with site(lambda one: Reply(body='{"depth": 3}')) as far:
        row = asked(far.url, "GET /queue")

    assert (200, {"depth": 3}) == (row["status"], row["body"])


def test_the_token_goes_along() -> None:
    """To the system's own address, as a bearer."""
    with site(lambda one: Reply()) as far:
        asked(far.url, "GET /queue", secret=TOKEN)

    assert f"Bearer {TOKEN}" == far.asked[0].headers["Authorization"]


def test_a_password_with_a_user_is_basic() -> None:
    """As servers of brokers want it."""
    with site(lambda one: Reply()) as far:
        asked(far.url, "GET /queue", secret=TOKEN, user="looker")

    assert far.asked[0].headers["Authorization"].startswith("Basic ")


def test_no_redirect_is_followed() -> None:
    """It would carry the token elsewhere."""
    with site(lambda one: Reply(status=302, headers=(("Location", "http://127.0.0.1:1/"),))) as far:
        row = asked(far.url, "GET /queue", secret=TOKEN)

    assert (302, 1) == (row["status"], len(far.asked))


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:1/x", "http://evil.example/api/x", "/../admin", "/%2e%2e/admin", "http://a@{place}/api/x"],
)
def test_what_lies_outside_is_refused(target: str) -> None:
    """A system's address is where it ends, and nothing is sent beyond it."""
    with site(lambda one: Reply()) as far:
        with pytest.raises(Refused):
            asked(f"{far.url}/api", f"GET {target.format(place=far.url.partition('//')[2])}", secret=TOKEN)

        assert [] == far.asked


def test_only_what_reads_is_sent() -> None:
    """Anything else is a plan's."""
    with pytest.raises(Refused):
        asked("http://127.0.0.1:1", "POST /queue")


def test_that_nobody_answers_is_an_answer() -> None:
    """Whoever asks whether a service is there is told that it is not."""
    row = asked(f"http://127.0.0.1:{free_port()}", "GET /health")

    assert (0, True) == (row["status"], "cannot be reached" in str(row["trouble"]))


def test_a_body_that_holds_a_secret_is_redacted() -> None:
    """What comes back goes into a log that is kept for ever."""

    def answer(one: Asked) -> Reply:
        return Reply(body="postgresql://app:hunter2secret@db/shop")

    with site(answer) as far:
        row = asked(far.url, "GET /config")

    assert "hunter2secret" not in str(row["body"])
