"""The keys of own checks: what every check has, what each kind of sampler takes, and the rules on series."""

from typing import Final

from stanch.catalog.checks import MEASURES, OVERS, SEVERITIES
from stanch.catalog.key import Key, Type

CHECK: Final = (
    Key(
        name="sampler",
        type=Type.TEXT,
        doc="What reads it: `http`, `openmetrics`, `jsonlog`, `tcp`, `tls`, `dns`, `journey`, `logpattern`, `promql`.",
        required=True,
    ),
    Key(
        name="target",
        type=Type.TEXT,
        doc="A URL; a path for logs; `host:port` for `tcp` and `tls`; a name for `dns`.",
        required=True,
    ),
    Key(
        name="every_s",
        type=Type.SECONDS,
        doc="How often it looks; the service's `check_every_s`, for `tls` 1h, for `dns` and `journey` 60 s.",
        low=0.2,
        high=86_400,
    ),
    Key(name="name", type=Type.TEXT, doc="What it is called within the service; by default its sampler."),
    Key(
        name="severity",
        type=Type.TEXT,
        doc="`critical`: its failure is an incident; `warning`: it is shown and declares nothing.",
        words=SEVERITIES,
    ),
    Key(name="looks", type=Type.INTEGER, doc="How many looks in a row must fail; for `tls` 1.", low=1, high=100),
    Key(name="timeout_s", type=Type.SECONDS, doc="How long one look may take; the sampler's own.", low=0.05, high=60),
)

_REQUEST: Final = (
    Key(name="method", type=Type.TEXT, doc="The HTTP method."),
    Key(name="headers", type=Type.TABLE, doc='Headers to send: `{Authorization = "Bearer ${env.SHOP_TOKEN}"}`.'),
    Key(name="body", type=Type.TEXT, doc="The body to send, as it is."),
    Key(name="form", type=Type.TABLE, doc="The fields of a form to send instead."),
    Key(name="status", type=Type.TEXTS, doc="The status must be one of these: codes, or classes such as `2xx`."),
    Key(name="contains", type=Type.TEXTS, doc="The body must hold all of these."),
    Key(name="lacks", type=Type.TEXTS, doc="... and none of these."),
    Key(name="matches", type=Type.TEXT, doc="The body must match this regular expression somewhere."),
    Key(name="json", type=Type.TABLE, doc='Values that the JSON body must have: `{"/status" = "ok"}`.'),
    Key(name="answers", type=Type.TABLE, doc="Headers of the answer, each with a regular expression for its value."),
    Key(name="below_ms", type=Type.NUMBER, doc="The whole answer must have come within so many ms.", low=0.001),
    Key(name="follow", type=Type.BOOLEAN, doc="Follow redirects, at most five; otherwise a redirect is the answer."),
)

_CA: Final = Key(name="ca_file", type=Type.TEXT, doc="Certificates (PEM) to trust instead of the system's.")

HTTP: Final = (*_REQUEST, _CA)

JOURNEY: Final = (
    Key(name="steps", type=Type.LIST_OF_TABLES, doc="The steps, `[[services.shop.checks.steps]]`.", required=True),
    _CA,
)

JOURNEY_STEP: Final = (
    *_REQUEST,
    Key(name="name", type=Type.TEXT, doc="What the step is called.", required=True),
    Key(name="url", type=Type.TEXT, doc="A URL, or a path from the check's target.", required=True),
    Key(
        name="save",
        type=Type.TABLE,
        doc="What to keep of the answer for later steps, as `${name}`: `json:/token`, `regex:id=(\\d+)`, "
        "`header:Location`, `cookie:session`.",
    ),
)

TCP: Final = (
    Key(name="send", type=Type.TEXT, doc="What to send once connected."),
    Key(name="expect", type=Type.TEXT, doc="A regular expression that what comes back must match."),
)

TLS: Final = (
    Key(name="warn_days", type=Type.NUMBER, doc="Below so many days left it is a warning.", low=0, high=3650),
    Key(name="fail_days", type=Type.NUMBER, doc="Below so many days left it fails.", low=0, high=3650),
    Key(name="server_name", type=Type.TEXT, doc="The name that the certificate must be for; that of the target."),
    _CA,
    Key(
        name="starttls",
        type=Type.TEXT,
        doc="`smtp` or `postgres`: the protocol that is asked for TLS.",
        words=("smtp", "postgres"),
    ),
)

