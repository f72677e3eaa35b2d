"""What one agent may ask for in an hour, and the memory of what it asked for once already. Kept by one process."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from stanch.kernel.errors import Conflict, Refused
from stanch.kernel.event import JSON

_HOUR: Final = timedelta(hours=1)
_REMEMBERED: Final = timedelta(hours=24)
_MOST_KEYS: Final = 1_000
_MOST_AGENTS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Calls and writes of one agent in an hour. A drill takes about 60 calls, a dozen of them writes."""

    calls: int = 600
    writes: int = 120


@dataclass(kw_only=True)
class _Account:
    calls: deque[datetime] = field(default_factory=deque)
    writes: deque[datetime] = field(default_factory=deque)
    kept: OrderedDict[str, tuple[datetime, str, dict[str, JSON]]] = field(default_factory=OrderedDict)
    # Held while a call with a key runs: the same key twice at once is done once.
    busy: threading.Lock = field(default_factory=threading.Lock)


class Budget:
    """Counts what agents do, by their names."""

    def __init__(self, limits: Limits, *, now: Callable[[], datetime]) -> None:
        self._limits = limits
        self._now = now
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, agent: str, *, writes: bool) -> None:
        """Count one call. Raises `Refused` when the hour's budget is spent."""
        now = self._now()
        with self._lock:
            account = self._account(agent)
            _take(account.calls, now=now, most=self._limits.calls, what="calls")
            if writes:
                _take(account.writes, now=now, most=self._limits.writes, what="writes")

    def once(self, agent: str, key: str, *, same: str, run: Callable[[], dict[str, JSON]]) -> dict[str, JSON]:
        """Return what `run` answers, or what it answered under this key. `same` is the call in one text.

        Raises `Conflict` when the key stands for another call.
        """
        with self._lock:
            account = self._account(agent)
        with account.busy:
            now = self._now()
            while account.kept and now - next(iter(account.kept.values()))[0] > _REMEMBERED:
                account.kept.popitem(last=False)
            if key in account.kept:
                _, before, told = account.kept[key]
                if before != same:
                    raise Conflict("this key stands for another call", reason="key_reused", hint="take a new key")
                return told
            told = run()
            account.kept[key] = (now, same, told)
            if len(account.kept) > _MOST_KEYS:
                account.kept.popitem(last=False)
            return told

    def _account(self, agent: str) -> _Account:
        account = self._accounts.setdefault(agent, _Account())
        self._accounts.move_to_end(agent)
        if len(self._accounts) > _MOST_AGENTS:
            self._accounts.popitem(last=False)
        return account


def _take(times: deque[datetime], *, now: datetime, most: int, what: str) -> None:
    while times and now - times[0] > _HOUR:
        times.popleft()
    if len(times) >= most:
        again = times[0] + _HOUR if times else now + _HOUR
        raise Refused(
            f"{most} {what} in an hour are spent",
            reason="budget_spent",
            hint=f"go on at {again:%H:%M:%S} UTC, or ask a person to go on",
        )
    times.append(now)
