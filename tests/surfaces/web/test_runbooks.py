"""The pages of runbooks without a script."""

import httpx2
import pytest

from tests.surfaces.web.story import Story
from tests.surfaces.web.test_pages import post


def test_the_list_is_narrowed_by_words(client: httpx2.Client) -> None:
    """By the name or the title."""
    page = client.get("/runbooks?text=redis").text

    assert (True, False) == ("Redis: memory full" in page, "Disk full" in page)


def test_a_runbook_is_shown(client: httpx2.Client) -> None:
    """With its sections, and what can be run in it."""
    page = client.get("/runbooks/disk-full").text

    assert all(words in page for words in ("Disk full", "Symptoms", "df -h", "changes something, risk low"))


def test_for_an_incident_it_is_filled_in(client: httpx2.Client, story: Story) -> None:
    """And its checks and changes can be pressed."""
    story.declare()
    page = client.get("/runbooks/traffic-spike?incident=1").text

    assert ("service=&#34;checkout&#34;" in page, "/do/runbook/check" in page) == (True, True)


def test_a_check_is_run_and_comes_back(client: httpx2.Client, story: Story) -> None:
    """No system is configured here, and that is what the page says."""
    story.declare()
    here = "/runbooks/traffic-spike?incident=1"
    answer = post(client, "/do/runbook/check", incident=1, runbook="traffic-spike", block=2, back=here)

    assert (303, True) == (answer.status_code, "no system of the kind prometheus" in client.get(here).text)


@pytest.mark.parametrize(("path", "status"), [("/runbooks/none", 404), ("/runbooks?incident=x", 400)])
def test_what_is_not_there(client: httpx2.Client, path: str, status: int) -> None:
    """The page says so, and nothing breaks."""
    assert status == client.get(path).status_code
