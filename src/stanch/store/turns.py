"""Whose turn it is: a lock that is given in the order in which it was asked for.

SQLite lets one connection write at a time and makes the others try again after a while, in no order: beside a thread
that writes all the time, the others would wait for seconds.
"""

import threading
from collections import deque
from types import TracebackType
from typing import Final

from stanch.kernel.errors import Unavailable

_PATIENCE_S: Final = 60.0


class Turns:
    """A fair lock for the threads of one process. Not reentrant. Raises `Unavailable` after a minute of waiting."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if not mine.acquire(timeout=_PATIENCE_S):
            with self._guard:
                # It may have been handed over at the last moment.
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    raise Unavailable(f"the database was busy for {_PATIENCE_S:g} s", retry=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            if self._waiting:
                # Handed over without being free in between, so that nobody overtakes.
                self._waiting.popleft().release()
            else:
                self._taken = False
