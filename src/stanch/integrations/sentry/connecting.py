"""How Sentry is connected: by which token, what that may and what it may not, and a new connection by OAuth.

What a token may is said by a grant, else by the top of the API; where neither says, the calls that need a right are
tried. Nothing here shows a token.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from stanch.integrations.sentry.api import NOT_ACCEPTED, URL, SentryApi, no_token
from stanch.integrations.sentry.grants import Grant, Grants
from stanch.integrations.sentry.oauth import (
    Application,
    Device,
    Granted,
    Post,
    Proof,
    await_device,
    begin_device,
    login_url,
    new_proof,
    post_form,
    redeem,
)
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.jsontext import JsonObject
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import Connection

NEEDED: Final = {
    "event:read": ("event:read", "event:write", "event:admin"),
    "org:read": ("org:read", "org:write", "org:admin"),
    "project:read": ("project:read", "project:write", "project:admin", "project:releases", "org:ci"),
}
"""What reading needs, with the rights that include it."""

_TRIED: Final = {
    "event:read": ("issues", (("limit", "1"), ("statsPeriod", "1h"))),
    "org:read": ("teams", (("per_page", "1"),)),
    "project:read": ("releases", (("per_page", "1"),)),
}
_WAIT_S: Final = 300.0
_SILENT_S: Final = 2.0
_DONE: Final = (
    b"<!doctype html><title>Stanch</title><p>Stanch is connected, or says in the terminal why not. Close this page."
)


def connection_of(spec: SystemSpec, api: SentryApi) -> Connection:
    """Return how a configured Sentry is connected. Raises `Refused` where nothing connects it, and what calls raise."""
    try:
        return _connection(spec, api)
    except Refused as error:
        if error.reason != NOT_ACCEPTED:
            raise
        # The usual hint is to look here.
        named = spec.settings.get("secret_env", "")
        hint = f"put a token that holds into {named}" if named else "connect again: stanch sentry connect"
        raise Refused(error.message, reason=error.reason, hint=hint) from None


def _connection(spec: SystemSpec, api: SentryApi) -> Connection:
    kept = spec.settings.get("secrets", "")
    organization = spec.settings.get("organization", "")
    if spec.secret:
        scopes = _scopes(api, spec.timeout_s)
        missing = _missing(scopes) if scopes else _tried(api, spec.timeout_s)
        return Connection(
            where=api.where, how="token from the environment", organization=organization, scopes=scopes, missing=missing
        )
    grant = Grants(Path(kept)).read() if kept else None
    if grant is None:
        raise no_token(spec)
    # One call proves that the grant is worth something, and renews it where that is due.
    api.get("", timeout_s=spec.timeout_s)
    grant = Grants(Path(kept)).read() or grant
    return Connection(
        where=api.where,
        how="OAuth",
        organization=organization,
        user=grant.granted.user,
        scopes=grant.granted.scopes,
        missing=_missing(grant.granted.scopes),
        expires_at=datetime.fromtimestamp(grant.granted.expires_at, UTC),
        region=grant.region,
    )


@dataclass(frozen=True, kw_only=True)
class Connecting:
    """A new connection by OAuth of one configured system, to be kept in the file that its settings name."""

    spec: SystemSpec
    app: Application
    fetch: Fetch
    post: Post = post_form

    def by_browser(self, *, show: Callable[[str], None], port: int = 0) -> Connection:
        """Let a person log in, on this machine, and keep what is granted. `show` is told the page's address."""
        proof = new_proof()
        server = _Listener(("127.0.0.1", port), _Page)
        server.state, server.code, server.error = proof.state, "", ""
        redirect_uri = f"http://127.0.0.1:{server.server_port}/callback"
        try:
            show(login_url(self.app, proof, redirect_uri=redirect_uri))
            server.timeout = _WAIT_S
            # Whatever else asks here (a favicon, a guess with another state) is answered and waited past.
            for _ in range(20):
                server.handle_request()
                if server.code or server.error or server.waited:
                    break
        finally:
            server.server_close()
        return self._redeemed(server, proof, redirect_uri)

    def by_device(self, *, show: Callable[[Device], None], wait: Callable[[float], None]) -> Connection:
        """Let a person type a code in, on any machine, and keep what is granted."""
        device = begin_device(self.app, post=self.post)
        show(device)
        return self._keep(await_device(self.app, device, post=self.post, wait=wait))

    def _redeemed(self, server: "_Listener", proof: Proof, redirect_uri: str) -> Connection:
        if not server.code:
            said = server.error or "nobody logged in in time"
            raise Refused(f"Sentry did not let Stanch in: {said}", reason="denied", hint="begin again")
        granted = redeem(self.app, server.code, verifier=proof.verifier, redirect_uri=redirect_uri, post=self.post)
        return self._keep(granted)

    def _keep(self, granted: Granted) -> Connection:
        """Keep a grant once it is known to see the organization, and return what it may."""
        organization = self.spec.settings.get("organization", "")
        region = self._region(granted, organization)
        grant = Grant(app=self.app, granted=granted, organization=organization, region=region)
        Grants(Path(self.spec.settings["secrets"]), post=self.post).write(grant)
        return connection_of(self.spec, SentryApi(self.spec, fetch=self.fetch))

    def _region(self, granted: Granted, organization: str) -> str:
        """Return the host of the organization's region. Raises `Refused` where the grant is of another one."""
        root = (self.spec.url or URL).rstrip("/")
        api = SentryApi(SystemSpec(name="", kind="sentry", url=root, secret=granted.access_token), fetch=self.fetch)
        try:
            answer = api.at(f"organizations/{quote(organization, safe='')}", timeout_s=self.spec.timeout_s)
        except (NotFound, Refused) as error:
            raise Refused(
                f"the grant does not see the organization {organization}: {error.message}",
                reason="other_organization",
                hint="a grant is of one organization; choose this one on Sentry's page",
            ) from None
        url = JsonObject(answer).object("links").text("regionUrl") if isinstance(answer, dict) else ""
        # Where the login is encrypted, the token goes nowhere that is not.
        schemes = ("https",) if urlsplit(root).scheme == "https" else ("http", "https")
        return url if urlsplit(url).scheme in schemes else ""


