"""Listens to the chats that do not post to us, in a thread for each: what is asked there goes to the desk.

What those that post asked of a process that ended is done here too."""

import os
import threading
from collections.abc import Iterable
from typing import Final

import structlog

from stanch.app.socketing import Socket
from stanch.integrations.matrix.chat import MatrixChat
from stanch.kernel.errors import StanchError
from stanch.operations.world import World
from stanch.surfaces.chat.asks import LOOK_AGAIN_S, Asks
from stanch.surfaces.chat.desk import Desk

_AGAIN_AFTER_S: Final = 5.0

log = structlog.get_logger("stanch.chat")


class Listening:
    """One chat that is listened to. What is asked while nobody listens is not done later: it may be hours old."""

    def __init__(self, name: str, chat: MatrixChat, desk: Desk) -> None:
        self._name = name
        self._chat = chat
        self._desk = desk
        self._stopping = threading.Event()
        # Not waited for at the end: it may hold a question open, and what it does is done in one transaction.
        self._thread = threading.Thread(target=self._run, name=f"stanch-chat-{name}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()

    def _run(self) -> None:
        since = ""
        while not self._stopping.is_set():
            try:
                since = self._turn(since)
            except StanchError as error:
                log.warning("chat.not_heard", channel=self._name, error=error.message)
                self._stopping.wait(_AGAIN_AFTER_S)
            except Exception:  # boundary "engine loop": a defect in one message must not end the listening
                log.exception("chat.listening_failed", channel=self._name)
                self._stopping.wait(_AGAIN_AFTER_S)

    def _turn(self, since: str) -> str:
        following, heard = self._chat.listen(since)
        for one in heard:
            if self._stopping.is_set():
                break
            reply = self._desk.answer(one.asked, channel=self._name, kind=self._chat.kind)
            try:
                self._chat.send(one, reply)
            except StanchError as error:
                log.warning("chat.unanswered", channel=self._name, error=error.message)
        return following


class LeftOver:
    """Does what a chat posted, and the process that took it did not do."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stanch-chat-{asks.name}-left", daemon=True)

    def start(self) -> None:
        """Begin to look, at once and then again and again."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._asks.do_all(until=self._stopping.is_set)
            self._stopping.wait(LOOK_AGAIN_S)


def listeners_of(world: World, desk: Desk, *, posted: Iterable[Asks] = ()) -> list[Listening | LeftOver | Socket]:
    """Return what listens to the chats of `world`, not started yet; `posted` is what the others post."""
    sockets = [
        Socket(spec, desk)
        for spec in world.catalog.channels.values()
        if spec.socket_env and os.environ.get(spec.socket_env, "").strip()
    ]
    asked = [
        Listening(
            spec.name,
            MatrixChat(name=spec.name, url=spec.url, token=os.environ.get(spec.secret_env, "").strip()),
            desk,
        )
        for spec in world.catalog.channels.values()
        if spec.kind == "matrix" and os.environ.get(spec.secret_env, "").strip()
    ]
    return [*sockets, *(LeftOver(one) for one in posted), *asked]
