"""The machine's resources: read from files such as a kernel writes, and said in sentences with numbers."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.host import HostCollector
from stanch.integrations.host.collector import tell_disks, tell_files, tell_load, tell_memory, tell_sockets, tell_stalls
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
from stanch.ports.evidence import Collector, FindingStatus, Question, Signal

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ASKED = Question(incident=7, services=("payments",), start=NOW, end=NOW, onset=NOW)

MEMORY = """\
MemTotal:        8000000 kB
MemFree:          100000 kB
MemAvailable:    2000000 kB
Cached:          1500000 kB
SwapTotal:       1000000 kB
SwapFree:         250000 kB
"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max open files            100                  4096                 files
"""


def write(root: Path, **files: str) -> Path:
    """Write files below `root`; two underscores in a name stand for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def of(signals: tuple[Signal, ...]) -> list[tuple[object, float | None, object]]:
    """Return each signal's resource, value and whether it is raised."""
    return [(signal.data["resource"], signal.value, signal.data["raised"]) for signal in signals]


def test_memory_is_what_can_be_had_without_swapping(tmp_path: Path) -> None:
    """The kernel's own estimate counts, not what is merely free."""
    kb = 1024
    expected = Memory(total=8_000_000 * kb, available=2_000_000 * kb, swap_total=1_000_000 * kb, swap_free=250_000 * kb)

    assert expected == read_memory(write(tmp_path, proc__meminfo=MEMORY))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # 1 GB may be used, 900 MB are, and 200 MB of those are file cache that can go: 300 MB are left.
        (
            {
                "sys__fs__cgroup__memory.max": "1000000000",
                "sys__fs__cgroup__memory.current": "900000000",
                "sys__fs__cgroup__memory.stat": "anon 700000000\ninactive_file 200000000\n",
            },
            Memory(total=1_000_000_000, available=300_000_000, limited=True),
        ),
        (
            {
                "sys__fs__cgroup__memory__memory.limit_in_bytes": "1000000000",
                "sys__fs__cgroup__memory__memory.usage_in_bytes": "600000000",
            },
            Memory(total=1_000_000_000, available=400_000_000, limited=True),
        ),
    ],
)
def test_a_container_has_the_memory_of_its_limit(tmp_path: Path, files: dict[str, str], expected: Memory) -> None:
    """In a container the smaller limit of its control group counts, in both versions of control groups."""
    assert expected == read_memory(write(tmp_path, proc__meminfo=MEMORY, **files))


@pytest.mark.parametrize("limit", ["max", "9223372036854771712", "99999999999999"])
def test_no_limit_is_the_machines_memory(tmp_path: Path, limit: str) -> None:
    """A group without a limit, or with one beyond the machine's memory, has all of it."""
    files = {"sys__fs__cgroup__memory.max": limit, "sys__fs__cgroup__memory.current": "5"}
    memory = read_memory(write(tmp_path, proc__meminfo=MEMORY, **files))

    assert memory and (8_192_000_000, False) == (memory.total, memory.limited)


def test_local_disks_are_read_once(tmp_path: Path) -> None:
    """A file system mounted twice is one disk; read-only, remote and made-up ones are left out."""
    (tmp_path / "with space").mkdir()
    mounts = (
        f"/dev/sda1 {tmp_path} ext4 rw,relatime 0 0\n"
        f"/dev/sda1 {tmp_path}/with\\040space ext4 rw 0 0\n"
        f"server:/x {tmp_path} nfs4 rw 0 0\n"
        f"/dev/loop1 {tmp_path} squashfs ro 0 0\n"
        "proc /proc proc rw 0 0\n"
        "/dev/sdb1 /no/such/place ext4 rw 0 0\n"
    )
    disks = read_disks(write(tmp_path, proc__self__mounts=mounts))
    usage = shutil.disk_usage(tmp_path)

    assert [(str(tmp_path), usage.total)] == [(disk.mount, disk.total) for disk in disks]
    assert pytest.approx(usage.used / (usage.used + usage.free), abs=0.01) == disks[0].used_share


def test_a_mount_with_a_space_is_found(tmp_path: Path) -> None:
    """The kernel's escapes in names of mounts are undone."""
    place = tmp_path / "with space"
    place.mkdir()
    mounts = f"/dev/sda1 {tmp_path}/with\\040space ext4 rw 0 0\n"

    assert [str(place)] == [disk.mount for disk in read_disks(write(tmp_path, proc__self__mounts=mounts))]


