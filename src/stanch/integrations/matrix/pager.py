"""Sends pages into direct rooms by the client API, with the page's id as the transaction's: the server takes it once
(https://spec.matrix.org/latest/client-server-api/#transaction-identifiers)."""

import hashlib
import threading
import weakref
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt, lost, nothing_arrives, refused

KINDS: Final = frozenset({"matrix"})
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
_API: Final = "/_matrix/client/v3"


class MatrixPager:
    """Sends into the direct room of a user, which it makes once and keeps in the account's `m.direct` list."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._base = settings.url.rstrip("/") + _API
        self._client = httpx2.Client(timeout=_TIMEOUT, headers={"Authorization": f"Bearer {settings.secret}"})
        weakref.finalize(self, self._client.close)
        self._rooms: dict[str, str] = {}
        self._me = ""
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Direct messages."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """A transaction's id is taken once, within an access token."""
        return True

    def page(self, page: Page) -> Receipt:
        """Send `page`."""
        room = page.address if page.address.startswith("!") else self._room_of(page.address)
        transaction = hashlib.sha256(page.id.encode()).hexdigest()[:32]
        body = {"msgtype": "m.text", "body": _text(page)}
        path = f"/rooms/{quote(room, safe='')}/send/m.room.message/{transaction}"
        said = self._ask("PUT", path, body)
        return Receipt(reference=str(said.get("event_id", "")), detail="sent")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _room_of(self, user: str) -> str:
        if not user.startswith("@"):
            raise NotTaken("the address is neither a user nor a room of Matrix", failure=Failure.REFUSED)
        with self._lock:
            if user not in self._rooms:
                self._rooms[user] = self._find_or_make(user)
            return self._rooms[user]

    def _find_or_make(self, user: str) -> str:
        # Nothing was said to anybody yet.
        with nothing_arrives():
            return self._direct_room(user)

    def _direct_room(self, user: str) -> str:
        self._me = self._me or str(self._ask("GET", "/account/whoami").get("user_id", ""))
        path = f"/user/{quote(self._me, safe='')}/account_data/m.direct"
        known = self._ask("GET", path, missing=404)
        rooms = known.get(user)
        if isinstance(rooms, list) and rooms:
            return str(rooms[0])
        made = self._ask(
            "POST",
            "/createRoom",
            {"invite": [user], "is_direct": True, "preset": "trusted_private_chat", "name": "Stanch"},
        )
        room = str(made.get("room_id", ""))
        self._ask("PUT", path, {**known, user: [room]})
        return room

    def _ask(self, method: str, path: str, body: object = None, *, missing: int = 0) -> dict[str, object]:
        try:
            answer = self._client.request(method, self._base + path, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if answer.status_code == missing:
            return {}
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if answer.is_success:
            return said
        words = f"{said.get('errcode', '')} {said.get('error', '')}".strip()
        wait_ms = said.get("retry_after_ms")
        trouble = refused(self._name, status=answer.status_code, words=words, headers=answer.headers)
        if trouble.failure is Failure.THROTTLED and isinstance(wait_ms, int | float):
            raise NotTaken(trouble.message, failure=Failure.THROTTLED, retry_after_s=wait_ms / 1000)
        raise trouble


def _text(page: Page) -> str:
    lines = [page.subject, page.text]
    if page.link:
        lines.append(f"Acknowledge: {page.link}")
    if page.url:
        lines.append(page.url)
    return "\n".join(lines)
