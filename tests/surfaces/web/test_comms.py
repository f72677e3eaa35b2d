"""The pages of what is told, without a script: the draft with who gets it, sending it, who was told, catching up."""

import re
from html import unescape

import httpx2

from stanch.catalog.channels import ChannelSpec
from tests.surfaces.web.story import Story


def text_of(response: httpx2.Response) -> str:
    """Return the words of a page, with runs of blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def with_room(story: Story) -> None:
    """Let responders and the public be told."""
    channels = story.world.catalog.channels
    channels["room"] = ChannelSpec(name="room", kind="file", target="rooms", audiences=("responders", "public"))


def test_the_draft_shows_who_gets_it(client: httpx2.Client, story: Story) -> None:
    """Everybody who would be told stands there with the words that they would read."""
    with_room(story)
    story.declare()
    shown = text_of(client.get("/i/1/messages", params={"text": "The rollback runs.", "public_text": "A fix is due."}))
    facts = ("responders room", "public room", "The rollback runs.", "A fix is due.", "Send to 2 recipients")

    assert [] == [fact for fact in facts if fact not in shown]


def test_a_draft_can_be_for_some(client: httpx2.Client, story: Story) -> None:
    """Chosen audiences alone are told, and the button says how many."""
    with_room(story)
    story.declare()

    assert "Send to 1 recipient " in text_of(client.get("/i/1/messages", params={"audiences": "public"}))


def test_what_was_written_is_sent(client: httpx2.Client, story: Story) -> None:
    """The form sends what the draft shows, and the page says that it is on its way."""
    with_room(story)
    story.declare()
    fields = {"incident": "1", "text": "The rollback runs.", "back": "/i/1/messages"}
    origin = {"origin": str(client.base_url).rstrip("/")}
    answer = client.post("/do/comms/send", data=fields, headers=origin)
    shown = text_of(client.get("/i/1/messages"))

    assert (303, True, True) == (
        answer.status_code,
        "on its way update responders room" in shown,
        "The rollback runs." in shown,
    )


def test_who_joins_late_catches_up(client: httpx2.Client, story: Story) -> None:
    """State, decisions, what is open and who does what stand on one page."""
    story.declare()
    story.investigate()
    shown = text_of(client.get("/i/1/catchup"))
    facts = ("SEV2", "Last decisions", "Open", "Who does what now", "Incident commander")

    assert [] == [fact for fact in facts if fact not in shown]


def test_words_from_outside_stay_words(client: httpx2.Client, story: Story) -> None:
    """A draft shows markup as it was typed."""
    with_room(story)
    story.declare()
    page = client.get("/i/1/messages", params={"text": "<script>alert(1)</script>"})

    assert "<script>alert" not in page.text
