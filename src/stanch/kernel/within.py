"""One deadline for work that cannot be given one: it is done in a thread of its own, which is left alone afterwards."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Late(Exception):
    """The work was not done in time; it may still be done."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises. Raises `Late` after `seconds`; `work` goes on then."""
    task = _Task(work)
    thread = threading.Thread(target=task.run, name="stanch-within", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Late(f"not done within {seconds:g} s")
    return task.done.result(timeout=0)


class _Task(Generic[T]):
    """What one thread does, and how it ended."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.done: Future[T] = Future()

    def run(self) -> None:
        """Do it."""
        try:
            self.done.set_result(self._work())
        except Exception as error:  # noqa: BLE001  # boundary "thread": raised again where somebody waits for it
            self.done.set_exception(error)
