"""The hands of a game day: what a step does to a target, and how each thing is taken back.

Nothing here decides what may be hit: the instances are given.
"""

import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from stanch.catalog.gamedays.model import Act, GameStep, Target, TargetKind
from stanch.gameday.chaos.model import Deed, Undo, UndoKind
from stanch.gameday.chaos.processes import check_not_own, pid_in, started
from stanch.kernel.errors import Refused, Unavailable
from stanch.kernel.percentage import percent

FILL: Final = "stanch-gameday.fill"
TOXIC: Final = "stanch-gameday"
_CHUNK: Final = 1024 * 1024
_LAST_WORDS: Final = 300
_MOST_WORDS: Final = 1_000_000


class Hands(Protocol):
    """What a runner needs."""

    def instances(self, target: Target) -> tuple[str, ...]:
        """Return the names of the instances that are there now."""
        ...

    def mean(self, number: int, step: GameStep, target: Target, instances: Sequence[str], *, left_s: float) -> Deed:
        """Return what the step would do and how it is taken back; touch nothing. `left_s` is until the end."""
        ...

    def act(self, step: GameStep, target: Target, deed: Deed, *, left_s: float) -> None:
        """Do it."""
        ...

    def undo(self, undo: Undo) -> None:
        """Take one thing back; a second time does no harm."""
        ...


