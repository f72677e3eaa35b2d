"""Whatever anybody posts, a sender answers with what it means or with the field at fault: never anything else."""

import copy
import json
from contextlib import suppress
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.alerts.inbound.model import plain_change, standing_of
from stanch.kernel.errors import Forbidden, Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.ports.signals import Inbound
from tests.integrations.sources.cases import CASES, NOW, SECRET, SOURCES, Case

AGAIN: Final = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(
        [
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59-14:00",
            "1e400",
            "nan",
            "-1",
            "\x00",
            "x" * 100_000,
            1e308,
            -1e308,
        ]
    )
)
VALUES: Final = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
every_source = pytest.mark.parametrize("name", sorted(SOURCES))


def tried(name: str, request: Inbound) -> None:
    """Go the whole way of a message up to the database; raise what is neither `Invalid` nor `Forbidden`."""
    source = SOURCES[name]
    with suppress(Forbidden, Invalid, Unavailable):
        source.verify(request, secret=SECRET, now=NOW)
    try:
        parsed = source.parse(request, now=NOW)
        for alert in parsed.alerts:
            standing_of(alert, source=name, defaults={}, now=NOW).received(now=NOW)
        for change in parsed.changes:
            plain_change(change, now=NOW)
    except (Invalid, Forbidden) as error:
        assert not isinstance(error, Invalid) or all(one.field for one in error.problems)


def places(value: JSON, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of everything in a JSON value."""
    inner: list[tuple[str | int, JSON]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for name, one in inner for found in places(one, (*path, name)))]


def exchanged(value: JSON, path: tuple[str | int, ...], new: JSON) -> JSON:
    """Return `value` with another value at `path`."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    at: object = changed
    for part in path[:-1]:
        at = at[part]  # type: ignore[index]  # the path comes from this very value
    at[path[-1]] = new  # type: ignore[index]
    return changed


@every_source
@given(body=st.binary(max_size=200), query=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3))
@AGAIN
def test_any_bytes(name: str, body: bytes, query: dict[str, str]) -> None:
    """Any bytes with any query are taken or refused by name."""
    tried(name, Inbound(body=body, query=query, headers={"content-type": "application/json"}))
    tried(name, Inbound(body=body, query=query, headers={"content-type": "application/x-www-form-urlencoded"}))


@pytest.mark.parametrize("case", CASES, ids=str)
@given(data=st.data())
@AGAIN
def test_any_value_in_any_place(case: Case, data: st.DataObject) -> None:
    """A good message with something else in one place is taken or refused by name."""
    good = json.loads(case.request.body)
    path = data.draw(st.sampled_from(places(good)))
    body = json.dumps(exchanged(good, path, data.draw(VALUES))).encode()

    tried(case.source, replace(case.request, body=body))


@every_source
def test_deep_nesting(name: str) -> None:
    """A hundred thousand brackets are refused and break nothing, wherever they stand."""
    deep = b'{"alerts":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    tried(name, Inbound(body=deep, headers={"content-type": "application/json"}))


@every_source
def test_five_megabytes(name: str) -> None:
    """The largest body that is let in is taken or refused by name."""
    large = json.dumps({"alerts": [{"labels": {f"l{n}": "x" * 1000}} for n in range(5_000)], "title": "x"}).encode()

    tried(name, Inbound(body=large, headers={"content-type": "application/json"}))


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_a_hundred_thousand_labels(name: str) -> None:
    """More labels than anybody can use are refused, and the field is named."""
    labels = {"alertname": "A", **{f"l{n}": "x" for n in range(100_000)}}
    body = json.dumps({"alerts": [{"status": "firing", "labels": labels}]}).encode()
    alert = SOURCES[name].parse(Inbound(body=body), now=NOW).alerts[0]

    with pytest.raises(Invalid) as told:
        standing_of(alert, source=name, defaults={}, now=NOW)

    assert "labels" == told.value.problems[0].field


@pytest.mark.parametrize("body", ["{}", '{"alerts": 5, "event": 7}'])
def test_datadog_says_which_monitor_it_is(body: str) -> None:
    """What has no name would fire for ever: nothing could end it."""
    request = replace(next(case.request for case in CASES if case.source == "datadog"), body=body.encode())
    with pytest.raises(Invalid) as refusal:
        SOURCES["datadog"].parse(request, now=NOW)

    assert "alert_title" == refusal.value.problems[0].field
