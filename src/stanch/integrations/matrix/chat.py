"""What people ask from Matrix: messages that begin with `!incident`, reactions that mark one, and reactions to our own,
which stand for buttons; all in the rooms that our account is in. Nobody posts to us: the homeserver is asked, and waits
with its answer until there is something (https://spec.matrix.org/latest/client-server-api/#syncing)."""

import hashlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.matrix import pressing
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.ports.bounded import bounds
from stanch.ports.chat import Asked, AskedBy, Reply

PREFIX: Final = "!incident"
MARKS: Final = frozenset({"📌", "📝"})
_API: Final = "/_matrix/client/v3"
_WAIT_S: Final = 20.0
_TEXT: Final = 10_000
_FILTER: Final = '{"room":{"timeline":{"limit":50}},"presence":{"not_types":["*"]},"account_data":{"not_types":["*"]}}'


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One thing that was asked: the event's id is the key of its answer, so that it is given once."""

    event: str
    asked: Asked


class MatrixChat:
    """Listens with one account's token. `wait_s` is how long one question may stay open."""

    kind = "matrix"

    def __init__(self, *, name: str, url: str, token: str, wait_s: float = _WAIT_S) -> None:
        self._name = name
        self._base = url.rstrip("/") + _API
        self._wait_s = wait_s
        timeout = httpx2.Timeout(wait_s + 10, connect=5.0)
        self._client = httpx2.Client(
            timeout=timeout, headers={"Authorization": f"Bearer {token}"}, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)
        self._me = ""

    def listen(self, since: str) -> tuple[str, list[Heard]]:
        """Return where to go on, and what was asked since `since`; an empty one begins now and hears nothing old.

        Raises `Unavailable` when the homeserver does not answer.
        """
        self._me = self._me or str(self._ask("GET", "/account/whoami").get("user_id", ""))
        wait_ms = int(self._wait_s * 1000) if since else 0
        path = f"/sync?timeout={wait_ms}&filter={quote(_FILTER, safe='')}"
        said = self._ask("GET", path + (f"&since={quote(since, safe='')}" if since else ""))
        return str(said.get("next_batch", since)), list(self._heard(said)) if since else []

    def send(self, heard: Heard, reply: Reply) -> None:
        """Answer in the room, once however often it is tried. Raises `Unavailable`."""
        transaction = hashlib.sha256(f"answer {heard.event}".encode()).hexdigest()[:32]
        content = {
            "msgtype": "m.notice",
            "body": reply.text[:_TEXT],
            "m.mentions": {},
            "m.relates_to": {"m.in_reply_to": {"event_id": heard.event}},
        }
        self._ask("PUT", f"{_room(heard.asked.place)}/send/m.room.message/{transaction}", content)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _heard(self, said: dict[str, JSON]) -> Iterator[Heard]:
        for room, joined in pressing.part(pressing.part(said.get("rooms")).get("join")).items():
            events = pressing.part(pressing.part(joined).get("timeline")).get("events")
            for one in events if isinstance(events, list) else ():
                event = pressing.part(one)
                # Our own notices quote others; no program is answered.
                if event.get("sender") != self._me:
                    asked = self._asked(room, event)
                    if asked is not None:
                        yield Heard(event=str(event.get("event_id", "")), asked=asked)

    def _asked(self, room: str, event: dict[str, JSON]) -> Asked | None:
        content, user = pressing.part(event.get("content")), str(event.get("sender", ""))
        body = str(content.get("body", ""))
        if event.get("type") == "m.room.message" and content.get("msgtype") == "m.text":
            words = body.split(maxsplit=1)
            if words and words[0] == PREFIX:
                return Asked(by=AskedBy.COMMAND, user=user, place=room, text="".join(words[1:]))
        relation = pressing.part(content.get("m.relates_to"))
        reaction, id = str(relation.get("key", "")), str(relation.get("event_id", ""))
        if event.get("type") != "m.reaction" or not id or pressing.plain(reaction) not in MARKS | pressing.REACTIONS:
            return None
        found = self._ask("GET", f"{_room(room)}/event/{quote(id, safe='')}")
        if pressing.plain(reaction) in MARKS:
            return self._marked(room, user, id, found)
        at = event.get("origin_server_ts")
        text = pressing.asked_by(reaction, found, me=self._me, reacted_ms=at if isinstance(at, int | float) else 0.0)
        return Asked(by=AskedBy.BUTTON, user=user, place=room, text=text) if text else None

    def _marked(self, room: str, user: str, id: str, found: dict[str, JSON]) -> Asked:
        written = found.get("origin_server_ts")
        return Asked(
            by=AskedBy.MARK,
            user=user,
            place=room,
            text=str(pressing.part(found.get("content")).get("body", "")),
            author=str(found.get("sender", "")),
            link=f"https://matrix.to/#/{quote(room, safe='!:')}/{quote(id, safe='$')}",
            at=datetime.fromtimestamp(written / 1000, UTC) if isinstance(written, int | float) else None,
        )

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, JSON]:
        try:
            answer = self._client.request(method, self._base + path, json=body)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._name} did not answer: {type(error).__name__}", retry=True) from None
        if not answer.is_success:
            raise Unavailable(f"{self._name} answered {answer.status_code}", retry=answer.status_code not in (401, 403))
        try:
            said: JSON = answer.json()
        except ValueError:
            raise Unavailable(f"{self._name} answered no JSON", retry=True) from None
        return pressing.part(said)


def _room(room: str) -> str:
    return f"/rooms/{quote(room, safe='')}"