DNS_TYPES: Final = ("A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "SOA", "CAA", "PTR")

DNS: Final = (
    Key(name="type", type=Type.TEXT, doc="The type of the record.", words=DNS_TYPES),
    Key(name="expect", type=Type.TEXTS, doc="The answers must be these, in any order; without it, there must be one."),
    Key(name="servers", type=Type.TEXTS, doc="Resolvers to ask, `192.0.2.53` or `192.0.2.53:5353`; the system's."),
    Key(name="below_ms", type=Type.NUMBER, doc="The answer must have come within so many ms.", low=0.001),
)

LOGPATTERN: Final = (
    Key(name="pattern", type=Type.TEXT, doc="The regular expression that is looked for in each line.", required=True),
    Key(name="unless", type=Type.TEXT, doc="Lines that match this too do not count."),
    Key(name="json_field", type=Type.TEXT, doc="Look only into this field of lines that are JSON: `error.message`."),
    Key(name="ignore_case", type=Type.BOOLEAN, doc="Capitals and small letters are the same."),
)

PROMQL: Final = (
    Key(name="query", type=Type.TEXT, doc="The query; each series of its answer is judged on its own.", required=True),
    Key(name="keep", type=Type.TEXTS, doc="The labels that tell the series apart; by default all."),
    Key(name="headers", type=Type.TABLE, doc="Headers to send, e.g. for a token: `${env.PROMETHEUS_TOKEN}`."),
    _CA,
)

_LIMITS: Final = (
    Key(name="above", type=Type.NUMBER, doc="It is an alert above this."),
    Key(name="below", type=Type.NUMBER, doc="It is an alert below this."),
    Key(name="factor", type=Type.NUMBER, doc="... and so many times normal, or that part of it.", low=1, high=1e6),
    Key(name="over", type=Type.TEXT, doc="What the window is judged by: " + ", ".join(OVERS) + ".", words=OVERS),
    Key(name="window_s", type=Type.SECONDS, doc="The window; `timing.detect_window_s`.", low=1, high=86_400),
    Key(name="for_s", type=Type.SECONDS, doc="How long it must hold; `thresholds.for_s`.", low=0, high=86_400),
    Key(name="unit", type=Type.TEXT, doc="`ratio`, `ms`, `bytes` or `1/s`: how values are shown."),
    Key(name="title", type=Type.TEXT, doc="What the alert is called; by default its name."),
)

LIMITS: Final = tuple(key.name for key in _LIMITS)
"""The keys of a rule that a check with a series of its own takes directly."""

SERIES_RULE: Final = (
    Key(name="name", type=Type.TEXT, doc="What it is called; by default its metric or measure."),
    Key(name="metric", type=Type.TEXT, doc="The name of the series on the service's metrics page."),
    Key(
        name="measure",
        type=Type.TEXT,
        doc="Instead of it, what Stanch measures itself: " + ", ".join(f"`{name}`" for name in MEASURES) + ".",
        words=tuple(MEASURES),
    ),
    Key(name="labels", type=Type.TABLE, doc='Only series whose labels match: `{queue = "mail.*"}`.'),
    Key(name="keep", type=Type.TEXTS, doc="The labels that tell the series apart; the rest is added up. All."),
    Key(name="rate", type=Type.BOOLEAN, doc="A counter: what it gains per second."),
    Key(
        name="severity",
        type=Type.TEXT,
        doc="`critical`: it is an incident; `warning`: it is shown and declares nothing.",
        words=SEVERITIES,
    ),
    *_LIMITS,
)

KINDS: Final[dict[str, tuple[Key, ...]]] = {
    "http": HTTP,
    "openmetrics": (),
    "jsonlog": (),
    "tcp": TCP,
    "tls": TLS,
    "dns": DNS,
    "journey": JOURNEY,
    "logpattern": (*LOGPATTERN, *_LIMITS),
    "promql": (*PROMQL, *_LIMITS),
}
"""What each kind of sampler takes beside what every check has."""
