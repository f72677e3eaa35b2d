"""Which family of failure an error's words belong to: pool time-out, refused, out of memory, lock, and so on.

Words of common servers, drivers and languages; a family is evidence, never proof. Pure.
"""

import re
from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """What kind of trouble an error message tells of."""

    POOL = "pool time-out"
    TIMEOUT = "time-out"
    REFUSED = "refused connection"
    RESET = "broken connection"
    DNS = "name resolution"
    TLS = "certificate"
    MEMORY = "out of memory"
    DISK = "disk full"
    FILES = "too many open files"
    OVERLOAD = "overload"
    LOCK = "lock"
    QUERY = "slow query"
    SCHEMA = "schema"
    DATA = "bad data"
    CODE = "programming error"
    UPSTREAM = "failing call"


# In order: the first family that fits wins, so "connection pool timeout" is no plain time-out.
_PATTERNS: Final[tuple[tuple[Family, tuple[str, ...]], ...]] = (
    (
        Family.POOL,
        (
            r"pool ?timeout",
            r"(?:connection )?pool (?:is )?(?:exhaust|full|timeout|timed out|limit)",
            r"QueuePool limit",
            r"too many (?:clients|connections)",
            r"remaining connection slots",
            r"HikariPool.{0,40}not available",
            r"no (?:free|available|idle) connection",
            r"max(?:imum)? (?:number of )?connections (?:reached|exceeded)",
            r"could not (?:obtain|acquire|get) (?:a )?(?:jdbc )?connection",
        ),
    ),
    (
        Family.TLS,
        (
            r"certificate (?:has )?expired",
            r"certificate is not yet valid",
            r"CERTIFICATE_VERIFY_FAILED",
            r"x509:",
            r"tls:? (?:handshake|alert)",
            r"SSLError",
            r"unable to (?:get local issuer|verify the first) certificate",
            r"SSLHandshakeException",
            r"CertificateExpired",
        ),
    ),
    (
        Family.MEMORY,
        (
            r"out of memory",
            r"OutOfMemory",
            r"OOMKill",
            r"MemoryError",
            r"cannot allocate memory",
            r"ENOMEM",
            r"heap (?:space|limit)",
            r"oom-kill",
        ),
    ),
    (
        Family.DISK,
        (
            r"no space left",
            r"ENOSPC",
            r"disk (?:is )?full",
            r"disk quota",
            r"database or disk is full",
            r"could not extend file",
        ),
    ),
    (
        Family.FILES,
        (
            r"too many open files",
            r"EMFILE",
            r"ENFILE",
        ),
    ),
    (
        Family.LOCK,
        (
            r"deadlock",
            r"lock (?:wait )?time-?out",
            r"database is locked",
            r"could not (?:obtain|serialize)",
            r"LockNotAvailable",
            r"lock request",
            r"waiting for .{0,30}lock",
            r"SQLITE_BUSY",
        ),
    ),
    (
        Family.QUERY,
        (
            r"slow query",
            r"statement time-?out",
            r"canceling statement",
            r"query (?:execution )?(?:timed out|was interrupted|time-?out)",
            r"max_execution_time",
            r"QueryCanceled",
        ),
    ),
    (
        Family.SCHEMA,
        (
            r"no such (?:table|column|index)",
            r"(?:relation|column|table) .{0,80}does not exist",
            r"unknown column",
            r"UndefinedColumn",
            r"UndefinedTable",
            r"doesn't exist",
            r"missing column",
        ),
    ),
    (
        Family.OVERLOAD,
        (
            r"overload",
            r"too many requests",
            r"\b429\b",
            r"rate limit",
            r"throttl",
            r"queue (?:is )?full",
            r"no .{0,30}(?:worker|slot)s? (?:free|available)",
            r"server (?:is )?busy",
            r"backpressure",
            r"load shed",
        ),
    ),
    (
        Family.DNS,
        (
            r"name or service not known",
            r"getaddrinfo",
            r"ENOTFOUND",
            r"EAI_AGAIN",
            r"no such host",
            r"UnknownHost",
            r"name resolution",
            r"NXDOMAIN",
            r"SERVFAIL",
        ),
    ),
    (
        Family.REFUSED,
        (
            r"connection refused",
            r"ECONNREFUSED",
            r"refused the connection",
            r"ConnectError",
            r"actively refused",
        ),
    ),
    (
        Family.TIMEOUT,
        (
            r"timed? ?-?out",
            r"time-?out",
            r"ETIMEDOUT",
            r"deadline exceeded",
            r"did not answer",
            r"no (?:answer|response) (?:within|after|in)",
            r"TimeoutError",
            r"\b504\b",
        ),
    ),
    (
        Family.RESET,
        (
            r"connection (?:to .{1,60} )?(?:was )?(?:reset|broke|closed|aborted|lost)",
            r"ECONNRESET",
            r"EPIPE",
            r"broken pipe",
            r"unreachable",
            r"no route to host",
            r"unexpected EOF",
            r"socket hang up",
            r"RemoteDisconnected",
        ),
    ),
    (
        Family.UPSTREAM,
        (
            r"bad gateway",
            r"upstream",
            r"\b50[23]\b",
            r"service unavailable",
            r"answered 5\d\d",
            r"status(?: code)?:? 5\d\d",
            r"circuit (?:breaker )?(?:is )?open",
        ),
    ),
    (
        Family.DATA,
        (
            r"ValidationError",
            r"IntegrityError",
            r"constraint",
            r"JSONDecode",
            r"invalid (?:json|utf-?8|literal|input|format)",
            r"malformed",
            r"UnicodeDecode",
            r"could not parse",
            r"unexpected token",
            r"duplicate key",
            r"NumberFormat",
            r"ParseException",
            r"corrupt",
        ),
    ),
    (
        Family.CODE,
        (
            r"TypeError",
            r"AttributeError",
            r"KeyError",
            r"IndexError",
            r"NameError",
            r"ImportError",
            r"ModuleNotFound",
            r"NullPointer",
            r"NoneType",
            r"AssertionError",
            r"ZeroDivision",
            r"undefined is not",
            r"cannot read propert",
            r"nil pointer",
            r"index out of range",
            r"ClassCast",
            r"NoSuchMethod",
            r"UnboundLocal",
            r"NotImplemented",
            r"ArrayIndexOutOf",
            r"panic:",
            r"segmentation fault",
            r"SIGSEGV",
            r"ValueError",
            r"RecursionError",
        ),
    ),
)
_COMPILED: Final = tuple((family, re.compile("|".join(phrases), re.IGNORECASE)) for family, phrases in _PATTERNS)
_LONGEST: Final = 2_000

CALL_FAMILIES: Final = frozenset(
    {Family.TIMEOUT, Family.REFUSED, Family.RESET, Family.DNS, Family.TLS, Family.UPSTREAM}
)
"""Families that tell of trouble with somebody who was called."""


def family_of(text: str) -> Family | None:
    """Return the family of an error's title, None where the words tell nothing."""
    shown = text[:_LONGEST]
    return next((family for family, pattern in _COMPILED if pattern.search(shown)), None)


def names(text: str, name: str) -> bool:
    """Tell whether `text` speaks of the service `name`, as a word of its own."""
    return (
        bool(name) and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text[:_LONGEST], re.IGNORECASE) is not None
    )
