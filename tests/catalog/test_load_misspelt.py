"""What is misspelt is complained of once, with what was meant."""

import tomllib
from pathlib import Path

import pytest

from stanch.catalog.load import read_catalog
from stanch.kernel.errors import Invalid


def wrongs(text: str) -> list[str]:
    """Return what is wrong with a document, a line each."""
    with pytest.raises(Invalid) as caught:
        read_catalog(tomllib.loads(text), root=Path("/srv/shop"))
    return [f"{one.field} {one.message}" for one in caught.value.problems]


@pytest.mark.parametrize(
    ("section", "kind", "meant"),
    [
        ("trackers", "githb", "github"),
        ("pagers", "ntfi", "ntfy"),
        ("systems", "postgrsql", "postgresql"),
        ("sources", "grafna", "grafana"),
    ],
)
def test_a_misspelt_kind_is_complained_of_once(section: str, kind: str, meant: str) -> None:
    """The name of the table is not taken for its kind where another is written."""
    more = 'project = "acme/shop"\nsecret_env = "TOKEN"' if section == "trackers" else ""
    [wrong] = wrongs(f"[{section}.it]\nkind = '{kind}'\n{more}")

    assert (f"{section}.it.kind must be one of", f"; did you mean {meant}?") == (
        wrong[: len(f"{section}.it.kind must be one of")],
        wrong[-len(f"; did you mean {meant}?") :],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[schedules.web]", "schedules is not a key here; did you mean oncall.schedules?"),
        (
            "[oncall.schedules.web]\nrotaton = 'weekly'",
            "oncall.schedules.web.rotaton is not a key here; did you mean layers.rotation?",
        ),
        ("[oncall.schedules.web]\nzon = 'UTC'", "oncall.schedules.web.zon is not a key here; did you mean zone?"),
        (
            "[oncall.policies.web]\nsteps = []\ntarget = ['x']",
            "oncall.policies.web.target is not a key here; did you mean steps.targets?",
        ),
    ],
)
def test_a_key_at_the_wrong_place_is_told_its_right_one(text: str, expected: str) -> None:
    """What stands one table too high is as likely as a wrong letter."""
    assert expected in wrongs(text)


ACTION = """
[systems.orders-db]
kind = "postgresql"
url = "postgresql://stanch@db/orders"
[systems.prod]
kind = "kubernetes"
context = "prod"
[services.orders]
[[services.orders.actions]]
name = "it"
mitigation = "kill_queries"
risk = "high"
"""


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            "uses = 'postgresql.kill'\nsettings = { on = 'order-db' }",
            "on names no system of kind postgresql: 'order-db'; there are orders-db; did you mean orders-db?",
        ),
        (
            "uses = 'postgresql.kill'\nsettings = { on = 'prod' }",
            "on names no system of kind postgresql: 'prod'; there are orders-db",
        ),
        (
            "uses = 'mysql.kill'\nsettings = { on = 'orders-db' }",
            "on names no system of kind mysql: 'orders-db'; none is configured",
        ),
        (
            "uses = 'kubernetes.restart'\nsettings = { on = 'staging', name = 'orders' }",
            "on names no system of kind kubernetes: 'staging'; there are prod",
        ),
    ],
)
def test_an_action_on_a_system_that_there_is_not_is_wrong(action: str, expected: str) -> None:
    """It is said when the configuration is read, not in the middle of an incident."""
    assert [f"services.orders.actions.0.settings {expected}"] == wrongs(f"{ACTION}{action}")


def test_an_action_on_a_system_that_is_filled_in_is_not_looked_at() -> None:
    """Nor is one on a system that there is."""
    for on in ("orders-db", "{target}"):
        text = f"{ACTION}uses = 'postgresql.kill'\nsettings = {{ on = '{on}' }}"
        catalog = read_catalog(tomllib.loads(text), root=Path("/srv/shop"))

        assert on == catalog.services["orders"].actions[0].settings["on"]
