"""docs/checks.md against the code: its examples are valid, every kind is there, the defaults are those that ship."""

import re
import tomllib
from pathlib import Path

import pytest

from stanch.alerts.words import thousands
from stanch.catalog.keys import SAMPLERS
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Thresholds
from stanch.kernel.percentage import percent

PAGE = (Path(__file__).parents[2] / "docs/checks.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_are_valid(number: int) -> None:
    """What the page shows can be copied."""
    document = {"services": {"orders-db": {}}, **tomllib.loads(EXAMPLES[number])}

    assert read_catalog(document, root=Path("/srv")).services


def test_every_kind_is_there() -> None:
    """The table of kinds has every sampler."""
    # The head of the table names the key itself.
    assert {"sampler", *SAMPLERS} == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("error_ratio", percent(Thresholds().error_ratio)),
        ("latency_p95_ms", f"{thousands(Thresholds().latency_p95_ms).replace(',', '')} ms"),
        ("memory", percent(Thresholds().memory)),
        ("disk", percent(Thresholds().disk)),
        ("saturation", percent(Thresholds().saturation)),
    ],
)
def test_shipped_defaults(key: str, shown: str) -> None:
    """The limit that the table of monitors gives is the shipped one."""
    [row] = [line for line in PAGE.splitlines() if f"(`{key}`)" in line]

    assert shown in row
