"""Dependencies as seen from here, against real servers: well, failing, hanging, dripping, flooding, lying, expired."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.dependency import Dependencies, Target
from stanch.integrations.dependency.far import fetch
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from tests.support.servers import free_port

NOW = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
QUESTION = Question(
    incident=1, services=("payments",), start=NOW - timedelta(hours=1), end=NOW, onset=NOW - timedelta(minutes=2)
)
HERE = Path(__file__).parent
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
LOOK_S = 20.0
"""What a far end that answers may take: the thread that answers may have to wait for a core."""
HANG_S = 0.5
"""What one that never answers costs."""
DRIP_S = 4.0
"""The same, where something else has to be answered within it."""


def answer(body: object, *, status: str = "200 OK") -> bytes:
    """Return an HTTP answer with a JSON body."""
    raw = json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw


@contextmanager
def server(
    *pieces: bytes, hang: bool = False, repeat: bool = False, drip: bool = False, tls: Path | None = None
) -> Iterator[int]:
    """Give the port of a server that sends these pieces to everybody, then bytes for ever: with `drip`, one by one."""
    stopping = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)

    def talk(raw: socket.socket) -> None:
        try:
            with context.wrap_socket(raw, server_side=True) if context else raw as peer:
                if not hang:
                    peer.recv(65_536)
                for piece in pieces:
                    peer.sendall(piece)
                while repeat and not stopping.is_set():
                    peer.sendall(b"x" * 4096)
                while drip and not stopping.wait(0.05):
                    peer.sendall(b"x")
                while hang and not stopping.wait(0.02):
                    pass
        except OSError:
            return  # the client went away, as it should from a hanging or flooding server

    def listen() -> None:
        while not stopping.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        stopping.set()
        thread.join()
        listener.close()


@pytest.fixture
def closed_port() -> int:
    """Give a port on which nobody listens."""
    return free_port()


def look(target: Target, *, trust: ssl.SSLContext | None = None, look_s: float = LOOK_S) -> list[Finding]:
    """Return what is found out about one target."""
    return Dependencies((target,), look_s=look_s, trust=trust).collect(QUESTION)


def signal(findings: list[Finding], name: str) -> Signal:
    """Return the signal `name` of some findings."""
    return next(each for finding in findings for each in finding.signals if each.name == name)


def acquirer(port: int, *, scheme: str = "http", host: str = "127.0.0.1") -> Target:
    """Return a target that payments needs."""
    return Target(name="acquirer", url=f"{scheme}://{host}:{port}/health", used_by=("payments",))


def page(port: int) -> Target:
    """Return a target of which only a status page is known."""
    return Target(name="acquirer", status_page=f"http://127.0.0.1:{port}", used_by=("payments",))


def test_a_far_end_that_drips_costs_one_look() -> None:
    """A body that comes a byte at a time is left at the time-out; no thread stays with it, so the process can end."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", drip=True) as port:
        found = fetch(f"http://127.0.0.1:{port}/health", timeout_s=DRIP_S)

    assert (200, True) == (found.status, found.took_s < DRIP_S + 10)


def redirect(to: str) -> bytes:
    """Return an answer that leads elsewhere."""
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_redirect_to_another_server_is_not_followed() -> None:
    """What the far end points to elsewhere is not asked: it could be anything that only this machine reaches."""
    with server(OK) as inner, server(redirect(f"http://127.0.0.1:{inner}/secret")) as port:
        found = fetch(f"http://127.0.0.1:{port}/health", timeout_s=LOOK_S)

    assert (302, b"") == (found.status, found.body)


def test_a_redirect_to_another_scheme_is_not_followed() -> None:
    """A redirect to a file or any other scheme is the answer and leads nowhere."""
    with server(redirect("file:///etc/passwd")) as port:
        found = fetch(f"http://127.0.0.1:{port}/health", timeout_s=LOOK_S)

    assert (302, b"") == (found.status, found.body)


def test_a_redirect_in_a_circle_ends() -> None:
    """A server that leads to itself for ever is asked four times."""
    with server(redirect("/again")) as port:
        found = fetch(f"http://127.0.0.1:{port}/health", timeout_s=LOOK_S)

    assert 302 == found.status


def test_an_answer_means_up() -> None:
    """A 200 is up, and the signal is about the target."""
    with server(OK) as port:
        found = signal(look(acquirer(port)), "dependency_up")

    assert (1.0, "acquirer", False) == (found.value, found.data["target"], found.data["raised"])


def test_the_sentence_has_the_status_and_the_time() -> None:
    """What people read says what was answered and how fast."""
    with server(OK) as port:
        summary = look(acquirer(port))[0].summary

    assert summary.startswith("acquirer answered 200 in ") and summary.endswith(" ms")


def test_the_command_repeats_the_look() -> None:
    """The finding carries the curl command that asks the same."""
    with server(OK) as port:
        command = look(acquirer(port))[0].command

    assert (
        f"curl -sS -o /dev/null -m 20 -w '%{{http_code}} %{{time_total}}\\n' http://127.0.0.1:{port}/health" == command
    )


@pytest.mark.parametrize(
    ("status", "up"),
    [
        ("500 Internal Server Error", 0.0),
        ("503 Service Unavailable", 0.0),
        ("401 Unauthorized", 1.0),
        ("404 Not Found", 1.0),
    ],
)
def test_server_errors_are_down_and_refusals_are_up(status: str, up: float) -> None:
    """5xx is down; 401 and 404 come from something that works."""
    with server(answer({}, status=status)) as port:
        found = signal(look(acquirer(port)), "dependency_up")

    assert up == found.value


