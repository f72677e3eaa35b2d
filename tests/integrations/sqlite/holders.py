"""Processes that hold a SQLite database, as programs of others do."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import signal, socket, sqlite3, sys
file, mode, begin = sys.argv[1:]
if mode == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
if mode == "serving":
    server = socket.create_server(("127.0.0.1", 0))
database = sqlite3.connect(file, isolation_level=None)
database.execute(begin)
print("held", flush=True)
for line in sys.stdin:
    database.execute(line.strip())
    print("done", flush=True)
"""
WRITES = "BEGIN IMMEDIATE"
READS = "SELECT count(*) FROM orders"


class Holder:
    """A process that has a database open."""

    def __init__(self, file: Path, *, begin: str, mode: str) -> None:
        program = file.with_name("batch.py")
        program.write_text(_HOLD, encoding="utf-8")
        words = [sys.executable, str(program), str(file), mode, begin]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "held\n"

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def run(self, sql: str) -> None:
        """Let it run a statement, and return when that is done."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def ended(self) -> bool:
        """Tell whether it ends within the time that a signal takes."""
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            return False
        return True


@contextmanager
def holding(file: Path, *, begin: str = WRITES, mode: str = "plain") -> Iterator[Holder]:
    """Give a process that has opened `file` and run `begin`; `mode` may be `stubborn` or `serving`."""
    holder = Holder(file, begin=begin, mode=mode)
    try:
        yield holder
    finally:
        holder.process.kill()
        holder.process.communicate()
