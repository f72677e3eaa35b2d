"""Slack's Socket Mode: what people ask comes down a WebSocket that we opened, so Slack need not reach this server
(https://docs.slack.dev/apis/events-api/using-socket-mode).

Needs an app-level token (`xapp-`) with `connections:write`. Slack sends each request to one of the app's connections,
and again where it was not acknowledged within three seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx2
import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from stanch.integrations.slack.api import SlackApi
from stanch.integrations.slack.hearing import event, interaction
from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_object
from stanch.ports.chat import HeardChat, command_of
from stanch.ports.pager import NotTaken

_OPEN_S: Final = 10.0
_CLOSE_S: Final = 1.0
# A message in Slack has at most 40,000 characters, and comes once as text and once as blocks.
_MOST_BYTES: Final = 1024 * 1024
_OFF: Final = "link_disabled"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One request. `id` is what is acknowledged; `key` stays the same when Slack sends the request again."""

    id: str
    key: str
    heard: HeardChat


@dataclass(frozen=True, kw_only=True)
class Goodbye:
    """The far end wants to close this connection. `is_off` says that Socket Mode is switched off for the app."""

    reason: str

    @property
    def is_off(self) -> bool:
        """Tell whether opening another one helps only when somebody switches it on again."""
        return self.reason == _OFF


class Line:
    """One open connection. One thread reads; any may close."""

    def __init__(self, name: str, socket: ClientConnection) -> None:
        self._name = name
        self._socket = socket

    def receive(self, *, within_s: float) -> Envelope | Goodbye | None:
        """Return what comes next, None when nothing does in time. Raises `Unavailable` when the connection is lost."""
        try:
            body = self._socket.recv(timeout=within_s)
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            raise Unavailable(f"{self._name} hung up: {type(error).__name__}", retry=True) from None
        try:
            said = read_object(body.encode() if isinstance(body, str) else body).data
        except Invalid:
            return None
        if said.get("type") == "disconnect":
            return Goodbye(reason=str(said.get("reason", "")))
        return _envelope(said)

    def acknowledge(self, envelope: Envelope) -> None:
        """Say that it is in our hands. Raises `Unavailable` when that can not be said: then it comes again."""
        try:
            self._socket.send(msgspec.json.encode({"envelope_id": envelope.id}).decode())
        except (ConnectionClosed, OSError) as error:
            raise Unavailable(f"{self._name} hung up: {type(error).__name__}", retry=True) from None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class SlackSockets:
    """Opens connections for one app. `token` is the app's, not the bot's."""

    def __init__(self, *, name: str, token: str, url: str = "") -> None:
        self._name = name
        self._api = SlackApi(name=name, token=token, url=url)

    def open(self) -> Line:
        """Return a new connection, greeted by the far end.

        Raises `Unavailable`, with `retry` false where the token is not taken.
        """
        try:
            address = str(self._api.call("apps.connections.open", {}).get("url", ""))
        except NotTaken as trouble:
            raise Unavailable(trouble.message, retry=trouble.retry, hint=trouble.hint) from None
        where = urlsplit(address)
        # What people ask, and the addresses that answer them, are not for whoever listens on the way.
        if where.scheme != "wss" and not (where.scheme == "ws" and where.hostname in _LOOPBACK):
            raise Unavailable(f"{self._name} named no address to connect to", retry=True)
        context = httpx2.create_ssl_context() if where.scheme == "wss" else None
        try:
            opened = connect(
                address, ssl=context, open_timeout=_OPEN_S, close_timeout=_CLOSE_S, max_size=_MOST_BYTES, legacy=True
            )
        except (OSError, WebSocketException) as error:
            # Its words may hold the address, which lets whoever has it in.
            raise Unavailable(f"{self._name} did not connect: {type(error).__name__}", retry=True) from None
        if not isinstance(opened, ClientConnection):
            raise Unavailable(f"{self._name} did not connect", retry=True)
        return Line(self._name, opened)

    def close(self) -> None:
        """Close what asks for connections; those that are open stay."""
        self._api.close()


def _envelope(said: Mapping[str, JSON]) -> Envelope | None:
    """Return a request; None for a greeting and for what has no id."""
    id, payload = str(said.get("envelope_id", "")), said.get("payload")
    if not id:
        return None
    body = payload if isinstance(payload, dict) else {}
    match said.get("type"):
        case "slash_commands":
            return Envelope(id=id, key=id, heard=HeardChat(asked=command_of(body)))
        case "interactive":
            return Envelope(id=id, key=id, heard=interaction(body))
        case "events_api":
            # An event that is sent again comes in a new envelope.
            return Envelope(id=id, key=str(body.get("event_id", "")) or id, heard=event(body))
    return Envelope(id=id, key=id, heard=HeardChat())
