"""The two servers as processes of their own, each with an empty folder, on a port of this machine."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

STANCH: Final = "stanch"
ALERTMANAGER: Final = "alertmanager"
_STARTED_WITHIN_S: Final = 180.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that runs."""

    url: str
    process: subprocess.Popen[bytes]

    def memory_mib(self, what: str = "VmRSS") -> float:
        """Return its resident memory in MiB; `VmHWM` is the most it ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1]) / 1024

    def cpu_s(self) -> float:
        """Return the processor time it has used, in seconds."""
        # Fields 14 and 15 of proc_pid_stat(5), counted after the name, which may hold blanks.
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of what is answered to a GET."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """End it at once, without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(kind: str, folder: Path, config: str, *, database: str = "", port: int = 0) -> Iterator[Server]:
    """Run a server with `config` as its alertmanager.yml while the block lasts. What is in `folder` stays there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    port = port or free_port()
    command = _stanch(folder, port, database) if kind == STANCH else _alertmanager(folder, port)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    server = Server(url=f"http://127.0.0.1:{port}", process=process)
    try:
        _wait_ready(server, folder / "log")
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()


def _stanch(folder: Path, port: int, database: str) -> list[str]:
    words = ["--config", str(folder / "alertmanager.yml"), "--port", str(port), "--data", str(folder / "data")]
    return [sys.executable, "-m", "stanch", "serve", *words, *(["--database", database] if database else [])]


def _alertmanager(folder: Path, port: int) -> list[str]:
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        raise SystemExit("prometheus-alertmanager is missing: apt-get install prometheus-alertmanager")
    return [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]


def _wait_ready(server: Server, log: Path) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN_S
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if server.get("/-/ready")[0] == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"a server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """Make a database on the PostgreSQL server of the URL `server` while the block lasts; an empty URL is SQLite."""
    if not server:
        yield ""
        return
    name = f"stanch_bench_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
