"""Waits in the main thread for the process to be told to stop."""

import threading
from typing import Final

_LOOK_EVERY_S: Final = 0.5


def wait_for(event: threading.Event) -> None:
    """Block until `event` is set, or a signal's handler raises.

    The system may give a signal to any thread, such as one that starts another at that moment; Python runs the handler
    in the main thread all the same, which nothing has woken then. So it wakes by itself.
    """
    while not event.wait(_LOOK_EVERY_S):
        pass
