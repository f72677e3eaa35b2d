"""The machine below the shop: takes the processor away from one process, again and again, as a crowded host does.

`python -m stanch.gameday.shop.pauses`. Standard input takes one JSON object per line, `{"pid": 4711}` or `{"pid": 0}`,
and each is answered on standard output. The process that was paused goes on when this one ends.
"""

import asyncio
import os
import signal
from typing import Final

from stanch.gameday.shop.companion import take_commands

AWAY_S: Final = 0.9
"""How long the process stands still: long enough that the requests of that time are far from usual."""
BACK_S: Final = 0.6


class Pauses:
    """One process that is stopped and let go on in turns."""

    def __init__(self) -> None:
        self._pid = 0

    async def run(self) -> None:
        """Pause until standard input closes, or until it is told to end."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end)
        turns = asyncio.create_task(self._turns())
        await take_commands(self._obey)
        turns.cancel()

    async def _obey(self, command: dict[str, object]) -> dict[str, object]:
        self._tell(signal.SIGCONT)
        self._pid = int(str(command.get("pid", 0)))
        return {"pid": self._pid}

    async def _turns(self) -> None:
        while True:
            self._tell(signal.SIGSTOP)
            await asyncio.sleep(AWAY_S)
            self._tell(signal.SIGCONT)
            await asyncio.sleep(BACK_S)

    def _tell(self, number: signal.Signals) -> None:
        if self._pid:
            try:
                os.kill(self._pid, number)
            except ProcessLookupError:
                self._pid = 0

    def _end(self) -> None:
        self._tell(signal.SIGCONT)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(Pauses().run())