def test_nobody_listening_is_down(closed_port: int) -> None:
    """A refused connection is a finding that is down, not a failed look."""
    findings = look(acquirer(closed_port))

    assert (FindingStatus.OK, 0.0) == (findings[0].status, signal(findings, "dependency_up").value)


def test_a_hanging_target_costs_its_own_time_out() -> None:
    """A far end that accepts and says nothing is down after the time-out of one look."""
    with server(hang=True) as port:
        began = time.monotonic()
        findings = look(acquirer(port), look_s=HANG_S)
        took_s = time.monotonic() - began

    assert (True, 0.0) == (took_s < 4 * HANG_S + 10, signal(findings, "dependency_up").value)


def test_a_hanging_target_takes_nothing_from_the_others() -> None:
    """Beside a hanging target the others are found out as ever."""
    with server(hang=True) as stuck, server(OK) as well:
        targets = (acquirer(stuck), Target(name="mailer", url=f"http://127.0.0.1:{well}/", used_by=("payments",)))
        findings = Dependencies(targets, look_s=DRIP_S).collect(QUESTION)

    assert 1.0 == signal([each for each in findings if "mailer" in each.services], "dependency_up").value


def test_a_flooding_target_is_cut_off() -> None:
    """A far end that never stops sending is read to its limit and counts as up."""
    with server(b"HTTP/1.1 200 OK\r\n\r\n", repeat=True) as port:
        found = signal(look(acquirer(port)), "dependency_up")

    assert 1.0 == found.value


def test_garbage_is_no_answer() -> None:
    """A far end that does not speak HTTP is down, with the reason."""
    with server(b"\x00\x01\x02 hello\r\n\r\n") as port:
        findings = look(acquirer(port))

    assert (0.0, True) == (signal(findings, "dependency_up").value, "did not answer" in findings[0].summary)


@pytest.mark.parametrize("indicator", ["none", "minor", "major", "critical"])
def test_the_status_page_is_read(indicator: str) -> None:
    """The indicator of a Statuspage v2 answer becomes the signal."""
    with server(answer({"page": {}, "status": {"indicator": indicator, "description": "Slow captures"}})) as port:
        found = signal(look(page(port)), "status_page")

    assert indicator == found.text


def test_the_status_page_is_quoted() -> None:
    """The page's own words stand in the sentence."""
    with server(answer({"status": {"indicator": "major", "description": "Slow captures"}})) as port:
        summary = look(page(port))[0].summary

    assert "The status page of acquirer says: Slow captures (major)" == summary


@pytest.mark.parametrize(
    "body",
    [
        answer([]),
        answer({"status": "fine"}),
        answer({"status": {"indicator": "splendid"}}),
        OK,
        answer({}, status="404 no"),
    ],
    ids=["list", "text", "unknown word", "empty", "not found"],
)
def test_a_page_that_is_no_status_page_says_nothing(body: bytes) -> None:
    """What cannot be read is a failed look without a signal, never "all is well"."""
    with server(body) as port:
        (finding,) = look(page(port))

    assert (FindingStatus.FAILED, ()) == (finding.status, finding.signals)


def test_a_name_that_does_not_resolve_is_said() -> None:
    """The reserved top-level domain `invalid` never resolves, which is a finding of its own."""
    found = signal(look(Target(name="acquirer", url="http://acquirer.invalid/")), "dns_ok")

    assert 0.0 == found.value


def trusting(pem: Path) -> ssl.SSLContext:
    """Return a context that trusts one certificate."""
    return ssl.create_default_context(cafile=str(pem))


def test_a_valid_certificate_says_how_long() -> None:
    """The seconds until a certificate expires are read from the handshake."""
    pem = HERE / "localhost-valid.pem"
    with server(OK, tls=pem) as port:
        found = signal(look(acquirer(port, scheme="https"), trust=trusting(pem)), "tls_expires_s")

    assert found.value is not None and found.value > 86_400


def test_an_expired_certificate_is_told_apart() -> None:
    """An expired certificate is negative time, not merely a failed connection."""
    pem = HERE / "localhost-expired.pem"
    with server(OK, tls=pem) as port:
        found = signal(look(acquirer(port, scheme="https"), trust=trusting(pem)), "tls_expires_s")

    assert (True, "the certificate has expired") == ((found.value or 0) < 0, found.text)


def test_an_untrusted_certificate_is_a_failed_look() -> None:
    """A certificate nobody vouches for says nothing about when it expires."""
    with server(OK, tls=HERE / "localhost-valid.pem") as port:
        findings = look(acquirer(port, scheme="https"))

    assert FindingStatus.FAILED in {each.status for each in findings if "not trusted" in each.summary}


def test_only_what_the_services_need_is_looked_at() -> None:
    """A target that none of the services in question uses is left alone."""
    target = Target(name="warehouse", url="http://127.0.0.1:9/", used_by=("reports",))

    assert [] == look(target)


def test_no_secret_of_a_url_is_shown(closed_port: int) -> None:
    """A password in a URL stands in no field of any finding."""
    target = Target(name="acquirer", url=f"http://alice:hunter2@127.0.0.1:{closed_port}/", used_by=("payments",))

    assert "hunter2" not in repr(look(target))