class _Listener(HTTPServer):
    """Waits for the browser to come back from Sentry's page."""

    state = ""
    code = ""
    error = ""
    waited = False

    def handle_timeout(self) -> None:
        """Note that nobody came."""
        self.waited = True


class _Page(BaseHTTPRequestHandler):
    server: _Listener
    # Browsers open connections ahead of need and say nothing on them; one at a time is served here.
    timeout = _SILENT_S

    def do_GET(self) -> None:
        """Take the code, from who knows the state that was sent along."""
        parts = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        known = parts.path == "/callback" and secrets.compare_digest(
            given.get("state", "").encode(), self.server.state.encode()
        )
        if known:
            self.server.code = given.get("code", "")
            self.server.error = "" if self.server.code else given.get("error", "no code")[:100]
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_DONE if known else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: the address holds the code."""


def _scopes(api: SentryApi, timeout_s: float) -> tuple[str, ...]:
    """Return what the top of the API says that the token may, nothing where it does not say."""
    try:
        answer = api.at("", timeout_s=timeout_s)
        found = JsonObject(answer).object("auth").words("scopes") if isinstance(answer, dict) else []
    except (Refused, Unavailable, Invalid):
        return ()
    return tuple(sorted(found))


def _missing(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, enough in NEEDED.items() if not set(enough) & set(scopes))


def _tried(api: SentryApi, timeout_s: float) -> tuple[str, ...]:
    """Return the rights whose calls are denied; raises what else goes wrong, as when the token is none at all."""
    missing = []
    for name, (path, query) in _TRIED.items():
        try:
            api.get(path, list(query), timeout_s=timeout_s)
        except NotFound:
            raise
        except Refused as error:
            if error.reason == NOT_ACCEPTED:
                raise
            missing.append(name)
    return tuple(missing)
