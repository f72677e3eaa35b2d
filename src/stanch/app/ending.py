"""How the process is told to stop: what signals do, and waiting for one in the main thread."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LOOK_EVERY_S: Final = 0.5


@contextmanager
def on_signals(handler: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """Call `handler` in the main thread when one of these signals comes, while the block lasts.

    A signal that whoever started the process had it ignore stays ignored: what `nohup` started outlives its terminal.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number, was in before.items() if was is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, lambda *_: handler())
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def interrupt() -> None:
    """End what is under way as Ctrl+C does: raise `KeyboardInterrupt`."""
    raise KeyboardInterrupt


def wait_for(event: threading.Event) -> None:
    """Block until `event` is set, or a signal's handler raises.

    The system may give a signal to any thread, such as one that starts another at that moment; Python runs the handler
    in the main thread all the same, which nothing has woken then. So it wakes by itself.
    """
    while not event.wait(_LOOK_EVERY_S):
        pass
