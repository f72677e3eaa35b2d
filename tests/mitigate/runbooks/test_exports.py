"""Runbooks as other houses and tools have written them are read without edits; what is no tagged block stays text."""

from pathlib import Path

import pytest

from stanch.mitigate.runbooks.importing import as_markdown
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.matching import Seen, match_runbooks
from stanch.mitigate.runbooks.model import Part, Runbook
from stanch.mitigate.runbooks.shelf import read_shelf
from stanch.mitigate.runbooks.variables import variables_of

EXPORTS = Path(__file__).parent / "exports"
S, C, M, V, P, O = (*Part,)  # noqa: E741 - the parts by their first letters, as a row is read


def exported(name: str) -> Runbook:
    """Read one of the exports."""
    path = EXPORTS / f"{name}.md"
    return read_runbook(path.read_text(encoding="utf-8"), id=path.stem)


@pytest.mark.parametrize(
    ("name", "title", "parts"),
    [
        ("alerts-in-one-file", "Alert runbooks of the shop", {S}),
        ("ShopPodNotReady", "Shop Pod Not Ready", {S, C, M}),
        ("wiki-storage", "Payments: pool exhausted", {S, C, M}),
        ("wiki-markup", "Broker runs full", {S, C, M}),
        ("equals", "Search is stale", {S, C, M, P}),
        ("page-export", "Cache evicts too much", {S, C, M}),
        ("underlined", "Certificates of the edge", {S, C, M}),
        ("windows", "Nightly report is late", {S, C, M}),
        ("bold", "Customers see each other's baskets", {S, C, M, P}),
        ("labels", "ShopDiskFilling", {S, C, M}),
        ("table", "Partner bank does not answer", {V, M}),
        ("prose", "prose", set()),
    ],
)
def test_title_and_parts_are_found(name: str, title: str, parts: set[Part]) -> None:
    """Whatever the headings look like and are called."""
    runbook = exported(name)

    assert (title, parts) == (runbook.title, {section.part for section in runbook.sections} - {O})


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("alerts-in-one-file", [("promql", False, "below 0.5")]),
        ("ShopPodNotReady", [("sh", True, ""), ("sh", False, "")]),
        ("wiki-storage", [("sql", False, "below 20")]),
        ("wiki-markup", [("sh", False, "")]),
        ("equals", [("http", False, "")]),
        ("page-export", [("redis", False, "memory_used_share below 0.9")]),
        ("underlined", [("http", False, "certificate_days above 14")]),
        ("windows", [("sql", False, "is 0")]),
        ("bold", [("redis", False, "")]),
        ("labels", [("sh", False, ""), ("promql", False, "above 0.1"), ("sh", True, "")]),
        ("table", [("sh", True, "")]),
        ("prose", []),
    ],
)
def test_only_tagged_blocks_can_run(name: str, blocks: list[tuple[str, bool, str]]) -> None:
    """Each with what it expects; examples and sentences stay text."""
    assert blocks == [
        (one.language.value, one.changes, one.expects.words if one.expects else "") for one in exported(name).blocks
    ]


def test_what_needs_a_shell_says_so() -> None:
    """Lines with variables of a shell are shown, and never run."""
    assert "needs a shell" in exported("ShopPodNotReady").blocks[0].why_not


@pytest.mark.parametrize(
    ("name", "alert"),
    [
        ("alerts-in-one-file", "ShopOrdersRejected"),
        ("alerts-in-one-file", "ShopStockStale"),
        ("ShopPodNotReady", "ShopPodNotReady"),
        ("labels", "ShopDiskFilling"),
    ],
)
def test_it_is_found_by_the_alert_it_is_headed_by(name: str, alert: str) -> None:
    """Nobody has to write front matter."""
    shelf = read_shelf(EXPORTS)
    (first, *_) = match_runbooks(tuple(shelf.runbooks.values()), Seen(alerts=(alert,)))

    assert name.lower() == first.runbook


def test_variables_of_prometheus_are_ours() -> None:
    """With a dollar and without, of one alert and of a group."""
    assert ("instance", "mountpoint", "pod") == variables_of(
        "{{ $labels.instance }} {{ .Labels.mountpoint }} {{- .CommonLabels.pod -}}"
    )


def test_what_is_escaped_in_a_page_is_plain_in_the_block() -> None:
    """A query with `<` and `>` in it is the query that somebody wrote."""
    text = '<pre class="language-sql">\nSELECT 1 FROM a WHERE b &gt; 1 AND c &lt;&gt; &quot;d&quot;\n</pre>\n'
    (block,) = read_runbook(f"<h2>Checks</h2>\n{text}", id="one").blocks

    assert 'SELECT 1 FROM a WHERE b > 1 AND c <> "d"' == block.text


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.md")), ids=lambda path: path.stem)
def test_every_line_stays_on_its_line(path: Path) -> None:
    """So that a complaint names the line of the file that somebody has before them."""
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) == len(as_markdown(text).splitlines())


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.md")), ids=lambda path: path.stem)
def test_no_markup_is_left_in_the_sections(path: Path) -> None:
    """What is shown on a page is words."""
    runbook = exported(path.stem)

    assert [] == [section.text for section in runbook.sections if "<p>" in section.text or "</" in section.text]


def test_markdown_stays_as_it_is() -> None:
    """A runbook of our own is not touched, whatever its blocks hold."""
    text = "# A\n\n## Checks\n```sh\necho '<b>' | grep '#x'\n```\n\nIf a < b and <c> then\n"

    assert text == as_markdown(text)
