"""How the process is told to stop: what signals do, and waiting for one in the main thread."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LOOK_EVERY_S: Final = 0.1


@contextmanager
def on_signals(handler: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """Call `handler` in the main thread when the first of these signals comes, while the block lasts.

    Those after it must not break off the clean-up: a terminal that closes may send two. A signal that whoever started
    the process had it ignore stays ignored: what `nohup` started outlives its terminal.
    """
    before = {number: was for number in numbers if (was := signal.getsignal(number)) is not signal.SIG_IGN}
    told = False

    def first(number: int, frame: object) -> None:
        nonlocal told
        if not told:
            told = True
            handler()

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def interrupt() -> None:
    """End what is under way as Ctrl+C does: raise `KeyboardInterrupt`."""
    raise KeyboardInterrupt


def wait_for(event: threading.Event) -> None:
    """Block until `event` is set, or a signal's handler raises.

    The system may give a signal to any thread, such as one that starts another at that moment; Python runs the handler
    in the main thread all the same, which nothing has woken then. So it wakes by itself. It does not wait on the event:
    a handler that comes while the event's lock is held here could never set it.
    """
    while not event.is_set():
        time.sleep(_LOOK_EVERY_S)
