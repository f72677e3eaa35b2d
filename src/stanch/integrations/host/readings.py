"""Reads what the machine has left: from `/proc` and `/sys` on Linux, from `os` and `shutil` elsewhere.

Each function returns None where the system does not tell. Sizes are bytes, shares 0 to 1. What is a lot, and how it is
said, is decided in `collector`.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# File systems that hold what services write. Remote ones are left out: asking a dead server would hang.
_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "jfs", "reiserfs", "bcachefs"}
)
_MOST_PROCESSES: Final = 2_000
_NO_LIMIT: Final = 1 << 60


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Memory in bytes; `available` is what can be had without swapping. `limited` is set by a container's limit."""

    total: int
    available: int
    swap_total: int = 0
    swap_free: int = 0
    limited: bool = False

    @property
    def used_share(self) -> float:
        """Return the share that cannot be had."""
        return 1 - self.available / self.total if self.total else 0.0


@dataclass(frozen=True, kw_only=True)
class Stalls:
    """Shares of the last minute (0..1) in which all work stood still for want of memory, and waiting for disks.

    From the kernel's pressure stall information, https://docs.kernel.org/accounting/psi.html.
    """

    memory: float
    disk: float


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A file system: bytes that an ordinary user can have, and the share of its inodes in use (0 where uncounted)."""

    mount: str
    total: int
    available: int
    used_share: float
    inodes_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """Runnable tasks on average over 1, 5 and 15 minutes, and the CPUs there are for them.

    `waiting_share` is the share of the last ten seconds in which some task waited for a CPU, None where unknown.
    """

    one: float
    five: float
    fifteen: float
    cpus: float
    waiting_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Files:
    """Open file descriptors of the system, and of the readable process that is nearest to its limit."""

    open: int
    most: int
    process: str = ""
    process_id: int = 0
    process_open: int = 0
    process_most: int = 0

    @property
    def process_share(self) -> float:
        """Return how near that process is to its limit."""
        return self.process_open / self.process_most if self.process_most else 0.0


@dataclass(frozen=True, kw_only=True)
class Sockets:
    """TCP sockets in use and in TIME_WAIT, and how many local ports there are for outgoing connections."""

    in_use: int
    time_wait: int
    ports: int

    @property
    def ports_share(self) -> float:
        """Return the share of the local ports taken, if every socket goes to one and the same place."""
        return min(1.0, (self.in_use + self.time_wait) / self.ports) if self.ports else 0.0


def read_memory(root: Path) -> Memory | None:
    """Return the memory of the machine, or of the container where its limit is smaller."""
    facts = {name: int(value) * 1024 for name, value in _rows(root / "proc/meminfo", r"(\w+): +([0-9]+) kB")}
    if "MemTotal" not in facts:
        return _memory_elsewhere()
    available = facts.get("MemAvailable", facts.get("MemFree", 0) + facts.get("Cached", 0))
    memory = Memory(
        total=facts["MemTotal"],
        available=min(available, facts["MemTotal"]),
        swap_total=facts.get("SwapTotal", 0),
        swap_free=facts.get("SwapFree", 0),
    )
    limit, used = _container_memory(root)
    if limit is None or used is None or limit >= memory.total:
        return memory
    return Memory(total=limit, available=max(0, min(limit - used, available)), limited=True)


def _memory_elsewhere() -> Memory | None:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return Memory(total=os.sysconf("SC_PHYS_PAGES") * page, available=os.sysconf("SC_AVPHYS_PAGES") * page)
    except (ValueError, OSError, AttributeError):
        return None


def _container_memory(root: Path) -> tuple[int | None, int | None]:
    """Return the limit and the use of the control group (version 2, then 1); file cache that can go is not use."""
    for folder, most, now, cache in (
        ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(root / folder / most), _number(root / folder / now)
        if limit is not None and used is not None and limit < _NO_LIMIT:
            freed = next(_rows(root / folder / "memory.stat", rf"{cache} ([0-9]+)"), ("0",))
            return limit, max(0, used - int(freed[0]))
    return None, None


def read_disks(root: Path) -> list[Disk]:
    """Return the local file systems, fullest first; one mounted in several places counts once."""
    disks: dict[int, Disk] = {}
    for mount in _mounts(root):
        try:
            device, state = Path(mount).stat().st_dev, os.statvfs(mount)
        except (OSError, ValueError, AttributeError):
            continue
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        available = state.f_bavail * state.f_frsize
        if device not in disks and used + available > 0:
            # Blocks reserved for root count neither as used nor as available, as in df.
            disks[device] = Disk(
                mount=mount,
                total=state.f_blocks * state.f_frsize,
                available=available,
                used_share=used / (used + available),
                inodes_share=1 - state.f_favail / state.f_files if state.f_files else 0.0,
            )
    if not disks:
        return _disks_elsewhere()
    return sorted(disks.values(), key=lambda disk: -max(disk.used_share, disk.inodes_share))


def _mounts(root: Path) -> list[str]:
    rows = _rows(root / "proc/self/mounts", r"\S+ (\S+) (\S+) (?:rw)[, ]")
    mounts = [_unescaped(mount) for mount, kind in rows if kind in _LOCAL]
    return sorted(dict.fromkeys(mounts), key=len)


def _unescaped(mount: str) -> str:
    """Undo the octal escapes of /proc/mounts (getmntent(3))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), mount)


