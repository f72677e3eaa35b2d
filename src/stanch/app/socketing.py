"""Keeps a socket to a chat open, and does what comes down it: kept before it is acknowledged, done once."""

import os
import threading
from collections.abc import Callable
from typing import Final

import structlog

from stanch.app.chat import CHATS
from stanch.catalog.channels import ChannelSpec
from stanch.integrations.slack.socket import Envelope, Goodbye, Line, SlackSockets
from stanch.kernel.errors import StanchError, Unavailable
from stanch.ports.chat import Listened
from stanch.surfaces.chat.asks import LOOK_AGAIN_S, Asks
from stanch.surfaces.chat.desk import Desk

# A chat that does not answer is asked again after one second, then two, up to this.
_LONGEST_WAIT_S: Final = 30.0
# Nothing but a person's hand makes it well again.
_HOPELESS_S: Final = 60.0
# A connection that lasted as long was a good one.
_GOOD_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.5

log = structlog.get_logger("stanch.chat")


class Socket:
    """One chat whose requests come down a socket: one thread keeps it open, one for each connection reads, one does."""

    def __init__(self, spec: ChannelSpec, desk: Desk, *, again_after_s: float = 1.0) -> None:
        self._name = spec.name
        self._world = desk.world
        self._asks = Asks(spec.name, CHATS[spec.kind](spec), desk)
        self._sockets = SlackSockets(name=spec.name, token=os.environ.get(spec.socket_env, "").strip(), url=spec.url)
        self._again_after_s = again_after_s
        self._stopping = threading.Event()
        self._work = threading.Event()
        # Not waited for at the end, as with every chat: what one does is done in one transaction.
        self._threads = [self._thread("opens", self._keep_open), self._thread("does", self._do_all)]

    def start(self) -> None:
        """Begin to listen, with what was left over."""
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        self._work.set()

    def join(self, within_s: float) -> None:
        """Wait until it has stopped."""
        for one in self._threads:
            one.join(within_s)

    def _thread(self, what: str, run: Callable[..., None], *arguments: object) -> threading.Thread:
        return threading.Thread(target=run, args=arguments, name=f"stanch-chat-{self._name}-{what}", daemon=True)

    def _keep_open(self) -> None:
        wait_s = self._again_after_s
        while not self._stopping.is_set():
            try:
                line = self._sockets.open()
            except Unavailable as trouble:
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S) if trouble.retry else _HOPELESS_S
                self._lost(trouble.message, wait_s)
                continue
            except Exception:  # boundary "integration": a defect must not end the listening
                log.exception("chat.socket_failed", channel=self._name)
                self._stopping.wait(_LONGEST_WAIT_S)
                continue
            opened_at = self._world.clock.now()
            self._world.listening[self._name] = Listened(since=opened_at)
            over = _Over()
            self._thread("reads", self._read, line, over).start()
            over.event.wait()
            # One that is closed at once again and again is asked for slowly.
            lasted_s = (self._world.clock.now() - opened_at).total_seconds()
            wait_s = self._again_after_s if lasted_s > _GOOD_S else min(wait_s * 2, _LONGEST_WAIT_S)
            if over.trouble:
                self._lost(over.trouble, _HOPELESS_S if over.is_off else wait_s)
            elif lasted_s <= _GOOD_S:
                self._stopping.wait(wait_s)
        self._sockets.close()

    def _lost(self, trouble: str, wait_s: float) -> None:
        log.warning("chat.not_heard", channel=self._name, error=trouble)
        self._world.listening[self._name] = Listened(trouble=trouble)
        self._stopping.wait(wait_s)

    def _read(self, line: Line, over: "_Over") -> None:
        """Read until the far end hangs up. It says so before: then another is opened while this one is read out."""
        try:
            while not self._stopping.is_set():
                said = line.receive(within_s=_LOOK_EVERY_S)
                if isinstance(said, Goodbye):
                    over.is_off = said.is_off
                    over.trouble = "Socket Mode is switched off for this app" if said.is_off else ""
                    over.event.set()
                elif said is not None:
                    self._take(line, said)
        except StanchError as error:
            if not over.event.is_set():
                over.trouble = error.message
        except Exception:  # boundary "integration": a defect in one request must not end the listening
            log.exception("chat.socket_failed", channel=self._name)
            over.trouble = "an unexpected error; it is in the server's log"
        finally:
            line.close()
            over.event.set()

    def _take(self, line: Line, envelope: Envelope) -> None:
        """Keep what is asked, then say that it is in our hands; what could not be kept is sent again."""
        asked = envelope.heard.asked
        if asked is not None:
            self._asks.keep(envelope.key, asked)
        line.acknowledge(envelope)
        self._work.set()

    def _do_all(self) -> None:
        while not self._stopping.is_set():
            self._work.clear()
            self._asks.do_all(until=self._stopping.is_set)
            self._work.wait(LOOK_AGAIN_S)


class _Over:
    """How a connection ended, and that it does."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.trouble = ""
        self.is_off = False
