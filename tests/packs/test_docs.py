"""docs/collectors.md against the code: its examples are valid, its lists complete."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from stanch.app.systems import open_systems
from stanch.catalog.load import read_catalog
from stanch.catalog.systems import SYSTEM_KINDS
from stanch.packs.model import Query
from stanch.packs.reading import read_packs, shipped_packs

PAGE = (Path(__file__).parents[2] / "docs/collectors.md").read_text()
SYSTEMS, PACK = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
NAMED_OTHERWISE = {"name", "pack", "language", "title", "source"}


def test_the_systems_of_the_example_can_be_opened(tmp_path: Path) -> None:
    """What the page shows as configuration is valid, and each of its systems is made."""
    document = {**tomllib.loads(SYSTEMS), "services": {"payments": {}, "checkout": {}}}
    found = open_systems(read_catalog(document, root=tmp_path), environment={})

    assert (4, 2, 5, 1) == (len(found.sources), len(found.logs), len(found.changes), len(found.collectors))


def test_the_pack_of_the_example_is_read(tmp_path: Path) -> None:
    """What the page shows as a pack changes one query and adds one."""
    (tmp_path / "own.toml").write_text(PACK)
    found = read_packs(tmp_path).queries

    assert (len(shipped_packs().queries) + 1, 0.7) == (len(found), found["postgresql.connections"].threshold)


@pytest.mark.parametrize("kind", SYSTEM_KINDS)
def test_every_kind_is_described(kind: str) -> None:
    """A kind that may be configured stands in the table."""
    assert f"`{kind}`" in PAGE.split("### Which service")[0]


@pytest.mark.parametrize("key", sorted({field.name for field in fields(Query)} - NAMED_OTHERWISE))
def test_every_key_of_a_query_is_described(key: str) -> None:
    """A key that a pack may hold stands in the table."""
    assert f"`{key}`" in PAGE.split("## Query packs")[1]


@pytest.mark.parametrize("signal", sorted({query.signal for query in shipped_packs().queries.values()} - {""}))
def test_every_signal_of_the_packs_is_described(signal: str) -> None:
    """What a query tells the ranking stands in the table, or is one of the figures of own checks."""
    measured = {"request_rate", "error_ratio", "latency_p95_ms", "memory_bytes", "connections_dropped"}

    assert signal in measured or f"`{signal}`" in PAGE.split("### Signals")[1]
