"""The port to sessions on a SQLite file: the processes of this machine that have it open, and ending one of them.

A cancel is SIGINT, as Ctrl+C is, a termination SIGTERM; no process is killed outright. What the process had not
committed is rolled back by whoever opens the file next. Whom a signal goes to is compared after the process was taken
hold of, so that a number that somebody else has by then ends nobody.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stanch.integrations.sqlite.holding import Holding, Watched, watched
from stanch.integrations.sqlite.processes import Process, forebears, listens, process, sleeps
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.query import SystemSpec
from stanch.ports.sessions import DatabaseSession, Doing, Ending, Identity, Wait, with_waits

_SIGNALS: Final = {Ending.CANCEL: signal.SIGINT, Ending.TERMINATE: signal.SIGTERM}
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class SqliteSessions:
    """The processes that have a database file open. The account needs to be theirs, or root."""

    def __init__(self, spec: SystemSpec) -> None:
        self._path = spec.settings.get("path", "")

    @property
    def where(self) -> str:
        """Return the file."""
        return self._path

    @contextmanager
    def open(self) -> Iterator["_Console"]:
        """Look at the processes of this machine."""
        yield _Console(watched(self._path))


class _Console:
    def __init__(self, file: Watched) -> None:
        self._file = file

    def sessions(self) -> tuple[DatabaseSession, ...]:
        """Return who has the file open while somebody holds its write lock, and behind whom; nobody when it is free."""
        found = self._file.look()
        if found is None:
            return ()
        ours = forebears()
        rows = [_session(found.holder, self._file.path.name, holding=found, ours=ours)]
        rows += [_session(one, self._file.path.name, holding=None, ours=ours) for one in found.others]
        waits = [Wait(waiter=one.pid, blocker=found.holder.pid, for_s=found.held_s) for one in found.others]
        return with_waits(rows, waits)

    def server(self) -> str:
        """Return this start of this machine: numbers of processes begin anew with the next."""
        return _BOOT.read_text(encoding="ascii").strip()

    def denial(self, sessions: Sequence[DatabaseSession]) -> str:
        """Return why this account may not end them: they are somebody else's."""
        me = os.geteuid()
        found = [process(one.identity.pid) for one in sessions]
        others = sorted({one.user for one in found if one is not None and one.uid != me})
        if me == 0 or not others:
            return ""
        return f"this account may not end processes of {', '.join(others)}"

    def end(self, identity: Identity, how: Ending) -> bool:
        """Send it a signal where it is the same process, in the same transaction."""
        try:
            taken = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            return False
        except OSError as error:
            raise Unavailable(f"process {identity.pid} cannot be reached: {error.strerror}", retry=False) from error
        try:
            found = self._file.look()
            if found is None or _identity(found.holder, found) != identity:
                return False
            signal.pidfd_send_signal(taken, _SIGNALS[how])
        except ProcessLookupError:
            return False
        except PermissionError as error:
            raise Refused(f"this account may not end process {identity.pid}", reason="denied") from error
        finally:
            os.close(taken)
        return True


def _session(one: Process, database: str, *, holding: Holding | None, ours: frozenset[int]) -> DatabaseSession:
    holds = f"holds the write lock, and nothing was committed for {holding.quiet_s:.0f} s" if holding else ""
    return DatabaseSession(
        identity=_identity(one, holding),
        user=one.user,
        application=one.program,
        client="this machine",
        database=database,
        doing=_doing(one) if holding else Doing.IDLE,
        for_s=holding.held_s if holding else 0.0,
        query=holds,
        protected=_protection(one, ours),
    )


def _doing(holder: Process) -> Doing:
    return Doing.IDLE_IN_TRANSACTION if sleeps(holder.pid) else Doing.ACTIVE


def _identity(one: Process, holding: Holding | None) -> Identity:
    return Identity(pid=one.pid, started=one.started, work=holding.stamp if holding else "")


def _protection(one: Process, ours: frozenset[int]) -> str:
    if one.pid in ours or one.pid == 1:
        return "it is one of ours"
    if listens(one.pid):
        return "it serves others: it listens for connections"
    return ""