def _disks_elsewhere() -> list[Disk]:
    try:
        usage = shutil.disk_usage("/")
    except OSError:
        return []
    share = usage.used / (usage.used + usage.free) if usage.used + usage.free else 0.0
    return [Disk(mount="/", total=usage.total, available=usage.free, used_share=share)]


def read_load(root: Path) -> Load | None:
    """Return the load averages and the CPUs this process may use, a container's quota included."""
    row = next(_rows(root / "proc/loadavg", r"([0-9.]+) ([0-9.]+) ([0-9.]+) "), None)
    try:
        one, five, fifteen = map(float, row) if row else os.getloadavg()
    except (OSError, AttributeError):
        return None
    waiting = next(_rows(root / "proc/pressure/cpu", r"some avg10=([0-9.]+)"), None)
    return Load(
        one=one,
        five=five,
        fifteen=fifteen,
        cpus=_cpus(root),
        waiting_share=float(waiting[0]) / 100 if waiting else None,
    )


def _cpus(root: Path) -> float:
    counted = sum(1 for _ in _rows(root / "proc/cpuinfo", r"(processor)\s*:")) or os.cpu_count() or 1
    quota = next(_rows(root / "sys/fs/cgroup/cpu.max", r"([0-9]+) ([0-9]+)"), None)
    return min(float(counted), int(quota[0]) / int(quota[1])) if quota and int(quota[1]) else float(counted)


def read_stalls(root: Path) -> Stalls | None:
    """Return how long all work stood still in the last minute; None where the kernel does not count it."""
    pattern = r"full avg10=[0-9.]+ avg60=([0-9.]+)"
    memory = next(_rows(root / "proc/pressure/memory", pattern), None)
    disk = next(_rows(root / "proc/pressure/io", pattern), None)
    if memory is None or disk is None:
        return None
    return Stalls(memory=float(memory[0]) / 100, disk=float(disk[0]) / 100)


def read_files(root: Path) -> Files | None:
    """Return the open file descriptors of the system and of the process nearest to its limit."""
    row = next(_rows(root / "proc/sys/fs/file-nr", r"([0-9]+)\s+[0-9]+\s+([0-9]+)"), None)
    if row is None:
        return None
    system = Files(open=int(row[0]), most=int(row[1]))
    processes = [found for folder in _processes(root) if (found := _process_files(folder, system))]
    return max(processes, key=lambda files: files.process_share, default=system)


def _processes(root: Path) -> list[Path]:
    try:
        return [folder for folder in (root / "proc").iterdir() if folder.name.isdigit()][:_MOST_PROCESSES]
    except OSError:
        return []


def _process_files(folder: Path, system: Files) -> Files | None:
    """Return the descriptors of one process; None for another user's, and for one that has just ended."""
    try:
        count = sum(1 for _ in (folder / "fd").iterdir())
        name = (folder / "comm").read_text(errors="replace").strip()
    except OSError:
        return None
    limit = next(_rows(folder / "limits", r"Max open files +([0-9]+)"), None)
    if limit is None or int(limit[0]) == 0:
        return None
    return Files(
        open=system.open,
        most=system.most,
        process=name[:40],
        process_id=int(folder.name),
        process_open=count,
        process_most=int(limit[0]),
    )


def read_sockets(root: Path) -> Sockets | None:
    """Return the TCP sockets of IPv4 and IPv6 together."""
    row = next(_rows(root / "proc/net/sockstat", r"TCP: inuse ([0-9]+) orphan [0-9]+ tw ([0-9]+)"), None)
    if row is None:
        return None
    six = next(_rows(root / "proc/net/sockstat6", r"TCP6: inuse ([0-9]+)"), ("0",))
    low, high = next(_rows(root / "proc/sys/net/ipv4/ip_local_port_range", r"([0-9]+)\s+([0-9]+)"), ("0", "0"))
    ports = int(high) - int(low) + 1 if int(high) else 0
    return Sockets(in_use=int(row[0]) + int(six[0]), time_wait=int(row[1]), ports=ports)


def _rows(path: Path, pattern: str) -> Iterator[tuple[str, ...]]:
    """Yield the groups of each line of a file that the pattern matches; nothing where it cannot be read."""
    compiled = re.compile(pattern)
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        if match := compiled.match(line):
            yield match.groups("")


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
