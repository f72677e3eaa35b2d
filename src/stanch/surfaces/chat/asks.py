"""What a chat asked and does not wait for: kept before it is acknowledged, done once, in the order in which it came.

Whatever was kept when a process ended is done by the next, or by another node.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from stanch.comms.tables import Ask, end_ask, keep_ask, next_ask
from stanch.kernel.errors import StanchError
from stanch.ports.chat import Asked, Chat, Reply
from stanch.surfaces.chat.desk import Desk

LOOK_AGAIN_S: Final = 15.0
"""How often somebody looks for what a process left that ended."""
# An operation takes well below a second: who began longer ago is dead.
_GIVEN_UP: Final = timedelta(minutes=1)
# As for signed requests: what is older was asked in another situation.
_TOO_OLD: Final = timedelta(minutes=5)

log = structlog.get_logger("stanch.chat")


class Asks:
    """The requests of one chat. Any number of threads may do what is kept; each request is one's."""

    def __init__(self, name: str, chat: Chat, desk: Desk) -> None:
        self.name = name
        self._chat = chat
        self._desk = desk
        self._world = desk.world

    def keep(self, key: str, asked: Asked) -> None:
        """Keep a request, unless one of this key is known. It is on the disk when this returns."""
        with self._world.store.writing() as tx:
            now = self._world.clock.now()
            body = msgspec.to_builtins(asked)
            is_new = keep_ask(tx.connection, channel=self.name, key=key, asked=body, at=now)
        if not is_new:
            log.info("chat.known", channel=self.name, key=key)

    def do_all(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Do what is kept, one after the other, until nothing is left that nobody does, or `until` says so."""
        try:
            while not until() and self._do_next():
                pass
        except StanchError as error:
            log.warning("chat.not_done", channel=self.name, error=error.message)
        except Exception:  # boundary "engine loop": a defect in one request must not end the others
            log.exception("chat.listening_failed", channel=self.name)

    def _do_next(self) -> bool:
        with self._world.store.writing() as tx:
            ask = next_ask(tx.connection, channel=self.name, now=self._world.clock.now(), given_up=_GIVEN_UP)
        if ask is None:
            return False
        asked = msgspec.convert(ask.asked, Asked)
        try:
            self._answer(ask, asked)
        except StanchError as error:
            # What was asked is done and on record, or was never begun; only the chat was not told.
            log.warning("chat.unanswered", channel=self.name, by=asked.by.value, error=error.message)
        with self._world.store.writing() as tx:
            end_ask(tx.connection, channel=self.name, key=ask.key, now=self._world.clock.now())
        return True

    def _answer(self, ask: Ask, asked: Asked) -> None:
        if ask.was_begun:
            # Some of what can be asked must not be done twice, and nobody knows how far it came.
            reply = Reply(text="I was interrupted while I did this: look whether it is done before you ask again")
        elif self._world.clock.now() - ask.at > _TOO_OLD:
            reply = Reply(text="I was away when you asked this, and have not done it: ask again if it still holds")
        else:
            asked = self._chat.complete(asked)
            reply = self._desk.answer(asked, channel=self.name, kind=self._chat.kind)
        self._chat.send(asked, reply)