def test_load_is_set_against_the_cpus_of_the_container(tmp_path: Path) -> None:
    """A quota of one and a half CPUs counts, on a machine of two."""
    root = write(
        tmp_path,
        proc__loadavg="3.00 2.00 1.00 4/100 999\n",
        proc__cpuinfo="processor\t: 0\nmodel name: x\n\nprocessor\t: 1\n",
        proc__pressure__cpu="some avg10=42.50 avg60=1.00 avg300=0.10 total=5\n",
        **{"sys__fs__cgroup__cpu.max": "150000 100000\n"},
    )

    assert Load(one=3.0, five=2.0, fifteen=1.0, cpus=1.5, waiting_share=0.425) == read_load(root)


def test_the_process_nearest_to_its_limit_is_named(tmp_path: Path) -> None:
    """Of two processes the one with 3 of 100 descriptors is nearer than the one with 5 of 1000."""
    root = write(tmp_path, **{"proc__sys__fs__file-nr": "1200\t0\t9223372036854775807\n"})
    for id, name, count, limits in ((41, "web", 3, LIMITS), (42, "db", 5, LIMITS.replace("100 ", "1000"))):
        write(root, **{f"proc__{id}__comm": f"{name}\n", f"proc__{id}__limits": limits})
        write(root, **{f"proc__{id}__fd__{number}": "" for number in range(count)})
    write(root, proc__43__comm="gone\n")
    expected = Files(
        open=1200, most=9223372036854775807, process="web", process_id=41, process_open=3, process_most=100
    )

    assert expected == read_files(root)


def test_sockets_of_both_protocols_are_added(tmp_path: Path) -> None:
    """TCP over IPv4 and IPv6 share the local ports."""
    root = write(
        tmp_path,
        proc__net__sockstat="sockets: used 9\nTCP: inuse 5 orphan 0 tw 7 alloc 6 mem 1\nUDP: inuse 1 mem 0\n",
        proc__net__sockstat6="TCP6: inuse 3\n",
        proc__sys__net__ipv4__ip_local_port_range="32768\t60999\n",
    )

    assert Sockets(in_use=8, time_wait=7, ports=28232) == read_sockets(root)


GB = 10**9


@pytest.mark.parametrize(
    ("used", "expected", "raised"),
    [
        (0.931, "disk / 93 % full: 4.1 GB left.", True),
        (0.9, "disk / 90 % full: 4.1 GB left.", True),
        (0.8999, "disk / 89 % full: 4.1 GB left.", False),
        (0.9999, "disk / 99 % full: 4.1 GB left.", True),
    ],
)
def test_a_disk_is_said_with_what_is_left(used: float, expected: str, raised: bool) -> None:
    """The sentence has the share, cut and not rounded up, and the bytes left; from 90 % on it is raised."""
    told = tell_disks([Disk(mount="/", total=60 * GB, available=4_100_000_000, used_share=used)])

    assert (expected, [("disk /", used, raised)]) == (told.summary, of(told.signals))


def test_a_disk_without_inodes_is_full() -> None:
    """A disk with space but no inodes cannot take a file either, and says why."""
    told = tell_disks([Disk(mount="/data", total=GB, available=GB // 2, used_share=0.5, inodes_share=0.97)])

    assert ("disk /data 50 % full: 500.0 MB left, and 97 % of its inodes used.", [("disk /data", 0.97, True)]) == (
        told.summary,
        of(told.signals),
    )


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Memory(total=8 * GB, available=2 * GB), "memory 75 % used: 2.0 GB left of 8.0 GB."),
        (
            Memory(total=8 * GB, available=2 * GB, swap_total=4 * GB, swap_free=GB),
            "memory 75 % used: 2.0 GB left of 8.0 GB; swap 75 % used.",
        ),
        (
            Memory(total=GB, available=50_000_000, limited=True),
            "memory limit of this container 95 % used: 50.0 MB left of 1.0 GB.",
        ),
    ],
)
def test_memory_is_said_with_what_is_left(memory: Memory, expected: str) -> None:
    """The sentence has the share, what is left of how much, and the swap where there is any."""
    assert expected == tell_memory(memory).summary


