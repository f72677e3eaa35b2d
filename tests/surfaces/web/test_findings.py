"""What a finding rests on is shown: its series drawn, its rows in a table; what is not as it should be is left out."""

from datetime import UTC, datetime

import pytest

from stanch.kernel.event import JSON
from stanch.ports.evidence import Finding, FindingStatus
from stanch.surfaces.web.findings import Table, drawn_of, table_of
from stanch.surfaces.web.render import ENVIRONMENT

AT = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SERIES: JSON = {"metric": "requests", "labels": {"pod": "<b>"}, "times": [1.0, 2.0, 3.0], "values": [1, 2.5, 4]}


def finding(**data: JSON) -> Finding:
    """Return a finding with this data."""
    return Finding(
        id="1-x-1",
        collector="x",
        source="x",
        command="x",
        status=FindingStatus.OK,
        summary="x",
        start=AT,
        end=AT,
        data=data,
    )


def page(one: Finding) -> str:
    """Return the evidence of an incident with this finding."""
    return ENVIRONMENT.get_template("incident/evidence.html").render(cited=[one], uncited=[])


def test_a_series_is_drawn_with_its_newest_value() -> None:
    """Beside the labels that tell it from others."""
    (drawn,) = drawn_of(finding(series=[SERIES], unit="1/s"))

    assert (4.0, "pod=<b>", 3) == (drawn.newest, drawn.words, len(drawn.series.points))


def test_a_drawing_is_on_the_page() -> None:
    """And what a label says is text there."""
    shown = page(finding(series=[SERIES], unit="1/s"))

    assert ("<svg" in shown, "4.0/s" in shown, "pod=&lt;b&gt;" in shown) == (True, True, True)


def test_rows_are_a_table() -> None:
    """The first ten, and how many there are besides."""
    rows: list[JSON] = [{"pid": number, "query": "SELECT 1"} for number in range(12)]
    table = table_of(finding(rows=rows))

    assert isinstance(table, Table) and (("pid", "query"), 10, 2) == (table.columns, len(table.rows), table.more)


def test_a_table_is_on_the_page() -> None:
    """With what it says as text."""
    assert "<td><bdi>&lt;script&gt;</bdi></td>" in page(finding(rows=[{"query": "<script>"}]))


@pytest.mark.parametrize(
    "series",
    [
        None,
        "x",
        [None],
        [{"times": [1.0], "values": [1.0]}],
        [{"times": [1.0, 2.0], "values": [1.0]}],
        [{"times": ["a", "b"], "values": [1.0, 2.0]}],
    ],
)
def test_what_cannot_be_drawn_is_left_out(series: JSON) -> None:
    """A collector that is wrong about its data breaks no page."""
    assert [] == drawn_of(finding(series=series))


@pytest.mark.parametrize("rows", [None, "x", [], [1]])
def test_what_is_no_table_is_left_out(rows: JSON) -> None:
    """The same for rows."""
    assert table_of(finding(rows=rows)) is None
