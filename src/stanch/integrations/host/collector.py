"""The evidence port on this machine: one finding a resource, each a sentence with numbers.

It speaks of the machine that Stanch runs on, and says so; whether a service runs there too is for the reader to know.
A resource that cannot be read is a finding that says that, never silence.
"""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from stanch.integrations.host.readings import (
    Disk,
    Files,
    Load,
    Memory,
    Sockets,
    Stalls,
    read_disks,
    read_files,
    read_load,
    read_memory,
    read_sockets,
    read_stalls,
)
from stanch.kernel.event import JSON
from stanch.kernel.percentage import percent
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

# From these shares on a resource is called short. Disks: the shipped default of alerts; memory: what is left is then
# less than an ordinary burst; descriptors and ports fail at once when they are gone, so earlier.
_FULL_DISK: Final = 0.90
_FULL_MEMORY: Final = 0.90
_FULL_FILES: Final = 0.80
_FULL_PORTS: Final = 0.80
# More runnable tasks than this per CPU over five minutes means that work waits.
_BUSY: Final = 1.5
# Memory: a tenth of the time lost shows in every latency; disks: much waits for them in ordinary life.
_STALLED_MEMORY: Final = 0.10
_STALLED_DISK: Final = 0.30
_MOST_DISKS: Final = 8


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What one resource has to say."""

    summary: str
    signals: tuple[Signal, ...]


@dataclass(frozen=True, kw_only=True)
class _Resource:
    """A resource: how it is called, the command a person can repeat, and how it is read."""

    name: str
    command: str
    read: Callable[[Path], _Told | None]


class HostCollector:
    """Looks at the machine it runs on. `root` is where its `/proc` and `/sys` are found."""

    def __init__(self, *, root: Path = Path("/"), host: str = "", timeout_s: float = 5.0) -> None:
        self._root = root
        self._host = host or platform.node() or "this machine"
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `host`."""
        return "host"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._timeout_s

    def collect(self, question: Question) -> list[Finding]:
        """Return what memory, disks, CPUs, files and sockets have left now, and what stands still; six findings."""
        return [self._finding(resource, question) for resource in _RESOURCES]

    def _finding(self, resource: _Resource, question: Question) -> Finding:
        began = time.monotonic()
        told = resource.read(self._root)
        missing = f"{resource.name}: this system does not say."
        return Finding(
            id=f"host/{resource.name.replace(' ', '-')}/{question.incident}",
            collector=self.name,
            source=f"{self._host}, where Stanch runs",
            command=resource.command,
            status=FindingStatus.OK if told else FindingStatus.NO_DATA,
            summary=told.summary if told else missing,
            start=question.end,
            end=question.end,
            took_s=time.monotonic() - began,
            signals=tuple(replace(signal, at=question.end) for signal in told.signals) if told else (),
        )


def _memory(root: Path) -> _Told | None:
    memory = read_memory(root)
    return None if memory is None else tell_memory(memory)


def tell_memory(memory: Memory) -> _Told:
    """Say how much memory is in use and what is left."""
    owner = "memory limit of this container" if memory.limited else "memory"
    words = f"{owner} {_percent(memory.used_share)} used: {_size(memory.available)} left of {_size(memory.total)}"
    if memory.swap_total:
        words += f"; swap {_percent(1 - memory.swap_free / memory.swap_total)} used"
    return _Told(summary=f"{words}.", signals=(_saturation("memory", memory.used_share, _FULL_MEMORY),))


def _disks(root: Path) -> _Told | None:
    disks = read_disks(root)
    return tell_disks(disks) if disks else None


def tell_disks(disks: list[Disk]) -> _Told:
    """Say how full each file system is, fullest first."""
    sentences = []
    for disk in disks[:_MOST_DISKS]:
        words = f"disk {disk.mount} {_percent(disk.used_share)} full: {_size(disk.available)} left"
        full_of_files = disk.inodes_share >= _FULL_DISK
        sentences.append(f"{words}, and {_percent(disk.inodes_share)} of its inodes used" if full_of_files else words)
    rest = f"; {len(disks) - _MOST_DISKS} more" if len(disks) > _MOST_DISKS else ""
    return _Told(
        summary=f"{'; '.join(sentences)}{rest}.",
        signals=tuple(
            _saturation(f"disk {disk.mount}", max(disk.used_share, disk.inodes_share), _FULL_DISK) for disk in disks
        ),
    )


def _load(root: Path) -> _Told | None:
    load = read_load(root)
    return None if load is None else tell_load(load)


