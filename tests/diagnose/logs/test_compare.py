"""Two windows are compared against the service's own volume."""

import pytest

from stanch.diagnose.logs.compare import ChangeKind, Window, compare, g_statistic

USUAL = {"served <*>": 900, "cache miss <*>": 100, "flush": 10}


def window(counts: dict[str, int], *, seconds: float = 600) -> Window:
    """Build a window of ten minutes."""
    return Window(counts=counts, seconds=seconds)


@pytest.mark.parametrize(
    ("after", "template", "kind"),
    [
        ({**USUAL, "no such table <*>": 20}, "no such table <*>", ChangeKind.NEW),
        ({"served <*>": 900, "flush": 10}, "cache miss <*>", ChangeKind.VANISHED),
        ({**USUAL, "flush": 80}, "flush", ChangeKind.SPIKING),
        ({**USUAL, "cache miss <*>": 20}, "cache miss <*>", ChangeKind.FADING),
    ],
)
def test_a_change_of_kind_is_found(after: dict[str, int], template: str, kind: ChangeKind) -> None:
    """New, vanished, spiking and fading templates are named as such, and nothing else is."""
    changes = compare(window(USUAL), window(after))

    assert [(template, kind)] == [(change.template, change.kind) for change in changes]


def test_more_load_is_no_change() -> None:
    """A service that logs five times as much of everything has not changed its kinds of lines."""
    assert [] == compare(window(USUAL), window({name: 5 * count for name, count in USUAL.items()}))


def test_a_rare_line_is_no_change() -> None:
    """One line of a kind not seen before is not sure enough to report."""
    assert [] == compare(window(USUAL), window({**USUAL, "rotated": 1}))


def test_silence_is_a_change() -> None:
    """Where a service falls silent, its frequent templates have vanished."""
    changes = compare(window(USUAL), window({}))

    assert ["served <*>", "cache miss <*>", "flush"] == [change.template for change in changes]


def test_the_statistic_is_the_documented_one() -> None:
    """The worked value in the module's text holds: 0 of 1,000 against 10 of 1,000 gives 13.9."""
    assert 13.9 == pytest.approx(g_statistic(0, 10, 1_000, 1_000), abs=0.05)
