"""The Matrix channel: a room for every incident by the client API (https://spec.matrix.org/latest/client-server-api/).

A message's id is its transaction's, which the server takes once. A room has an alias, by which one that was made and
whose answer was lost is found again. The account needs no more than to make rooms.
"""

import hashlib
import threading
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.matrix import pressing
from stanch.integrations.matrix.api import MatrixApi, MatrixError
from stanch.kernel.blockdata import read_blocks
from stanch.kernel.blockhtml import to_html
from stanch.kernel.blocks import Paragraph
from stanch.ports.channel import (
    Case,
    ChannelSettings,
    Failure,
    Message,
    NotTaken,
    Receipt,
    nothing_arrives,
)

_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
# An event has at most 65,536 bytes (section "Size limits"); the text stands in it twice, and once more in an edit.
_TEXT: Final = 10_000
_HTML: Final = 14_000


class MatrixChannel:
    """Posts notices into one room, or into a room of its own for every incident."""

    def __init__(self, settings: ChannelSettings, *, timeout: httpx2.Timeout = _TIMEOUT) -> None:
        self._settings = settings
        self._api = MatrixApi(name=settings.name, url=settings.url, secret=settings.secret, timeout=timeout)
        self._server = ""
        self._invited: dict[str, frozenset[str]] = {}
        self._topics: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """A transaction's id is taken once, within an access token."""
        return True

    def post(self, message: Message) -> Receipt:
        """Post `message`, or change the one it edits; make the incident's room where there is none yet."""
        with self._lock:
            room = self._room(message)
            transaction = hashlib.sha256(message.id.encode()).hexdigest()[:32]
            path = f"/rooms/{quote(room, safe='')}/send/m.room.message/{transaction}"
            said = self._api.ask("PUT", path, _content(message))
            event = str(said.get("event_id", ""))
            if message.pinned and not message.edits:
                self._pin(room, event)
            if message.case and not message.to and self._settings.rooms:
                self._keep_room(room, message.case)
            # What is edited again names the first one, not its newest form.
            reference = message.edits or event
            return Receipt(reference=reference, detail="sent", place="" if message.to else room)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _room(self, message: Message) -> str:
        if message.to:
            return message.to
        if message.place:
            return message.place
        if not self._settings.rooms or message.case is None:
            if not self._settings.target:
                raise NotTaken(f"{self.name} has no room for what is about no incident", failure=Failure.REFUSED)
            return self._settings.target
        # Nothing was said in the room yet, so that nothing can have arrived.
        return self._certain(message, message.case)

    def _certain(self, message: Message, case: Case) -> str:
        with nothing_arrives():
            return self._open(f"{message.room}-{case.number}", case)

    def _open(self, alias: str, case: Case) -> str:
        """Return the id of the incident's room: the number in its alias keeps two of one name apart."""
        wanted = {
            "name": f"{case.key} {case.title}"[:200],
            "room_alias_name": alias,
            "topic": case.topic,
            "preset": "private_chat",
        }
        try:
            room = str(self._api.ask("POST", "/createRoom", wanted).get("room_id", ""))
        except MatrixError as trouble:
            if trouble.word != "M_ROOM_IN_USE":
                raise
            return str(
                self._api.ask("GET", f"/directory/room/{quote(f'#{alias}:{self._domain()}', safe='')}")["room_id"]
            )
        # Members are invited afterwards, one by one: a name that is none would keep the room from being made.
        self._topics[room] = case.topic
        return room

    def _domain(self) -> str:
        if not self._server:
            self._server = str(self._api.ask("GET", "/account/whoami").get("user_id", "")).partition(":")[2]
        return self._server

    def _pin(self, room: str, event: str) -> None:
        path = f"/rooms/{quote(room, safe='')}/state/m.room.pinned_events/"
        known = self._api.ask("GET", path, missing=404).get("pinned")
        pinned = [str(one) for one in known] if isinstance(known, list) else []
        if event not in pinned:
            self._harmless("PUT", path, {"pinned": [*pinned, event]})

    def _keep_room(self, room: str, case: Case) -> None:
        """Keep the room's topic current and invite who belongs into it. Neither is worth saying a message again."""
        if case.topic and self._topics.get(room) != case.topic:
            self._harmless("PUT", f"/rooms/{quote(room, safe='')}/state/m.room.topic/", {"topic": case.topic})
            self._topics[room] = case.topic
        for member in case.invite:
            if member not in self._invited.get(room, frozenset()):
                self._harmless("POST", f"/rooms/{quote(room, safe='')}/invite", {"user_id": member})
        self._invited[room] = self._invited.get(room, frozenset()) | set(case.invite)

    def _harmless(self, method: str, path: str, body: object) -> None:
        """Do what may be done already, or may not be allowed: somebody who is in the room can not be invited."""
        with nothing_arrives():
            try:
                self._api.ask(method, path, body)
            except MatrixError as trouble:
                if trouble.word not in ("M_FORBIDDEN", "M_BAD_STATE", "M_INVALID_PARAM", "M_UNKNOWN"):
                    raise


def _content(message: Message) -> dict[str, object]:
    """Return the content of the event: a notice, as programs answer none of those."""
    buttons = message.case.buttons if message.case else ()
    how = pressing.line(buttons)
    text = message.text[: _TEXT - len(how)] + (f"\n\n{how}" if how else "")
    content: dict[str, object] = {"msgtype": "m.notice", "body": text, "m.mentions": {}}
    if how:
        content[pressing.KEY] = pressing.content(buttons)
    html = to_html((*read_blocks(message.blocks), *([Paragraph(how)] if how else ()))) if message.blocks else ""
    if html and len(html) <= _HTML:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    if message.edits:
        relation = {"rel_type": "m.replace", "event_id": message.edits}
        return {**content, "body": f"* {text}", "m.new_content": content, "m.relates_to": relation}
    return content
