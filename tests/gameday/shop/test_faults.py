"""The faults: each is visible where it should be, and what mends it mends it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.gameday.shop.faults import FAULTS, describe_faults, fault_named, inject, undo
from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.shop import Shop
from tests.gameday.shop.asking import changes, gauge, get_json

pytestmark = pytest.mark.drill

Until = Callable[[Callable[[], object]], None]
Log = Callable[[str], list[dict[str, object]]]


def errors(lines: list[dict[str, object]]) -> set[str]:
    """Return the types of the exceptions in a log."""
    return {exception["type"] for line in lines if isinstance(exception := line.get("exception"), dict)}


def recorded(shop: Shop) -> list[tuple[object, object, object]]:
    """Return kind, service and target of the changes since the shop was started."""
    return [(change["kind"], change["service"], change["to"]) for change in changes(shop)]


def test_bad_deploy(shop: Shop, log_of: Log, until: Until) -> None:
    """v3.2.1 fails guests with a TypeError in validation.py, customers pass, and the roll-back ends it."""
    before = len(recorded(shop))
    injection = inject("bad-deploy", shop, decoy=True)
    until(lambda: "TypeError" in errors(log_of("payments")))

    def broken() -> list[dict[str, object]]:
        return [line for line in log_of("payments") if "TypeError" in str(line.get("exception"))]

    failed = broken()[0]
    assert isinstance(failed["exception"], dict)
    assert isinstance(failed["user"], dict)
    assert ("v3.2.1", 500, "guest") == (failed["version"], failed["status"], failed["user"]["kind"])
    assert re.search(r'/payments/validation\.py", line \d+, in card_of\n', failed["exception"]["stacktrace"])
    assert [("deploy", "gateway", "v3.2.0+docs1"), ("deploy", "payments", "v3.2.1")] == recorded(shop)[before:]
    assert "gateway v3.2.0+docs1" == injection.decoy

    def trails() -> set[object]:
        # Of all that failed: on a busy machine checkout gives the first ones up before payments answers.
        asked = {line["request_id"] for line in broken()}
        return {line["status"] for line in log_of("gateway") if line.get("request_id") in asked}

    until(lambda: 502 in trails())

    undo("bad-deploy", shop)
    after = len(log_of("payments"))
    until(lambda: len(log_of("payments")) > after + 40)
    assert "TypeError" not in errors(log_of("payments")[after:])


def test_slow_dependency(shop: Shop, log_of: Log, until: Until) -> None:
    """A slow acquirer makes payments slow without a change in the record; deferred captures make them quick again."""
    before = recorded(shop)

    def took_ms(count: int) -> list[float]:
        paid = [line for line in log_of("payments") if line.get("status") == 201]
        return [float(str(line["duration_ms"])) for line in paid[-count:]]

    inject("slow-dependency", shop)
    until(lambda: min(took_ms(5), default=0.0) > 1500)
    assert before == recorded(shop)

    shop.ctl("flag", "payments", "defer_capture", "on", actor="test")
    until(lambda: max(took_ms(5), default=9999.0) < 1000)
    undo("slow-dependency", shop)


def test_connection_leak(shop: Shop, log_of: Log, until: Until) -> None:
    """Refused refunds use the pool up until payments fail for want of a connection; a restart empties the pool."""
    shop.tell_customers({"refunds": 26, "every_s": 0.02})
    until(lambda: gauge(shop, "payments", "db_pool_connections_in_use") == 20)
    until(lambda: "PoolTimeout" in errors(log_of("payments")))

    undo("connection-leak", shop)
    until(lambda: gauge(shop, "payments", "db_pool_connections_in_use") < 5)


def test_crash_loop(shop: Shop, log_of: Log, until: Until) -> None:
    """With c42 payments exits after each start with a trace in its log, and c41 mends it."""
    inject("crash-loop", shop)
    until(lambda: "KeyError" in errors(log_of("payments")))
    until(lambda: gauge(shop, "supervisor", "supervisor_process_restarts_total{service=.payments.}") >= 1)
    exits = [line for line in log_of("payments") if "exit_code" in line]
    assert {1} == {line["exit_code"] for line in exits}

    undo("crash-loop", shop)
    until(shop.is_healthy)


def test_dependency_down(shop: Shop, log_of: Log, until: Until) -> None:
    """An acquirer that is gone fails payments while its status page still answers."""
    inject("dependency-down", shop)
    until(lambda: any("acquirer refused the connection" in str(line.get("exception")) for line in log_of("payments")))
    assert "status" in get_json(shop.status_page_url)

    undo("dependency-down", shop)
    after = len(log_of("payments"))
    until(lambda: 201 in [line.get("status") for line in log_of("payments")[after:]])


def test_slow_query(shop: Shop, log_of: Log, until: Until) -> None:
    """Without its index the velocity check takes long; the migration and its way back stand in the record."""
    inject("slow-query", shop)
    until(lambda: max((float(str(one.get("duration_ms", 0))) for one in log_of("payments")[-40:]), default=0.0) > 400)
    undo("slow-query", shop)

    assert [("migration", "payments", "schema 3"), ("migration", "payments", "schema 2")] == recorded(shop)[-2:]


def test_memory_leak(shop: Shop, until: Until) -> None:
    """With receipt previews on, the memory of checkout grows; off and restarted it is small again."""
    small = gauge(shop, "checkout", "process_resident_memory_bytes")
    inject("memory-leak", shop)
    until(lambda: gauge(shop, "checkout", "process_resident_memory_bytes") > small + 10 * 2**20)

    undo("memory-leak", shop)
    assert gauge(shop, "checkout", "process_resident_memory_bytes") < small + 10 * 2**20


def test_crowded_host(shop: Shop, until: Until) -> None:
    """Checkout stands still again and again while the machine is crowded, goes on afterwards, and nobody is told."""
    pid = shop.processes()["checkout"]

    def state() -> str:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]

    said = recorded(shop)
    inject("crowded-host", shop)
    until(lambda: state() == "T")
    undo("crowded-host", shop)
    until(lambda: state() != "T")
    until(shop.is_healthy)

    assert said == recorded(shop)


def test_locked_ledger(shop: Shop, log_of: Log, until: Until) -> None:
    """While the batch runs payments fail for the lock of the ledger, and no change is on record; then they go on."""
    before, at = recorded(shop), len(log_of("payments"))
    inject("locked-ledger", shop)
    until(lambda: any("database is locked" in str(line.get("exception")) for line in log_of("payments")[at:]))
    batch = shop.processes()["reconciliation"]
    undo("locked-ledger", shop)
    after = len(log_of("payments"))
    until(lambda: 201 in [line.get("status") for line in log_of("payments")[after:]])
    until(shop.is_healthy)

    assert (before, False) == (recorded(shop), Path(f"/proc/{batch}").exists())


def test_what_cannot_be_found_has_no_right_hypothesis() -> None:
    """Where nothing can be found no kind is right; everything else names at least one."""
    assert ["crowded-host"] == [fault.name for fault in FAULTS if not fault.expected.can_be_found]


def test_a_decoy_is_not_the_truth() -> None:
    """The harmless deploy of the gateway is of the right kind and about the wrong service."""
    truth = fault_named("bad-deploy").expected

    assert (True, False) == tuple(
        truth.is_told_by(kind="bad_deploy", service=name, target="") for name in ("payments", "gateway")
    )


def test_unknown_fault(shop: Shop) -> None:
    """A fault that does not exist is answered with those that do."""
    with pytest.raises(ShopError, match=r"no such fault: gremlins \(there are bad-deploy, "):
        inject("gremlins", shop)


def test_description_keeps_the_truth_to_itself() -> None:
    """Every fault has a name and a title to show."""
    assert [(fault.name, fault.title) for fault in FAULTS] == describe_faults()
