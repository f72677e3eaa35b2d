"""Reading what the configuration says about on-call."""

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from stanch.catalog.load import load_catalog, read_catalog
from stanch.catalog.model import Catalog
from stanch.catalog.oncall import Layer, Method, NotifyRule, Step, Window
from stanch.kernel.errors import Invalid

SHOP = """
[services.checkout]
team = "commerce"
policy = "checkout"
[people.alice]
zone = "Europe/Helsinki"
quiet_hours = ["22:00", "07:00"]
methods = {push = "https://ntfy.example/alice", work = {kind = "sms", address = "+358401234567"}}
rules = [{method = "push"}, {method = "work", after_s = "5m", urgency = "high"}]
[people.bob]
[oncall.schedules.checkout]
[[oncall.schedules.checkout.layers]]
people = ["alice", "bob"]
start = "2026-01-05"
hand_over = "10:00"
restrictions = [{days = ["weekday"], start = "08:00", end = "20:00", zone = "person"}]
[oncall.policies.checkout]
steps = [{targets = ["schedule:checkout"], wait_s = "5m"}]
fallback = ["team:commerce"]
"""


def catalog_of(text: str) -> Catalog:
    """Return the catalog of a document."""
    return read_catalog(tomllib.loads(text), root=Path("/srv/shop"))


def problems_of(text: str) -> dict[str, str]:
    """Return what is wrong with a document, by field."""
    with pytest.raises(Invalid) as caught:
        catalog_of(text)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_layer() -> None:
    """A date alone starts at hand-over; restrictions come as they are written."""
    window = Window(days=("weekday",), start="08:00", end="20:00", zone="person")
    expected = Layer(
        name="1",
        people=("alice", "bob"),
        start=datetime(2026, 1, 5, 10, 0),  # noqa: DTZ001  (a local time)
        hand_over="10:00",
        restrictions=(window,),
    )

    assert (expected,) == catalog_of(SHOP).oncall.schedules["checkout"].layers


def test_methods() -> None:
    """A method is named by its kind, or by any name with its kind inside."""
    expected = (
        Method(id="push", kind="push", address="https://ntfy.example/alice"),
        Method(id="work", kind="sms", address="+358401234567"),
    )

    assert expected == catalog_of(SHOP).people["alice"].methods


def test_notify_rules() -> None:
    """Rules keep their order and name methods."""
    expected = (NotifyRule(method="push"), NotifyRule(method="work", after_s=300.0, urgency="high"))

    assert expected == catalog_of(SHOP).people["alice"].rules


def test_policy() -> None:
    """A policy's steps wait in seconds."""
    assert (Step(targets=("schedule:checkout",), wait_s=300.0),) == catalog_of(SHOP).oncall.policies["checkout"].steps


def test_severity_keeps_the_others() -> None:
    """To configure one severity leaves the shipped ones of the others."""
    catalog = catalog_of(SHOP + "[oncall.severities.SEV2]\neveryone = true\n")

    assert [True, True, False, False] == [one.everyone for one in catalog.oncall.severities.values()]


def test_files_beside(tmp_path: Path) -> None:
    """Files in the folder `oncall` add to the document, without the word; assertions are not read."""
    (tmp_path / "stanch.toml").write_text("[people.alice]\n")
    (tmp_path / "oncall").mkdir()
    (tmp_path / "oncall/a.toml").write_text('policy = "p"\n[people.bob]\n[schedules.night]\n')
    (tmp_path / "oncall/b.toml").write_text('[policies.p]\nsteps = [{targets = ["person:bob"]}]\n')
    (tmp_path / "oncall/tests.toml").write_text("[[assert]]\n")
    catalog = load_catalog(tmp_path)

    assert (["alice", "bob"], ["night"], "p") == (
        list(catalog.people),
        list(catalog.oncall.schedules),
        catalog.oncall.policy,
    )


def test_name_in_two_places(tmp_path: Path) -> None:
    """The same name in two files is a mistake, said with the file."""
    (tmp_path / "stanch.toml").write_text("[people.alice]\n")
    (tmp_path / "oncall").mkdir()
    (tmp_path / "oncall/a.toml").write_text("[people.alice]\n")
    with pytest.raises(Invalid) as caught:
        load_catalog(tmp_path)

    assert ["oncall/a.toml.people.alice"] == [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ('policy = "checkout"', "services.checkout.policy", "names no policy: 'chekout'; did you mean checkout?"),
        ('"alice", "bob"', "oncall.schedules.checkout.layers.0.people", "names no person: 'alic'; did you mean alice?"),
        ('"schedule:checkout"', "oncall.policies.checkout.steps.0.targets", "names no schedule: 'shop'"),
        ('"2026-01-05"', "oncall.schedules.checkout.layers.0.start", "is no date: day"),
        ('["weekday"]', "oncall.schedules.checkout.layers.0.restrictions.0.days", "'weekdays' is none of mon"),
        ('method = "push"', "people.alice.rules.0.method", "names no method of theirs: 'pish'; did you mean push?"),
    ],
)
def test_mistakes(wrong: str, field: str, message: str) -> None:
    """A name that does not exist is said where it stands, with the one that was probably meant."""
    replaced = {
        'policy = "checkout"': 'policy = "chekout"',
        '"alice", "bob"': '"alic", "bob"',
        '"schedule:checkout"': '"schedule:shop"',
        '"2026-01-05"': '"2026-02-31"',
        '["weekday"]': '["weekdays"]',
        'method = "push"': 'method = "pish"',
    }
    problems = problems_of(SHOP.replace(wrong, replaced[wrong], 1))

    assert [field] == list(problems)
    assert problems[field].startswith(message)


def test_policy_without_steps() -> None:
    """A policy that would page nobody is a mistake."""
    expected = {"oncall.policies.empty.steps": "must not be empty: this policy would page nobody"}

    assert expected == problems_of("[oncall.policies.empty]\nsteps = []\n")


def test_a_token_of_ntfy_needs_its_server() -> None:
    """A token for ntfy without the server that it is for is a mistake, as it would go wherever an address points."""
    with pytest.raises(Invalid) as trouble:
        catalog_of('[pagers.ntfy]\nsecret_env = "NTFY_TOKEN"')

    assert ["pagers.ntfy.url"] == [problem.field for problem in trouble.value.problems]
