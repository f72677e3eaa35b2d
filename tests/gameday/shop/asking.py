"""How the tests ask the running shop: over HTTP, as Stanch does, and by reading the files that it writes."""

import json
import re

import httpx2

from stanch.gameday.shop.shop import Shop


def get_text(url: str) -> str:
    """Return what an address answers; anything but 200 is an error."""
    return httpx2.get(url, timeout=5).raise_for_status().text


def get_json(url: str) -> dict[str, object]:
    """Return the JSON object that an address answers."""
    body: dict[str, object] = json.loads(get_text(url))
    return body


def gauge(shop: Shop, service: str, series: str) -> float:
    """Return a number from the metrics of a service; `series` is a pattern for the name with or without labels."""
    found = re.search(rf"^{series}(?:{{[^}}]*}})? (\S+)$", get_text(shop.metrics_url(service)), re.MULTILINE)
    assert found is not None
    return float(found[1])


def changes(shop: Shop) -> list[dict[str, object]]:
    """Return the changes since the shop was started, without the four of its past."""
    return [json.loads(line) for line in shop.deploys_path.read_text().splitlines()[4:]]


def customers_answers(shop: Shop) -> dict[str, int]:
    """Return how often the customers got which status."""
    statuses = shop.tell_customers({})["by_status"]
    assert isinstance(statuses, dict)
    return statuses
