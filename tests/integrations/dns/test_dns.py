"""The DNS check against a small resolver that answers from a table."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from stanch.integrations.dns import DnsSampler
from stanch.ports.checks import DnsCheck

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = {
    ("shop.example.", "A"): ["192.0.2.7", "192.0.2.8"],
    ("www.shop.example.", "CNAME"): ["shop.example."],
    ("shop.example.", "TXT"): ['"v=spf1 -all"'],
}


@contextlib.contextmanager
def resolver(*, answers: bool = True) -> Iterator[str]:
    """Run a resolver on a free port; one that does not answer takes what it is asked and says nothing."""
    over = threading.Event()
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", 0))
    wire.settimeout(0.05)

    def serve() -> None:
        while not over.is_set():
            try:
                data, peer = wire.recvfrom(4096)
            except TimeoutError:
                continue
            if answers:
                wire.sendto(_answer(dns.message.from_wire(data)).to_wire(), peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{wire.getsockname()[1]}"
    finally:
        over.set()
        thread.join()
        wire.close()


def _answer(query: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    question = query.question[0]
    name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    if (name, kind) in ZONE:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ZONE[name, kind]))
    elif not any(known == name for known, _ in ZONE):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


def wrong(name: str, settings: DnsCheck, *, timeout_s: float = 20.0) -> str:
    """Return what one look finds wrong."""
    look = DnsSampler(settings, timeout_s=timeout_s).look(service="shop", target=name, cursor={}, now=NOW)
    return look.samples[0].note


@pytest.mark.parametrize(
    ("name", "kind", "expect", "said"),
    [
        ("shop.example", "A", (), ""),
        ("shop.example", "A", ("192.0.2.8", "192.0.2.7"), ""),
        ("shop.example", "A", ("192.0.2.7",), "shop.example A is 192.0.2.7, 192.0.2.8, where 192.0.2.7 is right"),
        ("www.shop.example", "CNAME", ("Shop.Example",), ""),
        ("shop.example", "TXT", ("v=spf1 -all",), ""),
        ("shop.example", "MX", (), "shop.example has no record of type MX"),
        ("gone.example", "A", (), "there is no name gone.example"),
    ],
)
def test_record(name: str, kind: str, expect: tuple[str, ...], said: str) -> None:
    """The record is there, and the right one, or it is said what is wrong."""
    with resolver() as server:
        assert said == wrong(name, DnsCheck(type=kind, expect=expect, servers=(server,)))


def test_resolver_that_says_nothing() -> None:
    """A resolver that does not answer is left in time."""
    with resolver(answers=False) as server:
        found = wrong("shop.example", DnsCheck(servers=(server,)), timeout_s=0.4)

    assert "no resolver answered for shop.example within 0.4 s" == found


def test_slow_resolver() -> None:
    """A limit on the time of the answer is kept."""
    with resolver() as server:
        assert "ms is the limit" in wrong("shop.example", DnsCheck(servers=(server,), below_ms=0.001))
