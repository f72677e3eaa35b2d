"""Sends pages into direct rooms by the client API, with the page's id as the transaction's: the server takes it once
(https://spec.matrix.org/latest/client-server-api/#transaction-identifiers)."""

import hashlib
import threading
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.matrix.api import MatrixApi
from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt, nothing_arrives

KINDS: Final = frozenset({"matrix"})
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)


class MatrixPager:
    """Sends into the direct room of a user, which it makes once and keeps in the account's `m.direct` list."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._api = MatrixApi(name=settings.name, url=settings.url, secret=settings.secret, timeout=_TIMEOUT)
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
        said = self._api.ask("PUT", path, body)
        return Receipt(reference=str(said.get("event_id", "")), detail="sent")

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

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
        self._me = self._me or str(self._api.ask("GET", "/account/whoami").get("user_id", ""))
        path = f"/user/{quote(self._me, safe='')}/account_data/m.direct"
        known = self._api.ask("GET", path, missing=404)
        rooms = known.get(user)
        if isinstance(rooms, list) and rooms:
            return str(rooms[0])
        made = self._api.ask(
            "POST",
            "/createRoom",
            {"invite": [user], "is_direct": True, "preset": "trusted_private_chat", "name": "Stanch"},
        )
        room = str(made.get("room_id", ""))
        self._api.ask("PUT", path, {**known, user: [room]})
        return room


def _text(page: Page) -> str:
    lines = [page.subject, page.text]
    if page.link:
        lines.append(f"Acknowledge: {page.link}")
    if page.url:
        lines.append(page.url)
    return "\n".join(lines)
