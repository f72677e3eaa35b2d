"""The faults: each is a real change in the shop's world, and comes with the truth that only the scoring may read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from stanch.gameday.shop.history import (
    DOCS_TAG,
    GOOD_CONFIGURATION,
    NEXT_CONFIGURATION,
    NEXT_TAG,
    PRIYA,
    STORED_TAG,
    TOMAS,
    WEI,
)
from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.shop import Shop

# 26 refunds of orders that were refunded before, 1.5 s apart: the 20 connections of payments are gone after 30 s.
REFUNDS = 26
REFUND_EVERY_S = 1.5
SPIKE = 6


class Cause(StrEnum):
    """What kind of thing is at the root of a fault."""

    BAD_DEPLOY = "bad_deploy"
    BAD_CONFIG = "bad_config"
    BAD_FLAG = "bad_flag"
    BAD_MIGRATION = "bad_migration"
    LOCKED_DATABASE = "locked_database"
    DEPENDENCY_SLOW = "dependency_slow"
    DEPENDENCY_DOWN = "dependency_down"
    RESOURCE_LEAK = "resource_leak"
    TRAFFIC = "traffic"
    NOT_TO_BE_FOUND = "not_to_be_found"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a perfect investigation finds: cause, service, the change to blame if there is one, and what mends it.

    `kinds` are the hypotheses that are right; none where the cause leaves no trace in anything that can be read, so
    that the right answer is "not known yet". Nothing mends such a fault but its end, and `mended_by` is empty.
    """

    cause: Cause
    service: str
    change: str | None
    mended_by: str
    kinds: tuple[str, ...] = ()

    @property
    def can_be_found(self) -> bool:
        """Tell whether there is anything to find."""
        return bool(self.kinds)

    def is_told_by(self, *, kind: str, service: str, target: str) -> bool:
        """Tell whether a hypothesis of this kind, about this service or its target, is the truth."""
        return kind in self.kinds and self.service in (service, target)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: how it begins and how it is taken back."""

    name: str
    title: str
    expected: Truth
    inject: Callable[[Shop], None]
    undo: Callable[[Shop], None]


@dataclass(frozen=True, kw_only=True)
class Injection:
    """A fault that was brought into a shop."""

    fault: Fault
    decoy: str | None
    at: datetime


def inject(name: str, shop: Shop, *, decoy: bool = False) -> Injection:
    """Bring a fault into the shop, with `decoy` a harmless deploy of the gateway just before it.

    Raises ShopError when there is no such fault or the shop cannot be operated.
    """
    fault = fault_named(name)
    if decoy:
        shop.ctl("deploy", "gateway", DOCS_TAG, actor=_name(WEI), note="docs only")
    at = datetime.now(UTC)
    fault.inject(shop)
    return Injection(fault=fault, decoy=f"gateway {DOCS_TAG}" if decoy else None, at=at)


def undo(name: str, shop: Shop) -> None:
    """Take a fault back, whatever was done about it in between."""
    fault_named(name).undo(shop)


def fault_named(name: str) -> Fault:
    """Return a fault; raise ShopError naming all when there is no such one."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise ShopError(f"no such fault: {name} (there are {', '.join(fault.name for fault in FAULTS)})")


def describe_faults() -> list[tuple[str, str]]:
    """Return name and title of every fault, without what is expected to be found."""
    return [(fault.name, fault.title) for fault in FAULTS]


def _name(author: str) -> str:
    return author.partition(" <")[0]


def _deploy_next(shop: Shop) -> None:
    shop.ctl("deploy", "payments", NEXT_TAG, actor=_name(TOMAS), note="release")


def _deploy_stored(shop: Shop) -> None:
    shop.ctl("rollback", "payments", "--to", STORED_TAG, actor=_name(TOMAS))


def _slow_acquirer(shop: Shop) -> None:
    shop.tell_acquirer({"mode": "slow"})


def _acquirer_gone(shop: Shop) -> None:
    shop.tell_acquirer({"mode": "down"})


def _acquirer_well(shop: Shop) -> None:
    shop.tell_acquirer({"mode": "ok"})
    shop.ctl("flag", "payments", "defer_capture", "off", actor=_name(PRIYA))


def _refund_batch(shop: Shop) -> None:
    shop.tell_customers({"refunds": REFUNDS, "every_s": REFUND_EVERY_S})


def _no_refunds(shop: Shop) -> None:
    shop.tell_customers({"refunds": 0})
    shop.ctl("restart", "payments", actor=_name(PRIYA))


def _next_configuration(shop: Shop) -> None:
    shop.ctl("config", "payments", "--to", NEXT_CONFIGURATION, actor=_name(TOMAS), note="month end")


def _good_configuration(shop: Shop) -> None:
    shop.ctl("config", "payments", "--to", GOOD_CONFIGURATION, actor=_name(TOMAS))


def _previews_on(shop: Shop) -> None:
    shop.ctl("flag", "checkout", "receipt_preview", "on", actor=_name(WEI), note="for the new app")


