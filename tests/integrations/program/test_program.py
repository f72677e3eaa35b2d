"""Programs of this machine: the real ones for the Linux pack, and what may be run at all."""

import os
import time

import pytest

from stanch.integrations.program import LocalPrograms, ProgramSource
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import ask, collect
from tests.support.needs import require


def machine(kind: str = "linux", **settings: str) -> ProgramSource:
    """Return this machine as a configured system."""
    spec = SystemSpec(name="box", kind=kind, services=("payments",), settings=settings)
    return ProgramSource(spec, programs=LocalPrograms())


def test_this_machine_answers_the_linux_pack() -> None:
    """Pressure, disks, memory, processes and sockets of a Linux are read; what it does not have is no data."""
    for tool in ("df", "free", "ps"):
        require(tool)
    found = collect(machine())
    read = {"disks", "memory", "largest_processes", "busiest_processes"}

    assert (set(), {FindingStatus.OK}) == (
        {name for name, one in found.items() if one.status is FindingStatus.REFUSED},
        {found[name].status for name in read},
    )


def test_a_process_is_looked_at_by_its_number() -> None:
    """The Python pack tells memory and threads of the process that is configured."""
    found = collect(machine("python", pid=str(os.getpid())))["process"]

    assert (FindingStatus.OK, True) == (found.status, f"box: process {os.getpid()} holds" in found.summary)


def test_without_a_number_there_is_no_data() -> None:
    """A query whose placeholder nothing fills is not put to anybody."""
    with pytest.raises(NotFound, match="pid"):
        ask(machine("python"), "ps -p {pid}")


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf /tmp/x",
        "sh -c 'echo hello'",
        "cat /etc/shadow",
        "cat /proc/../etc/shadow",
        "systemctl restart payments",
        "journalctl --vacuum-size=1",
        "journalctl -f",
        "ss -K",
        "jcmd 1 VM.command_line",
        "jcmd 1 GC.run",
        "kubectl delete pods --all",
        "py-spy record --pid 1",
        "",
    ],
)
def test_what_is_not_on_the_list_is_refused(text: str) -> None:
    """A program, or an argument, that could do more than read is not run."""
    with pytest.raises(Refused):
        ask(machine(), text)


def test_no_shell_reads_the_arguments() -> None:
    """What a shell would take for a command is an argument."""
    with pytest.raises(NotFound, match="; echo hello"):
        ask(machine(), "df '; echo hello'")


def test_a_pattern_makes_rows() -> None:
    """Lines that fit become rows, numbers as numbers; others are left out."""
    reply = ask(machine(), "cat /proc/loadavg", pattern=r"^(?P<one>[\d.]+) (?P<five>[\d.]+) .* (?P<last>\d+)$")
    (row,) = reply.rows

    assert (float, float, int) == (type(row["one"]), type(row["five"]), type(row["last"]))


def test_no_secret_of_this_process_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is run sees no variable but those it needs."""
    monkeypatch.setenv("ORDERS_DB_PASSWORD", "hunter2hunter2")
    printed = LocalPrograms().run(["env"], timeout_s=5)

    assert b"hunter2" not in printed.out


def test_a_program_and_what_it_started_are_ended() -> None:
    """At the time-out the whole group ends, and nobody waits for a child that keeps the pipe open."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"took longer than 0\.3 s"):
        LocalPrograms().run(["sh", "-c", "sleep 30 & sleep 30"], timeout_s=0.3)

    assert time.monotonic() - began < 20