def tell_load(load: Load) -> _Told:
    """Say how many tasks want a CPU, and how many CPUs there are."""
    demand = load.five / load.cpus
    verdict = "work waits for a CPU" if demand >= _BUSY else "the CPUs are busy" if demand >= 1 else "the CPUs keep up"
    averages = f"{load.one:.2f}, {load.five:.2f}, {load.fifteen:.2f}"
    words = f"load {averages} over 1, 5 and 15 minutes on {load.cpus:g} CPUs: {verdict}"
    if load.waiting_share is not None:
        words += f"; in {_percent(load.waiting_share)} of the last 10 s some task waited for one"
    signal = Signal(
        name="load_per_cpu",
        value=round(demand, 4),
        normal=1.0,
        text="load",
        data={"resource": "cpu", "raised": demand >= _BUSY},
    )
    return _Told(summary=f"{words}.", signals=(signal,))


def _stalls(root: Path) -> _Told | None:
    stalls = read_stalls(root)
    return None if stalls is None else tell_stalls(stalls)


def tell_stalls(stalls: Stalls) -> _Told:
    """Say for how much of the last minute all work stood still, and for want of what."""
    signals = (
        _stalled("memory", stalls.memory, _STALLED_MEMORY),
        _stalled("disk", stalls.disk, _STALLED_DISK),
    )
    words = f"in the last minute all work stood still {percent(stalls.memory)} of the time for want of memory"
    words += f" and {percent(stalls.disk)} waiting for disks"
    return _Told(summary=f"{words}.", signals=signals)


def _stalled(what: str, share: float, much: float) -> Signal:
    data: dict[str, JSON] = {"resource": "this machine", "raised": share >= much}
    text = f"all work stood still {percent(share)} of the last minute"
    return Signal(name=f"{what}_stalls", value=round(share, 4), unit="ratio", text=text, data=data)


def _files(root: Path) -> _Told | None:
    files = read_files(root)
    return None if files is None else tell_files(files)


def tell_files(files: Files) -> _Told:
    """Say how many descriptors are open, and which process is nearest to its limit."""
    share = files.open / files.most if files.most else 0.0
    words = f"file descriptors {_percent(share)} used: {files.open:,} open"
    # Where the system's limit is a number nobody reaches, it says nothing.
    words += f" of {files.most:,}" if files.most < 1 << 40 else ""
    signals = [_saturation("file descriptors", share, _FULL_FILES)]
    if files.process:
        held = f"{files.process_open:,} of its {files.process_most:,} ({_percent(files.process_share)})"
        words += f"; nearest to its limit is {files.process} (process {files.process_id}): {held}"
        signals.append(_saturation(f"file descriptors of {files.process}", files.process_share, _FULL_FILES))
    return _Told(summary=f"{words}.", signals=tuple(signals))


def _sockets(root: Path) -> _Told | None:
    sockets = read_sockets(root)
    return None if sockets is None else tell_sockets(sockets)


def tell_sockets(sockets: Sockets) -> _Told:
    """Say how many TCP sockets there are, and what share of the local ports they would take."""
    words = f"sockets: {sockets.in_use:,} TCP in use, {sockets.time_wait:,} in TIME_WAIT"
    if not sockets.ports:
        return _Told(summary=f"{words}.", signals=())
    words += f"; at most {_percent(sockets.ports_share)} of {sockets.ports:,} local ports to one place"
    return _Told(summary=f"{words}.", signals=(_saturation("local ports", sockets.ports_share, _FULL_PORTS),))


def _saturation(resource: str, share: float, full: float) -> Signal:
    data: dict[str, JSON] = {"resource": resource, "raised": share >= full}
    return Signal(name="saturation", value=round(share, 4), unit="ratio", text=resource, data=data)


def _percent(share: float) -> str:
    # Not rounded up: 99.7 % full is not full.
    return f"{int(min(max(share, 0.0), 1.0) * 100)} %"


def _size(size: int) -> str:
    """Say a size in decimal units: `4.1 GB`."""
    for unit, bytes in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if size >= bytes:
            return f"{size / bytes:.1f} {unit}"
    return f"{size / 1000:.0f} kB"


_RESOURCES: Final = (
    _Resource(name="memory", command="free -b", read=_memory),
    _Resource(name="disks", command="df -B1 -l", read=_disks),
    _Resource(name="load", command="uptime", read=_load),
    _Resource(name="pressure", command="cat /proc/pressure/memory /proc/pressure/io", read=_stalls),
    _Resource(name="file descriptors", command="cat /proc/sys/fs/file-nr", read=_files),
    _Resource(name="sockets", command="ss -s", read=_sockets),
)
