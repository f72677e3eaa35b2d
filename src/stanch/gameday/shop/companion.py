"""A process beside the shop that takes commands: one JSON object per line in, one answer per line out.

`take_commands` is the side of the process, `Companion` the side of whoever starts it. When the starter ends, the
process does.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from stanch.gameday.shop.lifeline import hold
from stanch.gameday.shop.places import ShopError

STOP_WITHIN_S = 8.0


async def take_commands(obey: Callable[[dict[str, object]], Awaitable[dict[str, object]]]) -> None:
    """Answer commands from standard input until it closes."""
    loop = asyncio.get_running_loop()
    commands: asyncio.Queue[str | None] = asyncio.Queue()

    def put(line: str | None) -> None:
        loop.call_soon_threadsafe(commands.put_nowait, line)

    hold(on_line=put, on_gone=lambda: put(None))
    while (line := await commands.get()) is not None:
        print(json.dumps(await obey(json.loads(line))), flush=True)  # noqa: T201  (this is the protocol)
    # There may be requests under way in every state; nothing in these processes needs to be saved.
    os._exit(0)


class Companion:
    """A started process of the drill."""

    def __init__(self, module: str, *arguments: str, output: Path) -> None:
        with output.open("wb") as errors:
            # A session of its own: Ctrl-C reaches whoever started the shop, who then stops it in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                text=True,
            )
        self._lock = threading.Lock()
        self._name = module.rpartition(".")[2]

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, command: dict[str, object]) -> dict[str, object]:
        """Send one command and return its answer; raise ShopError when the process has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ShopError(f"the {self._name} has no standard streams")
        with self._lock:
            try:
                self._process.stdin.write(json.dumps(command) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
            except (OSError, ValueError) as error:
                raise ShopError(f"the {self._name} has ended") from error
        if not line:
            raise ShopError(f"the {self._name} has ended")
        answer: dict[str, object] = json.loads(line)
        return answer

    def stop(self) -> None:
        """Stop the process and wait for it; may be called again."""
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
