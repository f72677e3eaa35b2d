"""The page of figures, without a script: how long it took, by what, with a bar beside each number; and as CSV."""

import httpx2
import pytest

from tests.surfaces.web.story import Story
from tests.surfaces.web.test_comms import text_of


def resolved(story: Story) -> None:
    """Let the one incident of the story be declared and investigated."""
    story.declare()
    story.investigate()


def test_the_page_says_how_long_it_took(client: httpx2.Client, story: Story) -> None:
    """The story is a drill, so that it counts only when drills do; 40 s and 2 s for saying so went by."""
    resolved(story)
    shown = text_of(client.get("/figures", params={"drills": "1"}))

    assert (True, True) == ("payments 1" in shown, "42s, 90 % within 42s" in shown)


def test_every_number_has_a_bar_and_every_figure_its_definition(client: httpx2.Client, story: Story) -> None:
    """What is drawn is also said in words."""
    resolved(story)
    page = client.get("/figures", params={"drills": "1", "by": "severity"})

    assert (True, True) == ('aria-label="Detected after 42s' in page.text, "from the estimated start" in page.text)


def test_drills_are_left_out_and_told(client: httpx2.Client, story: Story) -> None:
    """A page without incidents says so, and why."""
    resolved(story)
    shown = text_of(client.get("/figures"))

    assert (True, True) == ("No incident in that time." in shown, "1 drill is left out." in shown)


def test_the_file_is_csv(client: httpx2.Client, story: Story) -> None:
    """It comes as a file with a name that says what is in it."""
    resolved(story)
    answer = client.get("/figures.csv", params={"by": "month", "drills": "1"})

    assert (True, "text/csv; charset=utf-8", ["group", "2026-03", "all"]) == (
        "figures-by-month" in answer.headers["content-disposition"],
        answer.headers["content-type"],
        [line.split(",")[0] for line in answer.text.splitlines()],
    )


@pytest.mark.parametrize("said", [{"by": "colour"}, {"days": "8"}])
def test_what_there_is_not_is_refused(client: httpx2.Client, said: dict[str, str]) -> None:
    """The page says that the address is wrong, and does not show something else."""
    assert 400 == client.get("/figures", params=said).status_code
