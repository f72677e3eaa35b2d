"""The DNS check: is the record there, is it the right one, and how long does the resolver take."""

import re
import time
from datetime import datetime
from typing import Final

import dns.exception
import dns.nameserver
import dns.resolver

from stanch.kernel.event import JSON
from stanch.ports.checks import DnsCheck
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 4.0
_PORT: Final = 53
_MOST_SHOWN: Final = 10
_PLACE: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]+))?")


class DnsSampler:
    """Asks for one record of a name. Answers are compared in lower case and without the dot at the end."""

    def __init__(self, settings: DnsCheck | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings or DnsCheck()
        self._timeout_s = timeout_s

    @property
    def kind(self) -> str:
        """Return `dns`."""
        return "dns"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Ask once. What is not right is told in the note of the check."""
        try:
            resolver = self._resolver()
        except dns.resolver.NoResolverConfiguration:
            return Look(trouble="this machine names no resolver; say which to ask in `servers`")
        began = time.perf_counter()
        wrong, found = self._ask(resolver, target)
        took_ms = (time.perf_counter() - began) * 1000
        wrong = wrong or self._unexpected(target, found)
        limit = self._settings.below_ms
        if not wrong and limit is not None and took_ms > limit:
            wrong = f"the answer for {target} took {took_ms:,.0f} ms, where {limit:,.0f} ms is the limit"
        return Look(
            samples=(
                Sample(service=service, metric="check", value=0.0 if wrong else 1.0, at=now, note=wrong),
                Sample(service=service, metric="check_latency_ms", value=took_ms, at=now),
            )
        )

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self._settings.servers)
        if self._settings.servers:
            resolver.nameservers = [_server(one) for one in self._settings.servers]
        resolver.lifetime = self._timeout_s
        resolver.timeout = min(resolver.timeout, self._timeout_s / 2)
        return resolver

    def _ask(self, resolver: dns.resolver.Resolver, target: str) -> tuple[str, list[str]]:
        kind = self._settings.type
        try:
            answer = resolver.resolve(target, kind, search=False)
        except dns.resolver.NXDOMAIN:
            return f"there is no name {target}", []
        except dns.resolver.NoAnswer:
            return f"{target} has no record of type {kind}", []
        except dns.exception.Timeout:
            return f"no resolver answered for {target} within {self._timeout_s:g} s", []
        except dns.resolver.NoNameservers as error:
            return f"the resolvers refuse to answer for {target}: {str(error)[:200]}", []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return f"{target} could not be asked for: {(str(error) or type(error).__name__)[:200]}", []
        return "", sorted(_plain(record.to_text()) for record in answer)

    def _unexpected(self, target: str, found: list[str]) -> str:
        wanted = sorted(_plain(one) for one in self._settings.expect)
        if not wanted or wanted == found:
            return ""
        return f"{target} {self._settings.type} is {', '.join(found[:_MOST_SHOWN])}, where {', '.join(wanted)} is right"


def _server(place: str) -> dns.nameserver.Do53Nameserver:
    found = _PLACE.fullmatch(place)
    if found is None:
        return dns.nameserver.Do53Nameserver(place, _PORT)
    return dns.nameserver.Do53Nameserver(found["six"] or found["four"], int(found["port"] or _PORT))


def _plain(text: str) -> str:
    return text.strip('"') if text.startswith('"') else text.lower().removesuffix(".")