@pytest.mark.parametrize(
    ("five", "expected", "raised"),
    [
        (1.0, "load 9.00, 1.00, 0.50 over 1, 5 and 15 minutes on 2 CPUs: the CPUs keep up.", False),
        (2.0, "load 9.00, 2.00, 0.50 over 1, 5 and 15 minutes on 2 CPUs: the CPUs are busy.", False),
        (3.0, "load 9.00, 3.00, 0.50 over 1, 5 and 15 minutes on 2 CPUs: work waits for a CPU.", True),
    ],
)
def test_load_is_judged_by_cpu_and_over_minutes(five: float, expected: str, raised: bool) -> None:
    """A burst of a minute is not a shortage; one and a half tasks per CPU over five minutes are."""
    told = tell_load(Load(one=9.0, five=five, fifteen=0.5, cpus=2))

    assert (expected, [("cpu", five / 2, raised)]) == (told.summary, of(told.signals))


def test_descriptors_are_said_for_system_and_process() -> None:
    """A system far from its limit may hold a process that is at its own."""
    told = tell_files(
        Files(open=1200, most=100_000, process="web", process_id=41, process_open=950, process_most=1_024)
    )
    expected = (
        "file descriptors 1 % used: 1,200 open of 100,000; "
        "nearest to its limit is web (process 41): 950 of its 1,024 (92 %)."
    )

    assert (expected, [("file descriptors", 0.012, False), ("file descriptors of web", 0.9277, True)]) == (
        told.summary,
        of(told.signals),
    )


def test_sockets_are_set_against_the_local_ports() -> None:
    """Sockets in TIME_WAIT hold their ports, so they count."""
    told = tell_sockets(Sockets(in_use=1_000, time_wait=25_000, ports=28_232))
    expected = "sockets: 1,000 TCP in use, 25,000 in TIME_WAIT; at most 92 % of 28,232 local ports to one place."

    assert (expected, [("local ports", 0.9209, True)]) == (told.summary, of(told.signals))


def test_this_machine_answers() -> None:
    """On the machine that runs this test, memory, disks and load are found, with a sentence each and a command."""
    findings = {finding.command: finding for finding in HostCollector().collect(ASKED)}
    found = [findings[command] for command in ("free -b", "df -B1 -l", "uptime")]

    assert [True] * 3 == [finding.status is FindingStatus.OK and finding.summary.endswith(".") for finding in found]


def test_what_cannot_be_read_is_no_data(tmp_path: Path) -> None:
    """Where the system does not tell, the finding says that, and has no signal that could pass for good news."""
    findings = {finding.id: finding for finding in HostCollector(root=tmp_path).collect(ASKED)}
    files = findings["host/file-descriptors/7"]

    assert (FindingStatus.NO_DATA, "file descriptors: this system does not say.", ()) == (
        files.status,
        files.summary,
        files.signals,
    )


@pytest.mark.parametrize("text", ["", "garbage\n", "MemTotal: x kB\n", "\x00\xff", "TCP: inuse\n"])
def test_garbage_is_no_reading(tmp_path: Path, text: str) -> None:
    """Files of an unknown form give a finding all the same, and no exception."""
    names = ("proc__meminfo", "proc__loadavg", "proc__net__sockstat", "proc__self__mounts", "proc__cpuinfo")
    root = write(tmp_path, **dict.fromkeys(names, text), **{"proc__sys__fs__file-nr": text})

    assert 6 == len(HostCollector(root=root).collect(ASKED))


def test_the_findings_say_whose_they_are() -> None:
    """The source names the machine, since the service may run on another."""
    collector: Collector = HostCollector(host="web-1")

    assert ("host", {"web-1, where Stanch runs"}) == (
        collector.name,
        {finding.source for finding in collector.collect(ASKED)},
    )


def test_stalls_are_what_the_kernel_counts(tmp_path: Path) -> None:
    """The share of the last minute in which everything stood still is read for memory and for disks."""
    some = "some avg10=9.00 avg60=8.00 avg300=7.00 total=1\n"
    files = {
        "proc__pressure__memory": f"{some}full avg10=1.00 avg60=12.50 avg300=0.00 total=1\n",
        "proc__pressure__io": f"{some}full avg10=0.00 avg60=3.00 avg300=0.00 total=1\n",
    }

    assert Stalls(memory=0.125, disk=0.03) == read_stalls(write(tmp_path, **files))


def test_a_kernel_that_does_not_count_says_nothing(tmp_path: Path) -> None:
    """Without pressure stall information there is nothing to tell."""
    assert read_stalls(tmp_path) is None


def test_much_standing_still_is_raised() -> None:
    """An eighth of a minute without memory is a shortage; three in a hundred for disks are not."""
    told = tell_stalls(Stalls(memory=0.125, disk=0.03))

    assert ("in the last minute all work stood still 12 % of the time for want of memory", [True, False]) == (
        told.summary.partition(" and ")[0],
        [signal.data["raised"] for signal in told.signals],
    )
