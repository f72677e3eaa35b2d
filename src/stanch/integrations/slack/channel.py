"""The Slack channel: a room for every incident, its facts pinned and kept current, messages posted once.

Slack knows no idempotency key, so every message carries its id as metadata, and one that may stand there already is
looked for first (https://docs.slack.dev/messaging/message-metadata). The history is read for that alone: new apps that
are sold to others may hardly read it, one's own may.

Needs a bot token with `chat:write`, `channels:manage`, `channels:read`, `channels:history`, `channels:join`,
`pins:write`, `im:write` and `chat:write.public` to post into rooms that it was not invited to.
"""

import threading
from typing import Final

from stanch.integrations.slack.api import Answer, SlackApi, SlackError
from stanch.integrations.slack.blocks import escaped, slack_blocks
from stanch.kernel.blockdata import read_blocks
from stanch.kernel.blocks import Paragraph
from stanch.ports.channel import Case, ChannelSettings, Failure, Message, NotTaken, Receipt, nothing_arrives

_EVENT: Final = "stanch_message"
_TEXT: Final = 4_000
_TOPIC: Final = 250
_NAME: Final = 80
_LOOKED_AT: Final = "100"
_MOST_PAGES: Final = 20
_MOST_NAMES: Final = 5
# What is as it should be already.
_HARMLESS: Final = frozenset(
    {"already_in_channel", "cant_invite_self", "already_pinned", "no_user", "user_not_found", "cant_invite"}
)
_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class SlackChannel:
    """Posts into one room, or into a room of its own for every incident."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._api = SlackApi(name=settings.name, token=settings.secret, url=settings.url)
        self._me = ""
        self._invited: dict[str, frozenset[str]] = {}
        self._topics: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """What may stand there is looked for before it is said again."""
        return True

    def post(self, message: Message) -> Receipt:
        """Post `message`, or change the one it edits; open the incident's room where there is none yet."""
        with self._lock:
            room = self._room(message)
            reference = self._said_already(room, message) if message.again and not message.edits else ""
            if not reference:
                reference = self._edit(room, message) if message.edits else self._say(room, message)
            if message.pinned and reference != message.edits:
                self._harmless("pins.add", {"channel": room, "timestamp": reference})
            if message.case and not message.to and self._settings.rooms:
                self._keep_room(room, message.case)
            return Receipt(reference=reference, detail="ok", place="" if message.to else room)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _say(self, room: str, message: Message) -> str:
        metadata = {"event_type": _EVENT, "event_payload": {"id": message.id}}
        said = self._api.call("chat.postMessage", {**_body(room, message), "metadata": metadata, "unfurl_links": False})
        return str(said.get("ts", ""))

    def _edit(self, room: str, message: Message) -> str:
        try:
            with nothing_arrives():
                self._api.call("chat.update", {**_body(room, message), "ts": message.edits})
        except SlackError as trouble:
            if trouble.word not in _GONE:
                raise
            # Somebody deleted it: it is said again, and pinned anew.
            return self._say(room, message)
        return message.edits

    def _said_already(self, room: str, message: Message) -> str:
        """Return the reference of this very message where it stands in the room already."""
        asked = {"channel": room, "limit": _LOOKED_AT, "include_all_metadata": "true"}
        for one in _list(self._api.read("conversations.history", asked), "messages"):
            metadata = one.get("metadata")
            payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
            if isinstance(payload, dict) and payload.get("id") == message.id:
                return str(one.get("ts", ""))
        return ""

    def _room(self, message: Message) -> str:
        if message.to:
            return self._direct(message.to) if message.to.startswith(("U", "W")) else message.to
        if message.place:
            return message.place
        if not self._settings.rooms or message.case is None:
            if not self._settings.target:
                raise NotTaken(f"{self.name} has no room for what is about no incident", failure=Failure.REFUSED)
            return self._settings.target
        # A room that was made all the same is found by its name; no message was sent.
        with nothing_arrives():
            return self._open(message.room[:_NAME], message.case)

    def _direct(self, member: str) -> str:
        """Return the id of the direct messages with `member`, by which their history can be read."""
        said = self._api.read("conversations.open", {"users": member}).get("channel")
        return str(said.get("id", "")) if isinstance(said, dict) else member

    def _open(self, wanted: str, case: Case) -> str:
        """Return the id of the incident's room, made where it is not there; its name is `wanted`, or nearly so."""
        for number in range(1, _MOST_NAMES + 1):
            ending = "" if number == 1 else f"-{number}"
            name = wanted[: _NAME - len(ending)] + ending
            try:
                made = self._api.call("conversations.create", {"name": name, "is_private": False}).get("channel")
            except SlackError as trouble:
                if trouble.word != "name_taken":
                    raise
                found = self._ours(name, case)
                if found:
                    return found
                continue
            room = str(made.get("id", "")) if isinstance(made, dict) else ""
            self._harmless("conversations.setPurpose", {"channel": room, "purpose": _purpose(case)})
            return room
        raise NotTaken(f"{self.name}: all names like {wanted} are taken", failure=Failure.REFUSED)

    def _ours(self, name: str, case: Case) -> str:
        """Return the id of the room `name` where we made it for this incident; empty where it is somebody else's."""
        if not self._me:
            self._me = str(self._api.call("auth.test", {}).get("user_id", ""))
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {"limit": "1000", "exclude_archived": "true", "types": "public_channel"}
            page = self._api.read("conversations.list", asked | ({"cursor": cursor} if cursor else {}))
            for one in _list(page, "channels"):
                if one.get("name") == name:
                    purpose = one.get("purpose")
                    words = str(purpose.get("value", "")) if isinstance(purpose, dict) else ""
                    # One whose purpose was not set any more is ours as well: nobody else makes rooms in our name.
                    ours = one.get("creator") == self._me and words in ("", _purpose(case))
                    return str(one.get("id", "")) if ours else ""
            meta = page.get("response_metadata")
            cursor = str(meta.get("next_cursor", "")) if isinstance(meta, dict) else ""
            if not cursor:
                return ""
        return ""

    def _keep_room(self, room: str, case: Case) -> None:
        """Keep the room's topic current and invite who belongs into it. Neither is worth saying a message again."""
        topic = case.topic[:_TOPIC]
        if topic and self._topics.get(room) != topic:
            self._harmless("conversations.setTopic", {"channel": room, "topic": escaped(topic)[:_TOPIC]})
            self._topics[room] = topic
        new = [one for one in case.invite if one not in self._invited.get(room, frozenset())]
        for member in new:
            # One by one: a single member who has left would keep all others out.
            self._harmless("conversations.invite", {"channel": room, "users": member})
        self._invited[room] = self._invited.get(room, frozenset()) | set(new)

    def _harmless(self, method: str, body: dict[str, object]) -> None:
        """Do what is well already where Slack says so; what fails for another reason is tried with the next message."""
        try:
            with nothing_arrives():
                self._api.call(method, body)
        except SlackError as trouble:
            if trouble.word not in _HARMLESS and trouble.failure is not Failure.REFUSED:
                raise


def _purpose(case: Case) -> str:
    return f"{case.key} in Stanch"


def _body(room: str, message: Message) -> dict[str, object]:
    blocks = read_blocks(message.blocks) or (Paragraph(message.text),)
    buttons = message.case.buttons if message.case else ()
    text = escaped(f"{message.subject}\n{message.text}" if not message.blocks else message.subject)
    return {"channel": room, "text": text[:_TEXT], "blocks": slack_blocks(blocks, buttons=buttons)}


def _list(answer: Answer, key: str) -> list[dict[str, object]]:
    found = answer.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
