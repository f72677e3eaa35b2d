"""The signals port: what a sender posts becomes alerts and changes. Verifying and parsing are pure.

The caller keeps the raw body, asks `verify` on the raw bytes, then `parse`, commits what came out, and answers 2xx only
then. The same delivery seen again (`Parsed.delivery`) is answered and not stored twice.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable
from urllib.parse import parse_qsl

from stanch.kernel.errors import Invalid
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.changes import Change
from stanch.ports.issues import AnalysisNews

_MOST_FIELDS: Final = 1000


class SignalStatus(StrEnum):
    """Whether a sender says that something is wrong, or that it is over."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, kw_only=True)
class AlertSignal:
    """One alert as a sender tells it. Labels identify it, and `alertname` is one of them; the same labels are the same
    alert. Instants are UTC and None where the sender does not say; text is untrusted and kept as it came."""

    labels: Mapping[str, str]
    status: SignalStatus = SignalStatus.FIRING
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """A request as it came in. Header names are in lower case; `query` keeps the last value of a name."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""

    @property
    def content_type(self) -> str:
        """Return the media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a request says. `delivery` is the sender's id of this delivery, empty where there is none.

    `reply` is the JSON answer that the sender wants, None for an empty one; `status` its HTTP status. `fetch` is a URL
    that has to be asked to confirm a subscription; `remark` says why nothing came out of a good request. `analyses` are
    what a tracker of errors tells of the analyses of its issues.
    """

    alerts: tuple[AlertSignal, ...] = ()
    changes: tuple[Change, ...] = ()
    delivery: str = ""
    reply: Mapping[str, object] | None = None
    status: int = 202
    fetch: str = ""
    remark: str = ""
    analyses: tuple[AnalysisNews, ...] = ()


def carries_token(request: Inbound, secret: str) -> bool:
    """Tell whether a request of a sender that signs nothing carries `secret`: bearer, basic password, `?token=`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")[2]
        except binascii.Error:
            value = ""
    given = (value.strip(), request.query.get("token", ""))
    return any(hmac.compare_digest(one.encode(), secret.encode()) for one in given if one)


def message_of(request: Inbound) -> JsonObject:
    """Return what a sender says whose form is its user's choice: a JSON object, a form, or the query alone.

    Fields of the query stand in where the body has none. Raises `Invalid` as `read_object` does.
    """
    if not request.body.strip():
        return JsonObject(dict(request.query))
    if request.content_type != "application/x-www-form-urlencoded":
        return JsonObject({**request.query, **read_object(request.body).data})
    try:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Invalid(f"is no form: {error}", field="body") from None
    return JsonObject({**request.query, **dict(pairs)})


class SignalSource(Protocol):
    """Understands one kind of sender."""

    @property
    def name(self) -> str:
        """Return the source's name in its URL, `/hooks/<name>`, e.g. `grafana`."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """Return further paths it answers, for senders that only change the host, e.g. `/v2/enqueue`."""
        ...

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check who sent it. Raises `Forbidden` when the signature or token does not fit `secret`.

        An empty `secret` means that none is configured: the caller has decided whether that is allowed.
        """
        ...

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return what the request says. Raises `Invalid` naming the field for what can never be understood."""
        ...


@runtime_checkable
class ConfirmingSource(Protocol):
    """What a source may do besides: follow the link by which a subscription is confirmed."""

    def confirm(self, url: str) -> None:
        """Ask `url`, which came out of `parse` as `fetch`. Raises `Unavailable` when nobody answers there."""
        ...
