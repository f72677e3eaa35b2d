"""One running shop for the tests that only look at it, and helpers to read what it writes."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from stanch.gameday.shop.shop import Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A healthy shop with customers."""
    with Shop.start(tmp_path_factory.mktemp("shop"), rate=30) as started:
        yield started


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Poll a condition of real processes until it holds, at most a minute."""

    def wait(condition: Callable[[], object]) -> None:
        give_up_at = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < give_up_at, "the condition did not come true within a minute"
            time.sleep(0.05)

    return wait


@pytest.fixture
def log_of(shop: Shop) -> Callable[[str], list[dict[str, object]]]:
    """Read the JSON log of a service of the running shop."""
    seen: dict[str, list[dict[str, object]]] = {}
    read_until: dict[str, int] = {}

    def read(service: str) -> list[dict[str, object]]:
        # Polled many times a second: only what is new is read again.
        with shop.log_path(service).open("rb") as log:
            log.seek(read_until.get(service, 0))
            whole, newline, _ = log.read().rpartition(b"\n")
        read_until[service] = read_until.get(service, 0) + len(whole + newline)
        seen.setdefault(service, []).extend(json.loads(line) for line in whole.splitlines())
        return seen[service]

    return read
