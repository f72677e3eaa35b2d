"""Who can look for which clue: the collectors to send for a test, by their names, as data. Pure.

A name stands for the collector called that and for every system of that kind: `postgresql` for `postgresql:orders-db`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

_CALLS: Final = ("calls", "dependencies", "prometheus")
_FIGURES: Final = ("metrics", "calls", "rootcause", "prometheus")
_CHANGES: Final = ("changes", "git", "kubernetes")
_LOGS: Final = ("logs", "journald", "kubernetes", "sentry")
_DATABASES: Final = ("postgresql", "mysql")
_LOCKING: Final = (*_DATABASES, "sqlite")

LOOKERS: Final[Mapping[str, tuple[str, ...]]] = {
    "call_slow": _CALLS,
    "call_failing": _CALLS,
    "target_down": ("dependencies",),
    "target_says_so": ("dependencies",),
    "target_healthy_inside": _FIGURES,
    "tls_expired": ("dependencies",),
    "change_at_origin": _FIGURES,
    "is_origin": _FIGURES,
    "moved_first": _FIGURES,
    "stands_out": _FIGURES,
    "slow_by_itself": _FIGURES,
    "load_raised": ("metrics", "prometheus", "nginx"),
    "restarting": ("metrics", "kubernetes", "linux"),
    "errors_new_since_change": _LOGS,
    "errors_only_in_version": _LOGS,
    "trace_in_change": (*_LOGS, *_CHANGES),
    "change_touches_no_code": _CHANGES,
    "drops_index": (*_CHANGES, *_DATABASES),
    "no_change_near": _CHANGES,
    "data_errors": _LOGS,
    "dies_of": _LOGS,
    "pool_errors": _LOGS,
    "long_queries": _DATABASES,
    "locks_waiting": _LOCKING,
    "sequential_scans": _DATABASES,
    "resource_full": ("metrics", "host", "linux", "prometheus", "kubernetes", *_DATABASES, "redis"),
    "filled_gradually": ("metrics", "prometheus"),
    "memory_grows": ("metrics", "host", "prometheus", "kubernetes"),
    "out_of_memory": ("host", "linux", "kubernetes"),
}
"""For each clue that has a test."""


def lookers_for(clue: str, *, available: Iterable[str]) -> tuple[str, ...]:
    """Return the collectors among `available` that can look for `clue`, in their order; may be empty."""
    return chosen(LOOKERS.get(clue, ()), available=available)


def chosen(names: Iterable[str], *, available: Iterable[str]) -> tuple[str, ...]:
    """Return those of `available` that are called one of `names`, or are a system of that kind."""
    wanted = frozenset(names)
    return tuple(dict.fromkeys(one for one in available if one in wanted or one.partition(":")[0] in wanted))
