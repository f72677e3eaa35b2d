"""How the tests ask the running shop: over HTTP, as Stanch does, and by reading the files that it writes."""

import http.client
import json
import re
from urllib.parse import urlsplit

from stanch.gameday.shop.shop import Shop


def get_text(url: str) -> str:
    """Return what an address answers; anything but 200 is an error."""
    status, text = ask("GET", url)
    assert status == 200, text
    return text


def ask(method: str, url: str, body: dict[str, object] | None = None) -> tuple[int, str]:
    """Return status and text. Polls do this often, and http.client takes a fiftieth of the time of a full client."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request(method, address.path, json.dumps(body) if body else None)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


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