class RealHands:
    """Hands that really do it. `folder` is where processes of ours look whether they should end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holders: dict[str, subprocess.Popen[bytes]] = {}

    def instances(self, target: Target) -> tuple[str, ...]:
        """Return the pid files whose process runs, the pods that match, or the target itself."""
        match target.kind:
            case TargetKind.PROCESS:
                return tuple(path for path in target.pid_files if pid_in(path))
            case TargetKind.PODS:
                told = _run(_kubectl(target, "get", "pods", "-l", target.selector, "-o", "name"), target.timeout_s)
                return tuple(line.strip() for line in told.splitlines() if line.startswith("pod/"))
            case _:
                return (target.name,)

    def mean(self, number: int, step: GameStep, target: Target, instances: Sequence[str], *, left_s: float) -> Deed:
        """Return what the step would do. Raises `Refused` where a limit of the target does not allow it."""
        undo: list[Undo] = []
        for one in instances:
            undo += self._undo_of(number, step, target, one)
        return Deed(
            step=number,
            target=target.name,
            words=_words(step, target, instances),
            instances=tuple(instances),
            undo=tuple(undo),
        )

    def act(self, step: GameStep, target: Target, deed: Deed, *, left_s: float) -> None:
        """Do it. Raises `Unavailable` when it could not be done."""
        match step.do:
            case Act.KILL if target.kind is TargetKind.PODS:
                _run(_kubectl(target, "delete", *deed.instances, "--wait=false"), target.timeout_s)
            case Act.KILL:
                for path in deed.instances:
                    _signal(path, signal.SIGKILL)
            case Act.PAUSE:
                _pause(deed)
            case Act.DELAY | Act.FAIL | Act.CUT if target.kind is TargetKind.PROXY:
                _tell("PUT", _fault_url(target), _fault(step, left_s=left_s), target.timeout_s)
            case Act.DELAY:
                toxic = {"name": TOXIC, "type": "latency", "stream": "downstream", "toxicity": 1.0}
                body = {**toxic, "attributes": {"latency": round(step.delay_ms), "jitter": 0}}
                _tell("POST", f"{_toxiproxy(target)}/toxics", json.dumps(body), target.timeout_s)
            case Act.CUT:
                _tell("POST", _toxiproxy(target), json.dumps({"enabled": False}), target.timeout_s)
            case Act.FILL:
                _fill(Path(target.folder) / FILL, step.bytes)
            case Act.EXHAUST:
                self._hold(deed, step, target, left_s=left_s)
            case Act.RUN:
                _run(target.do, target.timeout_s)
            case _:
                pass

    def undo(self, undo: Undo) -> None:
        """Take one thing back. Raises `Unavailable` when it could not be."""
        match undo.kind:
            case UndoKind.RESUME:
                if started(undo.pid) == undo.started:
                    os.kill(undo.pid, signal.SIGCONT)
            case UndoKind.START:
                if pid_in(undo.path) is None:
                    _run(undo.argv, undo.timeout_s)
            case UndoKind.RUN:
                _run(undo.argv, undo.timeout_s)
            case UndoKind.TELL:
                _tell(undo.method, undo.url, undo.body, undo.timeout_s)
            case UndoKind.REMOVE:
                Path(undo.path).unlink(missing_ok=True)
            case UndoKind.LEAVE:
                Path(undo.path).touch()
                self._see_off(undo)

    def _undo_of(self, number: int, step: GameStep, target: Target, one: str) -> list[Undo]:
        wait = target.timeout_s
        match step.do:
            case Act.KILL | Act.PAUSE if target.kind is TargetKind.PROCESS:
                pid = pid_in(one)
                if pid is None:
                    raise Unavailable(f"{one} names no process that runs", retry=False)
                check_not_own(pid)
                if step.do is Act.PAUSE:
                    return [Undo(kind=UndoKind.RESUME, pid=pid, started=started(pid))]
                return [Undo(kind=UndoKind.START, argv=target.start, path=one, timeout_s=wait)] if target.start else []
            case Act.DELAY | Act.FAIL | Act.CUT if target.kind is TargetKind.PROXY:
                return [Undo(kind=UndoKind.TELL, method="DELETE", url=_fault_url(target), timeout_s=wait)]
            case Act.DELAY:
                url = f"{_toxiproxy(target)}/toxics/{TOXIC}"
                return [Undo(kind=UndoKind.TELL, method="DELETE", url=url, timeout_s=wait)]
            case Act.CUT:
                body = json.dumps({"enabled": True})
                return [Undo(kind=UndoKind.TELL, method="POST", url=_toxiproxy(target), body=body, timeout_s=wait)]
            case Act.FILL:
                return [Undo(kind=UndoKind.REMOVE, path=str(_room_for(step.bytes, target)))]
            case Act.EXHAUST:
                return [Undo(kind=UndoKind.LEAVE, path=str(self._folder / f"leave-{number}"))]
            case Act.RUN if target.undo:
                return [Undo(kind=UndoKind.RUN, argv=target.undo, timeout_s=wait)]
            case _:
                return []

    def _hold(self, deed: Deed, step: GameStep, target: Target, *, left_s: float) -> None:
        words = ("--address", target.address, "--count", str(step.connections), "--for-s", str(left_s))
        with (self._folder / "holder.log").open("ab") as log:
            holder = subprocess.Popen(
                [sys.executable, "-m", "stanch.gameday.chaos.holder", *words, "--leave", deed.undo[0].path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._holders[deed.undo[0].path] = holder
        with holder.stdout or io.BytesIO() as said:
            is_holding = bool(said.readline())
        if not is_holding:
            raise Unavailable(f"{target.address} takes no connection", retry=False)

    def _see_off(self, undo: Undo) -> None:
        """Wait until a holder that was started here has ended; one of another process ends as soon as it looks."""
        holder = self._holders.pop(undo.path, None)
        if holder is None:
            return
        try:
            holder.wait(undo.timeout_s)
        except subprocess.TimeoutExpired as error:
            holder.kill()
            raise Unavailable("the connections were not given back in time", retry=True) from error


def _words(step: GameStep, target: Target, instances: Sequence[str]) -> str:
    match step.do:
        case Act.KILL | Act.PAUSE:
            return f"{step.do} {target.name}: {', '.join(Path(one).name for one in instances)}"
        case Act.DELAY:
            return f"delay {target.name} by {step.delay_ms:g} ms"
        case Act.FAIL:
            return f"fail {percent(step.ratio)} of the requests at {target.name} with {step.status}"
        case Act.FILL:
            return f"fill {target.name} with {step.bytes:,} bytes"
        case Act.EXHAUST:
            return f"hold {step.connections} connections to {target.name}"
        case Act.AWAY:
            return f"{target.person} does not answer"
        case _:
            return f"{step.do} {target.name}"


def _fault(step: GameStep, *, left_s: float) -> str:
    fault: dict[str, object] = {"for_s": left_s}
    match step.do:
        case Act.DELAY:
            fault["delay_ms"] = step.delay_ms
        case Act.FAIL:
            fault |= {"ratio": step.ratio, "status": step.status}
        case _:
            fault["cut"] = True
    return json.dumps(fault)


def _fault_url(target: Target) -> str:
    return f"{target.control.rstrip('/')}/fault"


def _toxiproxy(target: Target) -> str:
    return f"{target.control.rstrip('/')}/proxies/{quote(target.proxy, safe='')}"


def _kubectl(target: Target, *words: str) -> tuple[str, ...]:
    context = ("--context", target.context) if target.context else ()
    return (target.kubectl, *context, "--namespace", target.namespace, *words)


def _room_for(size: int, target: Target) -> Path:
    """Return where the file goes. Raises `Refused` where the disk would be fuller than its owner allows."""
    folder = Path(target.folder)
    if not folder.is_dir():
        raise Unavailable(f"{folder} is no folder", retry=False)
    path = folder / FILL
    if path.exists():
        raise Refused(f"{path} is there already", reason="exists", hint="an earlier game day left it: remove it")
    if size > target.most_bytes or shutil.disk_usage(folder).free - size < target.keep_free_bytes:
        raise Refused(f"{size:,} bytes are more than {target.name} has room for", reason="blast_radius")
    return path


def _fill(path: Path, size: int) -> None:
    with path.open("xb") as file:
        while size > 0:
            size -= file.write(bytes(min(size, _CHUNK)))
        file.flush()
        os.fsync(file.fileno())


def _signal(path: str, number: signal.Signals) -> None:
    pid = pid_in(path)
    if pid is None:
        raise Unavailable(f"{path} names no process that runs", retry=False)
    os.kill(pid, number)


def _pause(deed: Deed) -> None:
    """Stop the processes that the deed takes back: one that came since in their place would stay stopped for ever."""
    for undo in deed.undo:
        if started(undo.pid) != undo.started:
            raise Unavailable(f"process {undo.pid} is not the one that was meant", retry=True)
        os.kill(undo.pid, signal.SIGSTOP)


def _run(argv: Sequence[str], timeout_s: float) -> str:
    # Into a file and not through a pipe: what a command starts in the background would hold a pipe open for ever.
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{argv[0]} could not be run: {error}", retry=False) from error
        said.seek(0)
        told = said.read(_MOST_WORDS).decode(errors="replace")
    if done.returncode:
        words = told.strip()[-_LAST_WORDS:]
        raise Unavailable(f"{' '.join(argv)} ended with {done.returncode}: {words}", retry=False)
    return told


def _tell(method: str, url: str, body: str, timeout_s: float) -> None:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    try:
        connection.request(method, parts.path, body=body or None, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{url} does not answer: {error}", retry=True) from error
    finally:
        connection.close()
    # What is not there any more need not be taken away.
    if answer.status >= 400 and not (method == "DELETE" and answer.status == 404):
        raise Unavailable(f"{method} {url} was answered with {answer.status}", retry=False)
