"""shopctl, as an engineer uses it: real commands against a running shop."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.gameday.shop.migrations import schema_version
from stanch.gameday.shop.places import SERVICES, Places, ShopError
from stanch.gameday.shop.shop import Shop
from tests.gameday.shop.asking import ask, changes, customers_answers, gauge, get_json

pytestmark = pytest.mark.drill

Until = Callable[[Callable[[], object]], None]


def ctl(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run shopctl."""
    return subprocess.run(shop.ctl_command(*arguments), capture_output=True, text=True, check=False)


def health(shop: Shop, service: str) -> dict[str, object]:
    """Return what a service says of itself."""
    return get_json(shop.health_url(service))


def condition(shop: Shop) -> tuple[object, ...]:
    """Return what every change would show in: starts of the processes, the record, the state, the ledger's schema."""
    starts = [gauge(shop, service, "process_start_time_seconds") for service in SERVICES]
    return starts, changes(shop), (shop.root / "run/state.json").read_text(), schema_version(Places(shop.root))


@pytest.mark.parametrize(
    "arguments",
    [
        ("deploy", "payments", "v3.2.1"),
        ("rollback", "checkout", "--to", "v3.1.0"),
        ("restart", "gateway"),
        ("flag", "payments", "defer_capture", "on"),
        ("config", "payments", "--to", "c42"),
        ("scale", "payments", "pool", "40"),
        ("migrate", "payments", "--to", "3"),
    ],
)
def test_dry_run_changes_nothing(shop: Shop, arguments: tuple[str, ...]) -> None:
    """With --dry-run every verb says what it would do; processes, state and record stay as they are."""
    before = condition(shop)

    done = ctl(shop, *arguments, "--dry-run")

    assert (0, "dry run: nothing has been changed") == (done.returncode, done.stdout.splitlines()[-1])
    assert before == condition(shop)


def test_dry_run_names_the_commits(shop: Shop) -> None:
    """A dry deploy lists the commits that it would bring."""
    done = ctl(shop, "deploy", "payments", "v3.2.1", "--dry-run")

    assert "Tomas Brandt: payments: read the saved card from the account" in done.stdout


def test_deploy_is_recorded(shop: Shop) -> None:
    """A deploy puts the release live and stands in the record with commit and actor."""
    done = ctl(shop, "--actor", "Wei", "deploy", "gateway", "v3.2.0+docs1")
    change = changes(shop)[-1]

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "v3.2.0+docs1" == health(shop, "gateway")["version"]
    assert ("deploy", "gateway", "v3.2.0", "v3.2.0+docs1", "Wei") == tuple(
        change[key] for key in ("kind", "service", "from", "to", "actor")
    )
    assert change["commit"] == health(shop, "gateway")["commit"]


def test_old_release_runs(shop: Shop) -> None:
    """The release before, too, is one that runs."""
    done = ctl(shop, "rollback", "checkout", "--to", "v3.1.0")

    assert (0, "v3.1.0") == (done.returncode, health(shop, "checkout")["version"])


def test_deploy_loses_no_request(shop: Shop, until: Until) -> None:
    """While payments restarts, the others wait for it, for a second.

    Without that 30 requests a second would fail for the 0.4 to 1 s it takes; five are left for a busy machine, and
    those of the time beyond the second where it takes longer there.
    """
    before, began = _failed(shop), time.monotonic()
    done = ctl(shop, "restart", "payments")
    beyond_s = max(0.0, time.monotonic() - began - 1.0)
    asked = sum(customers_answers(shop).values())
    until(lambda: sum(customers_answers(shop).values()) > asked + 30)

    assert (0, True) == (done.returncode, _failed(shop) - before <= 5 + 30 * beyond_s), done


def _failed(shop: Shop) -> int:
    return sum(count for status, count in customers_answers(shop).items() if status[:1] in "5n")


def test_flag(shop: Shop, until: Until) -> None:
    """A flag reaches the running service without a restart."""
    assert 0 == ctl(shop, "flag", "checkout", "receipt_preview", "on").returncode
    until(lambda: {"receipt_preview": True} == health(shop, "checkout")["flags"])
    assert ("flag", "receipt_preview=on") == (changes(shop)[-1]["kind"], changes(shop)[-1]["to"])
    assert 0 == ctl(shop, "flag", "checkout", "receipt_preview", "off").returncode


def test_scale(shop: Shop, until: Until) -> None:
    """A limit reaches the running service without a restart."""
    assert 0 == ctl(shop, "scale", "checkout", "workers", "9").returncode

    until(lambda: gauge(shop, "checkout", "worker_slots_max") == 9)


def test_unknown_tag(shop: Shop) -> None:
    """A tag that does not exist fails with a reason and exit code 1."""
    done = ctl(shop, "deploy", "payments", "v9.9.9")

    assert (1, "repository has no revision v9.9.9") == (done.returncode, done.stdout.strip())


def test_unknown_service(shop: Shop) -> None:
    """A command line that makes no sense ends with exit code 2."""
    assert 2 == ctl(shop, "restart", "warehouse").returncode


def test_same_release(shop: Shop) -> None:
    """To go where one is already succeeds and does nothing."""
    before = condition(shop)

    done = ctl(shop, "rollback", "payments", "--to", "v3.2.0")

    assert (0, before) == (done.returncode, condition(shop))


def test_no_shop(tmp_path: Path, shop: Shop) -> None:
    """Where no shop runs, shopctl says so."""
    command = [str(tmp_path) if part == str(shop.root) else part for part in shop.ctl_command("status")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (1, True) == (done.returncode, "no shop is running at" in done.stderr)


def test_failure_of_ctl_raises(shop: Shop) -> None:
    """From Python the same failure is an error that carries what shopctl said."""
    with pytest.raises(ShopError, match="has no revision nowhere"):
        shop.ctl("config", "payments", "--to", "nowhere", actor="test")


def test_token_is_asked_for(shop: Shop) -> None:
    """Who does not know the token of the supervisor cannot give it orders, and only the owner can read the token."""
    found = json.loads((shop.root / "supervisor.json").read_text())
    order: dict[str, object] = {"verb": "restart", "service": "payments", "token": "guess"}

    assert 403 == ask("POST", found["url"] + "/orders", order)[0]
    assert 0o600 == (shop.root / "supervisor.json").stat().st_mode & 0o777