def _previews_off(shop: Shop) -> None:
    shop.ctl("flag", "checkout", "receipt_preview", "off", actor=_name(WEI))
    shop.ctl("restart", "checkout", actor=_name(WEI))


def _crowd(shop: Shop) -> None:
    shop.tell_customers({"rate": shop.rate * SPIKE})


def _no_crowd(shop: Shop) -> None:
    shop.tell_customers({"rate": shop.rate})


def _pause_checkout(shop: Shop) -> None:
    shop.tell_machine({"pid": shop.processes()["checkout"]})


def _no_pauses(shop: Shop) -> None:
    shop.tell_machine({"pid": 0})


def _migrate_next(shop: Shop) -> None:
    shop.ctl("migrate", "payments", "--to", "3", actor=_name(PRIYA), note="quiet hour")


def _migrate_back(shop: Shop) -> None:
    shop.ctl("migrate", "payments", "--to", "2", actor=_name(PRIYA))


def _reconcile(shop: Shop) -> None:
    shop.start_reconciliation()


def _no_reconciliation(shop: Shop) -> None:
    shop.end_reconciliation()


FAULTS = (
    Fault(
        name="bad-deploy",
        title="payments v3.2.1 goes live and fails for guests",
        expected=Truth(
            cause=Cause.BAD_DEPLOY,
            service="payments",
            change=NEXT_TAG,
            mended_by=f"rollback payments --to {STORED_TAG}",
            kinds=("bad_deploy",),
        ),
        inject=_deploy_next,
        undo=_deploy_stored,
    ),
    Fault(
        name="slow-dependency",
        title="the acquirer takes 2.5 s for what took it 20 ms",
        expected=Truth(
            cause=Cause.DEPENDENCY_SLOW,
            service="acquirer",
            change=None,
            mended_by="flag payments defer_capture on",
            kinds=("dependency_slow", "third_party_outage"),
        ),
        inject=_slow_acquirer,
        undo=_acquirer_well,
    ),
    Fault(
        name="connection-leak",
        title="refused refunds do not give their database connection back",
        expected=Truth(
            cause=Cause.RESOURCE_LEAK,
            service="payments",
            change=None,
            mended_by="restart payments",
            kinds=("connection_leak",),
        ),
        inject=_refund_batch,
        undo=_no_refunds,
    ),
    Fault(
        name="crash-loop",
        title="configuration c42 makes payments exit soon after each start",
        expected=Truth(
            cause=Cause.BAD_CONFIG,
            service="payments",
            change=NEXT_CONFIGURATION,
            mended_by=f"config payments --to {GOOD_CONFIGURATION}",
            kinds=("bad_config",),
        ),
        inject=_next_configuration,
        undo=_good_configuration,
    ),
    Fault(
        name="memory-leak",
        title="receipt previews are kept for ever until checkout is killed for its memory",
        expected=Truth(
            cause=Cause.BAD_FLAG,
            service="checkout",
            change="receipt_preview=on",
            mended_by="flag checkout receipt_preview off, restart checkout",
            kinds=("flag_change",),
        ),
        inject=_previews_on,
        undo=_previews_off,
    ),
    Fault(
        name="traffic-spike",
        title="six times as many customers as usual",
        expected=Truth(
            cause=Cause.TRAFFIC,
            service="checkout",
            change=None,
            mended_by="scale checkout workers 8",
            kinds=("traffic_spike",),
        ),
        inject=_crowd,
        undo=_no_crowd,
    ),
    Fault(
        name="dependency-down",
        title="the acquirer accepts no connections",
        expected=Truth(
            cause=Cause.DEPENDENCY_DOWN,
            service="acquirer",
            change=None,
            mended_by="flag payments defer_capture on",
            kinds=("dependency_down", "third_party_outage"),
        ),
        inject=_acquirer_gone,
        undo=_acquirer_well,
    ),
    Fault(
        name="slow-query",
        title="a migration drops the index that the velocity check needs",
        expected=Truth(
            cause=Cause.BAD_MIGRATION,
            service="payments",
            change="schema 3",
            mended_by="migrate payments --to 2",
            kinds=("migration", "missing_index"),
        ),
        inject=_migrate_next,
        undo=_migrate_back,
    ),
    Fault(
        name="locked-ledger",
        title="a nightly batch leaves its transaction on the ledger open, and every payment waits for it",
        expected=Truth(
            cause=Cause.LOCKED_DATABASE,
            service="payments",
            change=None,
            mended_by="end the batch",
            kinds=("lock_contention",),
        ),
        inject=_reconcile,
        undo=_no_reconciliation,
    ),
    Fault(
        name="crowded-host",
        title="the machine takes the processor away from checkout again and again, and tells nobody",
        expected=Truth(cause=Cause.NOT_TO_BE_FOUND, service="checkout", change=None, mended_by=""),
        inject=_pause_checkout,
        undo=_no_pauses,
    ),
)
