"""Alerts as the senders post them: texts of which only the times are missing, and who says what in which order."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SEVERITIES: Final = ("critical", "warning", "info")
# Alerts end this long after they were last told of, as Prometheus does it.
_LASTS_S: Final = 900.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is posted: `total` alerts of `distinct` ones, `refired` and `resolved` being shares of the alerts posted.

    Without shares every alert is fired once and then all of them again, in turn.
    """

    name: str
    distinct: int
    total: int
    refired: float = 0.0
    resolved: float = 0.0


CASES: Final = {
    "a": Case(name="1,000 fired again and again", distinct=1_000, total=64_000),
    "b": Case(name="20,000 distinct", distinct=20_000, total=20_000),
    "c": Case(name="100,000 distinct", distinct=100_000, total=100_000),
    "d": Case(name="mixed, 10 % resolve", distinct=40_000, total=48_000, refired=0.3, resolved=0.1),
}


def labels(number: int, *, groups: int = 10) -> dict[str, str]:
    """Return the labels of one alert, about as many and as long as those of a node exporter."""
    return {
        "alertname": f"Alert{number % groups}",
        "cluster": f"c{number % 7}",
        "instance": f"host-{number:06d}.example:9100",
        "job": "node",
        "namespace": f"ns-{number % 50}",
        "number": str(number),
        "severity": _SEVERITIES[number % 3],
    }


def begun(number: int, said: dict[str, str] | None = None) -> bytes:
    """Return an alert as JSON up to the value of `startsAt`; `said` are other labels than its own."""
    body = {
        "annotations": {
            "summary": f"instance host-{number:06d} is unhealthy",
            "description": f"host-{number:06d}.example:9100 of job node has been unhealthy for more than 5 minutes",
        },
        "labels": said or labels(number),
        "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    }
    return json.dumps(body, separators=(",", ":"))[:-1].encode() + b',"startsAt":"'


def instant(seconds: float) -> bytes:
    """Return seconds since 1970 as RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def closed(text: bytes, started: bytes, ends: bytes) -> bytes:
    """Return an alert of which `text` is the beginning."""
    return text + started + b'","endsAt":"' + ends + b'"}'


class Speaker:
    """What one connection says: its own share of the alerts, so that the last word about each is known."""

    def __init__(self, case: Case, *, texts: Sequence[bytes], first: int, step: int) -> None:
        self._case = case
        self._texts = texts
        self._own = range(first, case.distinct, step)
        self._left = case.total // step
        self._random = random.Random(first)
        self._fired = 0
        self._again = 0
        self._started: dict[int, bytes] = {}
        self.firing: dict[int, None] = {}
        self.resolved: set[int] = set()

    def batches(self, size: int, now: float) -> Iterator[tuple[bytes, int]]:
        """Yield bodies and how many alerts are in each, in which no alert is twice.

        Times are counted up to `now` (seconds since 1970), a millisecond a batch.
        """
        now -= self._left / size / 1000
        while self._left > 0:
            now += 0.001
            started, ends = instant(now), instant(now + _LASTS_S)
            parts: dict[int, bytes] = {}
            while len(parts) < min(size, self._left):
                if not self._say(parts, started, ends):
                    break
            self._left -= len(parts)
            yield b"[" + b",".join(parts.values()) + b"]", len(parts)

    def _say(self, parts: dict[int, bytes], started: bytes, ends: bytes) -> bool:
        """Add one alert; False when each is in the batch already."""
        chance = self._random.random() if self._case.resolved or self._case.refired else 1.0
        if chance < self._case.resolved and self.firing:
            number = next(iter(self.firing))
            if number not in parts:
                del self.firing[number]
                self.resolved.add(number)
                parts[number] = closed(self._texts[number], self._started[number], started)
                return True
        if self._fired < len(self._own) and (not self._fired or chance >= self._case.resolved + self._case.refired):
            number = self._own[self._fired]
            self._fired += 1
            self._started[number] = started
        else:
            known = min(self._fired, len(self._own))
            for _ in range(known):
                number = self._own[self._again % known]
                self._again += 1
                if number not in parts:
                    break
            else:
                return False
            if number in self.resolved:
                self.resolved.discard(number)
                self._started[number] = started
        self.firing[number] = None
        parts[number] = closed(self._texts[number], self._started[number], ends)
        return True
