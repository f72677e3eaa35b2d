"""What people and devices may tell besides senders: alerts by mail, and customers' reports. Records, keys, reading."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Problem
from stanch.kernel.pattern import pattern

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LISTEN: Final = re.compile(r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):(\d{1,5})")
# What stands before the @ is followed by a plus sign and a token of 40 letters, in the 64 that RFC 5321 allows.
_REPLIES: Final = re.compile(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]{1,200}")
_HIGHEST_PORT: Final = 65_535
_LOOPBACK: Final = ("127.0.0.1:", "localhost:", "[::1]:")


@dataclass(frozen=True, kw_only=True)
class MailRule:
    """How mails of one kind are read. All expressions that are given must be found; the first rule that fits counts.

    Texts may name groups of the expressions: `title = "{check} on {host}"`.
    """

    subject: str = ""
    sender: str = ""
    body: str = ""
    title: str = ""
    severity: str = ""
    service: str = ""
    resolved: str = ""
    ignore: bool = False


@dataclass(frozen=True, kw_only=True)
class MailSpec:
    """Where mail is taken, `[mail]`; not at all while `listen` is empty. Tokens stand in the environment alone."""

    listen: str = ""
    senders: tuple[str, ...] = ()
    token_env: str = ""
    severity: str = "warning"
    service: str = ""
    largest_bytes: int = 1_048_576
    replies: str = ""
    rules: tuple[MailRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportSpec:
    """The form for customers' reports, `[report]`. So many reports of a service within `within_s` are an alert."""

    enabled: bool = True
    public: bool = False
    count: int = 3
    within_s: float = 600.0
    severity: str = "error"
    per_address: int = 5
    overall: int = 100


MAIL: Final = (
    Key(name="listen", type=Type.TEXT, doc="Address and port to take mail at, `127.0.0.1:2525`; without it, none."),
    Key(name="senders", type=Type.TEXTS, doc="Who may send: addresses, or `@example.com` for all of a domain."),
    Key(name="token_env", type=Type.TEXT, doc="Environment variable with tokens: mail goes to `alerts+TOKEN@...`."),
    Key(name="severity", type=Type.TEXT, doc="The severity of a mail to which no rule gives one."),
    Key(name="service", type=Type.TEXT, doc="The service of a mail to which no rule gives one."),
    Key(
        name="replies",
        type=Type.TEXT,
        doc="Address by which replies to pages reach this listener, `page@stanch.example`; without it, none are taken.",
    ),
    Key(name="largest_bytes", type=Type.INTEGER, doc="How large a mail may be.", low=1024, high=10_485_760),
    Key(
        name="rules", type=Type.LIST_OF_TABLES, doc="How mails are read, `[[mail.rules]]`; the first that fits counts."
    ),
)

MAIL_RULE: Final = (
    Key(name="subject", type=Type.TEXT, doc="Regular expression found in the subject."),
    Key(name="sender", type=Type.TEXT, doc="Regular expression found in the sender's address."),
    Key(name="body", type=Type.TEXT, doc="Regular expression found in the text."),
    Key(name="title", type=Type.TEXT, doc="The alert's name; `{group}` is a named group of an expression."),
    Key(name="severity", type=Type.TEXT, doc="Its severity; groups as above."),
    Key(name="service", type=Type.TEXT, doc="Its service; groups as above."),
    Key(name="resolved", type=Type.TEXT, doc="Regular expression found in subject or text when it is over."),
    Key(name="ignore", type=Type.BOOLEAN, doc="Such a mail is taken, and leads to nothing."),
)

REPORT: Final = (
    Key(name="enabled", type=Type.BOOLEAN, doc="Whether there is a form at `/report`."),
    Key(name="public", type=Type.BOOLEAN, doc="Whether it is open to everyone who reaches the server, without token."),
    Key(name="count", type=Type.INTEGER, doc="So many reports of a service are an alert.", low=1, high=1000),
    Key(
        name="within_s",
        type=Type.SECONDS,
        doc="Within this time; without one for as long it is over.",
        low=60,
        high=86_400,
    ),
    Key(name="severity", type=Type.TEXT, doc="The severity of that alert."),
    Key(
        name="per_address", type=Type.INTEGER, doc="Reports that one address may send in ten minutes.", low=1, high=1000
    ),
    Key(
        name="overall", type=Type.INTEGER, doc="Reports that all together may send in ten minutes.", low=1, high=100_000
    ),
)


def read_mail(top: Reader, problems: list[Problem], *, services: Sequence[str]) -> dict[str, object]:
    """Return `[mail]` as data, and note what is wrong with it."""
    reader = Reader(top.table("mail"), at="mail", keys=MAIL, problems=problems)
    listen = reader.text("listen")
    found = _LISTEN.fullmatch(listen)
    if listen and (found is None or not 0 < int(found[1]) <= _HIGHEST_PORT):
        reader.complain("listen", "is not an address and a port, such as 127.0.0.1:2525")
    replies = reader.text("replies")
    if replies and not _REPLIES.fullmatch(replies):
        reader.complain("replies", "is no address such as page@stanch.example, without a plus sign")
    if replies.lower().startswith("alerts@"):
        reader.complain("replies", "is the mailbox of alerts; choose another name before the @")
    if replies and not listen:
        reader.complain("replies", "needs listen: replies are taken there")
    token_env = reader.text("token_env")
    if token_env and not _VARIABLE.fullmatch(token_env):
        reader.complain("token_env", "must be the name of an environment variable; the token itself is never here")
    if listen and not listen.startswith(_LOOPBACK) and not token_env and not reader.texts("senders"):
        reader.complain("token_env", "is missing: other machines may send here, so say token_env, senders, or both")
    rules = [
        _rule(reader.inner(table, at=f"rules.{number}", keys=MAIL_RULE), services=services)
        for number, table in enumerate(reader.tables("rules"))
    ]
    return {**reader.given(), "rules": rules}


def read_report(top: Reader, problems: list[Problem]) -> dict[str, object]:
    """Return `[report]` as data."""
    return Reader(top.table("report"), at="report", keys=REPORT, problems=problems).given()


def _rule(reader: Reader, *, services: Sequence[str]) -> dict[str, object]:
    groups: set[str] = set()
    for key in ("subject", "sender", "body", "resolved"):
        try:
            groups |= pattern(reader.text(key)).names
        except ValueError as error:
            reader.complain(key, f"is no regular expression: {error}")
    for key in ("title", "severity", "service"):
        for name in re.findall(r"\{(\w*)\}", reader.text(key)):
            if name not in groups:
                reader.complain(key, f"names no group of an expression: {{{name}}}{did_you_mean(name, tuple(groups))}")
    service = reader.text("service")
    if service and "{" not in service and service not in services:
        reader.complain("service", f"names no service: {service!r}{did_you_mean(service, services)}")
    return reader.given()
