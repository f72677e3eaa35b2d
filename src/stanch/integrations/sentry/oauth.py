"""Speaks OAuth with Sentry: the authorisation code with PKCE, the device flow, and renewing what was granted.

Owns the words of the protocol (RFC 6749, 7636, 8628); where a grant is kept is `grants`'s. Its end points are on
sentry.io or on a server of one's own, never on a region's host. Nothing here logs or says a token.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

import httpx2

from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.kernel.redaction import redact
from stanch.ports.bounded import bounds

SAAS: Final = "https://sentry.io"
SCOPES: Final = ("org:read", "project:read", "project:releases", "event:read", "event:write")
"""What is asked for; the last two of what is written back to an issue or a release."""

_TIMEOUT_S: Final = 15.0
_MOST_BYTES: Final = 64 * 1024
_SLOWER_S: Final = 5.0
_LIFE_S: Final = 2_591_999.0
"""How long a token lives where the answer does not say: 30 days, as Sentry answers."""
_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_GONE: Final = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied", "expired_token"})

Post = Callable[[str, Mapping[str, str]], tuple[int, JsonObject]]
"""Posts a form, returns the status and the object that is answered. Raises `Unavailable`."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """The application that was registered with Sentry. `host` is the one that people log in to."""

    client_id: str
    host: str = SAAS
    client_secret: str = field(default="", repr=False)

    @property
    def login_host(self) -> str:
        """Return where OAuth is spoken: a region's host has no such pages."""
        name = urlsplit(self.host).hostname or ""
        return SAAS if name == "sentry.io" or name.endswith(".sentry.io") else self.host.rstrip("/")

    def form(self, **words: str) -> dict[str, str]:
        """Return a form with who asks; a public client has no secret and proves itself by PKCE."""
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        return {**words, "client_id": self.client_id, **secret}


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What was granted: two tokens that both change when they are renewed, and until when (seconds since 1970)."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: float
    expires_at: float
    scopes: tuple[str, ...]
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device that waits to be let in: the code that a person types in at `url`; `whole_url` has it already."""

    code: str = field(repr=False)
    user_code: str
    url: str
    whole_url: str
    interval_s: float
    expires_s: float


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What proves that who redeems the code is who asked for it: `state` for the browser, `verifier` for Sentry."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """Return the challenge S256 of RFC 7636, section 4.2: the digest of the verifier in base 64."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_proof() -> Proof:
    """Return a proof that nobody can guess."""
    return Proof(state=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48))


def login_url(app: Application, proof: Proof, *, redirect_uri: str) -> str:
    """Return the page on which a person lets the application in."""
    asked = {
        "client_id": app.client_id,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": proof.state,
        "redirect_uri": redirect_uri,
        "code_challenge": proof.challenge,
        "code_challenge_method": "S256",
    }
    return f"{app.login_host}/oauth/authorize/?{urlencode(asked)}"


def redeem(app: Application, code: str, *, verifier: str, redirect_uri: str, post: Post) -> Granted:
    """Return what a code of the login page grants. Raises `Refused` when it is worth nothing."""
    form = app.form(grant_type="authorization_code", code=code, code_verifier=verifier, redirect_uri=redirect_uri)
    return _granted(*post(f"{app.login_host}/oauth/token/", form))


def renew(app: Application, refresh_token: str, *, post: Post) -> Granted:
    """Return a new grant for an old one, which is worth nothing from then on. Raises `Refused` when it already is."""
    form = app.form(grant_type="refresh_token", refresh_token=refresh_token)
    return _granted(*post(f"{app.login_host}/oauth/token/", form))


def begin_device(app: Application, *, post: Post) -> Device:
    """Return a device's code, for a person to type in somewhere else."""
    status, answer = post(f"{app.login_host}/oauth/device/code/", app.form(scope=" ".join(SCOPES)))
    if status >= 400:
        raise _refused(status, answer)
    return Device(
        code=answer.needed("device_code"),
        user_code=answer.needed("user_code"),
        url=answer.needed("verification_uri"),
        whole_url=answer.text("verification_uri_complete"),
        interval_s=answer.number("interval") or _SLOWER_S,
        expires_s=answer.number("expires_in") or 600.0,
    )


def await_device(app: Application, device: Device, *, post: Post, wait: Callable[[float], None]) -> Granted:
    """Ask until a person has decided. Raises `Refused` for a no, and when nobody came within the code's time."""
    interval_s, waited_s = device.interval_s, 0.0
    form = app.form(grant_type=_DEVICE, device_code=device.code)
    while waited_s < device.expires_s:
        wait(interval_s)
        waited_s += interval_s
        status, answer = post(f"{app.login_host}/oauth/token/", form)
        match answer.text("error") if status >= 400 else "":
            case "authorization_pending":
                continue
            case "slow_down":
                # RFC 8628, section 3.5: five seconds more, for this and every further question.
                interval_s += _SLOWER_S
            case _:
                return _granted(status, answer)
    raise Refused("nobody entered the code in time", reason="expired", hint="begin again: stanch sentry connect")


def post_form(url: str, form: Mapping[str, str]) -> tuple[int, JsonObject]:
    """Post a form over HTTP. Raises `Unavailable` when no object is answered, whatever the status."""
    shown = url.partition("?")[0]
    try:
        # No redirect is followed: what is sent is secret, and only for this host.
        with httpx2.Client(
            timeout=_TIMEOUT_S, follow_redirects=False, event_hooks=bounds(most_bytes=_MOST_BYTES)
        ) as client:
            answer = client.post(url, data=dict(form))
        return answer.status_code, read_object(answer.content)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(f"{shown} does not answer: {type(error).__name__}", retry=True) from None
    except Invalid:
        raise Unavailable(
            f"{shown} answered {answer.status_code} and no object", retry=answer.status_code >= 500
        ) from None


def _granted(status: int, answer: JsonObject) -> Granted:
    if status >= 400:
        raise _refused(status, answer)
    now = time.time()
    user = answer.object("user")
    return Granted(
        access_token=answer.needed("access_token"),
        refresh_token=answer.text("refresh_token"),
        issued_at=now,
        expires_at=now + (answer.number("expires_in") or _LIFE_S),
        scopes=tuple(sorted(answer.text("scope").split())),
        user=user.text("email") or user.text("name"),
    )


def _refused(status: int, answer: JsonObject) -> Refused | Unavailable:
    error = answer.text("error")
    said = redact(error or answer.text("detail") or "no reason")[:200]
    if status >= 500 or status == 429:
        return Unavailable(f"Sentry's login answered {status}: {said}", retry=True)
    hint = "connect again: stanch sentry connect" if error in _GONE else "is the client id right? stanch sentry connect"
    return Refused(f"Sentry grants nothing: {said}", reason=error or "denied", hint=hint)
