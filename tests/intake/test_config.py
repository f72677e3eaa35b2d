"""What an `alertmanager.yml` is read as: what has the wrong shape is named, and what is shown again reads the same."""

from typing import Final

import pytest
import yaml

from stanch.alerts.intake.config import read_routing
from stanch.alerts.intake.routes import Routing
from stanch.kernel.errors import Invalid

RECEIVERS: Final = "receivers: [ { name: team, webhook_configs: [ { url: 'http://team/' } ] } ]"


def read(text: str) -> Routing:
    """Read a configuration with the kind of receiver that every one of these has."""
    return read_routing(f"{text}\n{RECEIVERS}", kinds={"webhook": lambda settings: None})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("route: { receiver: team, routes: [ oops ] }", "route.routes[0]"),
        ("route: { receiver: team, routes: [ { match: oops } ] }", "route.routes[0].match"),
        ("route: { receiver: team }\ninhibit_rules: [ oops ]", "inhibit_rules[0]"),
        ("route: { receiver: team }\ninhibit_rules:\n-", "inhibit_rules[0]"),
        ("route: { receiver: team }\nglobal: oops", "global"),
    ],
)
def test_what_should_be_a_mapping_is_no_empty_one(wrong: str, field: str) -> None:
    """A route, rule or section that is a text is an error that names it, not one that takes everything."""
    with pytest.raises(Invalid) as raised:
        read(wrong)
    assert field in {problem.field for problem in raised.value.problems}


def test_truth_values_and_numbers_are_shown_without_quotes() -> None:
    """`amtool config routes` reads the configuration from the status and wants truth values where they stood."""
    shown = read("route: { receiver: team, routes: [ { match: { shard: 3, of: 'x: y' }, continue: true } ] }").original
    assert [{"match": {"shard": 3, "of": "x: y"}, "continue": True}] == yaml.safe_load(shown)["route"]["routes"]
