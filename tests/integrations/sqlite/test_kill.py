"""Ending the process that holds a SQLite database: whom, whom never, and that only the one in the plan is ended."""

from dataclasses import replace
from pathlib import Path

import pytest

from stanch.integrations.sessions import KillSessions
from stanch.integrations.sqlite import SqliteSessions
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step
from stanch.ports.query import SystemSpec
from tests.integrations.sqlite.holders import READS, WRITES, holding


def killer(file: Path) -> KillSessions:
    """Return the actuator as a configured system of this file."""
    spec = SystemSpec(name="ledger", kind="sqlite", settings={"path": str(file)})
    return KillSessions("sqlite.kill", {"ledger": SqliteSessions(spec)})


def look(file: Path, **settings: JSON) -> Outlook:
    """Look at what a step would end."""
    data: dict[str, JSON] = {"on": "ledger", "at_least_s": "1", "grace_s": "0.5", **settings}
    return killer(file).look(Step(actuator="sqlite.kill", data=data))


def run(file: Path, step: Step) -> tuple[int, list[str]]:
    """Carry a step out and return its code and what it said."""
    said: list[str] = []
    return killer(file).run(step, emit=said.append).code, said


def pids_of(outlook: Outlook) -> list[JSON]:
    """Return the numbers of the processes that an exact step names."""
    named = outlook.step.data.get("sessions", [])
    assert isinstance(named, list)
    return [one["pid"] for one in named if isinstance(one, dict)]


@pytest.mark.parametrize("mode", ["plain", "stubborn"])
def test_the_holder_is_ended_and_nobody_else(database: Path, mode: str) -> None:
    """By Ctrl+C, and where it does not listen to that, told to end; who only has the file open goes on."""
    with holding(database, mode=mode) as holder, holding(database, begin=READS) as other:
        outlook = look(database)
        code, said = run(database, outlook.step)

        assert ([holder.pid], 0, True, None, "1 of 1 are settled") == (
            pids_of(outlook),
            code,
            holder.ended(),
            other.process.poll(),
            said[-1],
        )


def test_others_can_write_again(database: Path) -> None:
    """What the holder had not committed is gone, and the next transaction begins at once."""
    with holding(database) as holder, holding(database, begin=READS) as other:
        holder.run("INSERT INTO orders VALUES (1)")
        run(database, look(database).step)
        other.run(WRITES)
        other.run("INSERT INTO orders VALUES (2)")
        other.run("COMMIT")

        assert other.process.poll() is None


def test_what_serves_others_is_never_ended(database: Path) -> None:
    """A process that listens for connections is a service: it is restarted, by those who know how."""
    with holding(database, mode="serving"), holding(database, begin=READS):
        outlook = look(database)

    assert ([], True) == (pids_of(outlook), "no session that may be ended" in outlook.refusal)


def test_a_transaction_that_began_later_is_left_alone(database: Path) -> None:
    """The same process with another transaction is not what somebody said yes to."""
    with holding(database) as holder, holding(database, begin=READS):
        step = look(database).step
        holder.run("INSERT INTO orders VALUES (1)")
        holder.run("COMMIT")
        holder.run(WRITES)
        code, said = run(database, step)

        assert (0, None, True) == (code, holder.process.poll(), "nothing was done" in "".join(said))


def test_a_number_that_is_somebody_elses_by_now_ends_nobody(database: Path) -> None:
    """Number and start must both fit."""
    with holding(database) as holder, holding(database, begin=READS):
        step = look(database).step
        named = step.data["sessions"]
        assert isinstance(named, list) and isinstance(named[0], dict)
        code, _ = run(database, replace(step, data={**step.data, "sessions": [{**named[0], "started": "1"}]}))

        assert (0, None) == (code, holder.process.poll())


def test_nobody_waits_for_a_holder_that_is_alone(database: Path) -> None:
    """Where no other process has the file open nobody is kept from anything."""
    with holding(database):
        assert [] == pids_of(look(database))


def test_a_holder_that_is_alone_is_idle_in_its_transaction(database: Path) -> None:
    """Those that need the lock may have ended for want of it: what sleeps and holds it is ended where that is asked."""
    with holding(database) as holder:
        outlook = look(database, which="idle_in_transaction")
        code, said = run(database, outlook.step)

        assert ([holder.pid], 0, True, True) == (
            pids_of(outlook),
            code,
            holder.ended(),
            said[0].endswith("terminated"),
        )


def test_the_plan_says_who_it_is(database: Path) -> None:
    """Number, owner, program, and since when nothing was committed."""
    with holding(database) as holder, holding(database, begin=READS):
        (line,) = [one for one in look(database).preview if one.startswith("end for blocking")]

    assert (True, True, True) == (
        f"{holder.pid} of " in line,
        str(database) in line,
        "holds the write lock, and nothing was committed for" in line,
    )


def test_who_crashed_for_want_of_the_lock_still_counts(database: Path) -> None:
    """A service that cannot write may end of it and be started again: what it waited for is still to be ended."""
    with holding(database) as holder:
        with holding(database, begin=READS):
            before = pids_of(look(database))

        assert ([holder.pid], [holder.pid]) == (before, pids_of(look(database)))
