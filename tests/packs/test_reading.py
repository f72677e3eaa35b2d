"""Query packs: what ships is well-formed and only reads; files of one's own replace, add, change and switch off."""

from pathlib import Path

import pytest

from stanch.kernel.errors import Invalid
from stanch.packs.model import Language, Query
from stanch.packs.reading import check_text, fill, read_packs, shipped_packs
from stanch.packs.wording import said, sentence

SHIPPED = shipped_packs().queries
SYSTEMS = ("kubernetes", "postgresql", "mysql", "sqlite", "redis", "rabbitmq", "nginx", "jvm", "python", "linux")
BY_NAME = pytest.mark.parametrize("query", SHIPPED.values(), ids=lambda query: f"{query.pack}.{query.name}")


def packs_of(folder: Path, text: str) -> dict[str, Query]:
    """Return the queries with a file of one's own over the shipped ones."""
    (folder / "own.toml").write_text(text)
    return dict(read_packs(folder).queries)


@pytest.mark.parametrize("system", SYSTEMS)
def test_common_systems_have_a_pack(system: str) -> None:
    """Each of the systems that were promised has queries."""
    assert len(shipped_packs().of_system(system)) >= 2


@pytest.mark.parametrize("pack", [*SYSTEMS[:2], "redis", "nginx", "jvm", "python", "linux", "services"])
def test_common_exporters_have_queries(pack: str) -> None:
    """A metrics server is asked about each kind of exporter."""
    assert any(query.pack == pack for query in shipped_packs().of_system("prometheus"))


@BY_NAME
def test_a_query_only_reads(query: Query) -> None:
    """The check that refuses what writes lets every shipped query pass."""
    check_text(query)


@BY_NAME
def test_a_query_says_what_its_answer_means(query: Query) -> None:
    """A title, a meaning in a sentence, and for rows a sentence to fill."""
    assert (True, True, True) == (
        bool(query.title),
        query.meaning.rstrip().endswith((".", ")")),
        bool(query.says) or query.language is Language.PROMQL,
    )


@BY_NAME
def test_a_range_query_says_which_metric_it_needs(query: Query) -> None:
    """So that a server without the metric is not asked."""
    assert (query.language is Language.PROMQL) is bool(query.needs)


def test_a_file_of_ones_own_changes_one_thing(tmp_path: Path) -> None:
    """A threshold is changed and the rest of the query stays."""
    found = packs_of(tmp_path, 'pack = "postgresql"\n[[query]]\nname = "connections"\nthreshold = 0.5\n')
    shipped, changed = SHIPPED["postgresql.connections"], found["postgresql.connections"]

    assert (0.5, shipped.text, str(tmp_path / "own.toml")) == (changed.threshold, changed.text, changed.source)


def test_a_file_of_ones_own_adds_a_query(tmp_path: Path) -> None:
    """A query of another name is added to the pack."""
    text = """
pack = "postgresql"
[[query]]
name = "stuck_orders"
title = "Orders that are stuck"
text = "SELECT count(*) AS stuck FROM orders WHERE state = 'new'"
value = "stuck"
threshold = 10
says = "{stuck} orders are stuck"
meaning = "The worker is away."
"""
    assert Language.POSTGRESQL is packs_of(tmp_path, text)["postgresql.stuck_orders"].language


def test_a_file_of_ones_own_switches_a_query_off(tmp_path: Path) -> None:
    """A query that is disabled is gone."""
    text = 'pack = "redis"\n[[query]]\nname = "slowlog"\ndisabled = true\n'

    assert "redis.slowlog" not in packs_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said_so"),
    [
        ("pack = [", "is not TOML"),
        ('title = "x"', "needs `pack"),
        ('pack = "postgresql"\n[[query]]\nname = "connections"\ntext = "DELETE FROM t"', "not a read-only query"),
        ('pack = "postgresql"\n[[query]]\nname = "new"\ntext = "SELECT 1"', "title"),
        ('pack = "redis"\n[[query]]\nname = "memory"\ntext = "FLUSHALL"', "not a read-only query"),
        ('pack = "linux"\n[[query]]\nname = "disks"\ntext = "rm -rf /"', "not a read-only query"),
        ('pack = "linux"\n[[query]]\nname = "disks"\npattern = "("', "no regular expression"),
        ('pack = "linux"\n[[query]]\nname = "disks"\nthreshhold = 1', "threshhold is not a key"),
        ('pack = "linux"\n[[query]]\nname = "disks"\nsays = "{0.__class__}"', "names of columns"),
        ('pack = "linux"\nspeed = 1\n', "is not a key"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said_so: str) -> None:
    """Each mistake names its file and what is wrong."""
    with pytest.raises(Invalid) as invalid:
        packs_of(tmp_path, text)

    assert (True, True) == (said_so in invalid.value.message, "own.toml" in invalid.value.message)


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    """Two bad queries are two problems."""
    (tmp_path / "a.toml").write_text('pack = "redis"\n[[query]]\nname = "memory"\ntext = "DEL a"\n')
    (tmp_path / "b.toml").write_text('pack = "redis"\n[[query]]\nname = "clients"\ntext = "DEL b"\n')
    with pytest.raises(Invalid) as invalid:
        read_packs(tmp_path)

    assert 2 == len(invalid.value.problems)


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    """Without own packs there are the shipped ones."""
    assert SHIPPED == read_packs(tmp_path / "packs").queries


def test_placeholders_are_filled_and_braces_stay() -> None:
    """What the system knows is filled in; a selector of PromQL is left alone."""
    assert 'up{job="x"} get pods -n shop' == fill('up{job="x"} get pods -n {namespace}', {"namespace": "shop"})


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("used_share", 0.984, "98.4 %"),
        ("used_share", 0.00001, "under 0.1 %"),
        ("used_bytes", 1_234_000_000, "1.2 GB"),
        ("runs_s", 312.0, "5.2 min"),
        ("took_ms", 1250.4, "1,250 ms"),
        ("messages", 41000, "41,000"),
        ("pid", 21075, "21075"),
        ("query", "SELECT\n  1", "SELECT 1"),
        ("what", None, "unknown"),
        ("ready", True, "yes"),
    ],
)
def test_columns_are_said_in_their_unit(column: str, value: object, expected: str) -> None:
    """The end of a column's name says its unit."""
    assert expected == said(column, value)  # type: ignore[arg-type]  # a column holds JSON


def test_a_column_that_is_missing_is_a_question_mark() -> None:
    """A sentence is not broken by a server that has no such column."""
    assert "role ? with 2 replicas" == sentence("role {role} with {replicas} replicas", {"replicas": 2})
