"""What a check is told beside its target: one record for each kind of sampler that takes settings.

The configuration becomes these records, and the samplers are made from them. `${env.NAME}` in a text of an HTTP request
stands for an environment variable, `${name}` for what a step before has saved.
"""

from dataclasses import dataclass, field

OK_STATUS = ("2xx", "3xx")


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """One request and what its answer must be.

    `status` holds codes and classes (`204`, `2xx`). The body must contain all of `contains`, none of `lacks`, and match
    the regular expression `matches`; `json` gives a value by JSON pointer, `answers` a regular expression by header.
    `below_ms` is how long the whole answer may take.
    """

    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    form: dict[str, str] = field(default_factory=dict)
    status: tuple[str, ...] = OK_STATUS
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    matches: str = ""
    json: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    below_ms: float | None = None
    follow: bool = False


@dataclass(frozen=True, kw_only=True)
class HttpCheck(HttpRequest):
    """The settings of an `http` probe; `ca_file` is trusted instead of the system's authorities."""

    ca_file: str = ""


@dataclass(frozen=True, kw_only=True)
class JourneyStep(HttpRequest):
    """One step of a journey: a request, its assertions, and what is saved of the answer under a name.

    A value of `save` is `json:/token` (JSON pointer), `regex:csrf" value="([^"]+)"` (first group), `header:Location`
    or `cookie:session`. `url` may be a path, from the journey's target.
    """

    name: str
    url: str
    save: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JourneyCheck:
    """The settings of a `journey`: its steps in order. The first that fails ends it; cookies are kept between them."""

    steps: tuple[JourneyStep, ...]
    ca_file: str = ""


@dataclass(frozen=True, kw_only=True)
class TcpCheck:
    """The settings of a `tcp` connect: what to send once connected, and what must come back (regular expression)."""

    send: str = ""
    expect: str = ""


@dataclass(frozen=True, kw_only=True)
class TlsCheck:
    """The settings of a `tls` check: days left of the leaf below which it is a warning, and below which it fails."""

    warn_days: float = 21.0
    fail_days: float = 3.0
    server_name: str = ""
    ca_file: str = ""
    starttls: str = ""


@dataclass(frozen=True, kw_only=True)
class DnsCheck:
    """The settings of a `dns` check: `target` is the name. `expect` holds the only answers that are right.

    Without it any answer will do. `servers` are resolvers such as `192.0.2.53` or `192.0.2.53:5353`; none means those
    of the system. `below_ms` is how long the resolver may take.
    """

    type: str = "A"
    expect: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    below_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class LogCheck:
    """The settings of a `logpattern` check: lines that match `pattern` are counted, but for those matching `unless`.

    `json_field` (a dotted path) narrows the search to one field of lines that are JSON objects.
    """

    pattern: str
    unless: str = ""
    json_field: str = ""
    ignore_case: bool = False


@dataclass(frozen=True, kw_only=True)
class PromqlCheck:
    """The settings of a `promql` check: an instant query to the Prometheus at the target; many series may answer.

    `keep` names the labels that tell the series apart; none means all of them.
    """

    query: str
    keep: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    ca_file: str = ""


@dataclass(frozen=True, kw_only=True)
class SeriesChoice:
    """Series of a metrics page: those called `metric` whose labels match all of `labels` (regular expressions, whole).

    `rate` takes what a counter gains per second. The samples carry `rule` as a label, and the labels of the series.
    """

    rule: str
    metric: str
    labels: dict[str, str] = field(default_factory=dict)
    rate: bool = False
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MetricsCheck:
    """The settings of an `openmetrics` check: the series that rules ask for beside the usual ones."""

    series: tuple[SeriesChoice, ...] = ()
