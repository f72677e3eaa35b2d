"""Signs that the cause lies outside what was changed: a provider that answers with errors, names that do not resolve,
a region, a node, a certificate that ran out.

Judged by the words of failures alone. A sign says "look there"; ranking weighs it against the changes.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from stanch.diagnose.changes.model import Message

_HOST = re.compile(
    r"(?:(?<=//)|(?<![\w@/.\-]))(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,18}(?![\w\-]|\.\w|[\w\-.]*\()",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"\.(?:local|internal|svc|cluster|lan|intranet|localhost|go|py|js|ts|java|rb|php|rs|c|cc|cpp|h|cs|sql|ya?ml|json|toml|log"
    r"|txt|md|html?|css|conf|cfg|ini|xml|sh|ndjson|sock|exc|errors?|exception|class|properties|items|id|name|index)$",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"(?<!\d)(?:50[0-9]|52\d|429)(?!\d)|service ?unavailable|slow ?down|internal ?error|bad ?gateway|throttl"
    r"|rate.?limit|too many requests|quota exceeded|maintenance|degraded",
    re.IGNORECASE,
)
_UNREACHED = re.compile(r"deadline|time(?:d)? ?out|refused|unreachable|reset by peer|no route|handshake", re.IGNORECASE)
_NAMES = re.compile(
    r"no such host|enotfound|eai_again|servfail|nxdomain|server misbehaving|nameserver"
    r"|name (?:or service not known|resolution)|could not resolve|temporary failure in name"
    r"|name resolver error|unknown ?host",
    re.IGNORECASE,
)
_CERTIFICATE = re.compile(
    r"certificate (?:has )?expired|cert\w* .{0,20}not valid after|x509: certificate has expired", re.IGNORECASE
)
_MACHINE = re.compile(
    r"node ?not ?ready|spot (?:interruption|termination)|preempt|evicted|instance .{0,20}(?:terminated|retired|stopped)"
    r"|kernel panic|i/o error|ecc |mce:|hardware error|hypervisor|availability zone|read-only file ?system.{0,20}ext4"
    r"|network is unreachable|no route to host|link down|packet loss|bgp|host maintenance"
    r"|volume .{0,20}(?:degraded|impaired)",
    re.IGNORECASE,
)
_CLOUD = re.compile(
    r"\b(?:region|zone|az)[=: ]+[a-z]{2,}(?:-[a-z]+)?-?\d|\b(?:aws|gcp|azure|s3|dynamodb|sqs|sns|lambda|bigquery|gcs"
    r"|blob storage|cloudfront|cloudflare|fastly|akamai)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class OutsideSign:
    """Something outside that seems to fail: what, the services that say so, how strong (log-odds), one sample."""

    what: str
    services: tuple[str, ...]
    weight: float
    sample: str


def outside_signs(messages: Sequence[Message], *, known: Collection[str]) -> list[OutsideSign]:
    """Return the signs found in the failures' words, the strongest first; `known` are the names of our own services."""
    signs = [
        *_hosts(messages, known=known),
        *_worded(messages, _NAMES, "names that do not resolve", alone=1.5, together=3.0),
        *_worded(messages, _CERTIFICATE, "a certificate that ran out", alone=2.5, together=3.0),
        *_worded(messages, _MACHINE, "a machine, a zone or its network", alone=2.0, together=3.0),
    ]
    return sorted(signs, key=lambda sign: (-sign.weight, sign.what))


def _hosts(messages: Iterable[Message], *, known: Collection[str]) -> Iterable[OutsideSign]:
    """Find named hosts or clouds of others that answer with failure (strong) or do not answer (weaker)."""
    heard: dict[str, list[tuple[Message, bool]]] = {}
    for message in messages:
        answered = _ANSWERED.search(message.text) is not None
        if not answered and _UNREACHED.search(message.text) is None:
            continue
        for host in _foreign_hosts(message.text, known=known):
            heard.setdefault(host, []).append((message, answered))
        if answered and _CLOUD.search(message.text):
            heard.setdefault("a cloud service", []).append((message, answered))
    for host, said in heard.items():
        answers = any(answered for _, answered in said)
        services = tuple(sorted({message.service for message, _ in said}))
        weight = (3.5 if answers else 1.2) + (0.7 if len(services) > 1 else 0.0)
        best = next(message for message, answered in said if answered == answers)
        yield OutsideSign(what=host, services=services, weight=weight, sample=best.text[:300])


def _worded(
    messages: Iterable[Message], pattern: re.Pattern[str], what: str, *, alone: float, together: float
) -> Iterable[OutsideSign]:
    said = [message for message in messages if pattern.search(message.text)]
    if said:
        services = tuple(sorted({message.service for message in said}))
        weight = together if len(services) > 1 else alone
        yield OutsideSign(what=what, services=services, weight=weight, sample=said[0].text[:300])


def _foreign_hosts(text: str, *, known: Collection[str]) -> set[str]:
    found = set()
    for match in _HOST.finditer(text):
        host = match.group(0).lower()
        if _INSIDE.search(host) or any(part in known for part in host.split(".")):
            continue
        # `pkg.Type.method` and `module.name` have capitals or a call behind them; a host has a known kind of ending.
        if match.group(0) != host or (host.count(".") == 1 and len(host.rsplit(".", 1)[1]) > 4):
            continue
        found.add(host)
    return found
