"""How values are written on a page."""

from datetime import UTC, datetime, timedelta

import pytest

from stanch.operations.views import SeriesView
from stanch.review.rendering import as_html
from stanch.surfaces.web import chart, words

AT = datetime(2026, 3, 1, 14, 30, 5, tzinfo=UTC)


def test_a_time_carries_its_instant() -> None:
    """A time is machine-readable, and says its zone and its date without a script."""
    title = "2026-03-01 14:30:05 UTC"
    expected = f'<time datetime="2026-03-01T14:30:05.000Z" data-style="clock" title="{title}">14:30:05 UTC</time>'

    assert expected == words.when(AT)


def test_a_time_ago_is_counted_from_now() -> None:
    """The style `both` says how long ago and when."""
    assert ">4m ago · 14:30:05 UTC</time>" in words.when(AT, "both", now=AT + timedelta(minutes=4))


def test_a_running_clock_says_since_when() -> None:
    """A clock that runs carries its start, so that the page moves it on."""
    assert 'data-since="2026-03-01T14:30:05.000Z">1m 30s<' in words.lasting(AT, None, now=AT + timedelta(seconds=90))


def test_an_ended_clock_stands_still() -> None:
    """A clock with an end is text alone."""
    assert '<span class="lasting">1m</span>' == words.lasting(AT, AT + timedelta(minutes=1), now=AT + timedelta(days=1))


@pytest.mark.parametrize(("seconds", "said"), [(90, "in 1m 30s"), (-90, "1m 30s over")])
def test_a_due_time_counts_down_and_over(seconds: int, said: str) -> None:
    """What is due says how long is left, then since when it is over."""
    assert f">{said}<" in words.remaining(AT + timedelta(seconds=seconds), now=AT)


def test_a_command_can_be_pasted() -> None:
    """An argument list is quoted as a shell reads it."""
    assert "run 'a b' 'it'\"'\"'s' '$HOME'" == words.command(("run", "a b", "it's", "$HOME"))


def test_a_command_hides_nothing() -> None:
    """Characters that reorder or hide text are written out."""
    assert r"rm '\u202e/\u200bsafe\x1b[2K'" == words.command(("rm", "\u202e/\u200bsafe\x1b[2K"))


def test_lines_stay_lines() -> None:
    """Tabs and line feeds of an output are kept."""
    assert "a\n\tb" == words.exact("a\n\tb")


def series(*values: float, marks: tuple[tuple[float, str], ...] = ()) -> SeriesView:
    """Return a series with one point a second from 1000."""
    points = tuple((1000.0 + index, value) for index, value in enumerate(values))
    return SeriesView(service="checkout", metric="error_ratio", unit="ratio", points=points, normal=0.002, marks=marks)


def test_a_chart_is_described_in_words() -> None:
    """A drawing says what it shows to those who do not see it."""
    assert "checkout error rate: now 20 %, highest 45 %, normal 0.2 %" in chart.chart(series(0.0, 0.45, 0.2))


def test_a_chart_escapes_what_it_marks() -> None:
    """The text of a mark is no markup."""
    assert "<b>" not in chart.chart(series(0.0, 0.5, 0.2, marks=((1001.0, "<b>roll back</b>"),)))


def test_marks_outside_the_window_are_left_out() -> None:
    """Only what happened while the series was measured is marked."""
    assert ["in"] == [text for _, _, text in chart.legend_of(series(0, 1, 0, marks=((1.0, "out"), (1001.0, "in"))))]


def test_one_point_is_no_line() -> None:
    """A series of one point is not drawn."""
    assert "" == chart.chart(series(0.5))


def test_a_flat_series_of_nothing_is_drawn() -> None:
    """A series of zeros divides by nothing."""
    assert "polyline" in chart.chart(series(0.0, 0.0, 0.0))


def test_a_long_series_keeps_its_spike() -> None:
    """Thinning never loses the highest point."""
    values = [0.0] * 3_001
    values[1_777] = 1.0
    drawn = chart.chart(series(*values))

    assert (True, True) == (",7.4" in drawn, drawn.count(",") < 1_200)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("# A *b*", "<h1>A <em>b</em></h1>\n"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[e](#e-4)", '<p><a href="#e-4" rel="noopener noreferrer">e</a></p>\n'),
        ("![i](http://elsewhere/x.png)", "<p></p>\n"),
    ],
)
def test_markdown_can_do_no_harm(text: str, rendered: str) -> None:
    """Markdown becomes HTML without scripts, images or foreign schemes."""
    assert rendered.strip() in as_html(text)
