"""What was missing, on the page of an incident that is over: what says so, and one press for an action item."""

import httpx2

from tests.surfaces.web.story import Story
from tests.surfaces.web.test_comms import text_of

GAP = "An alert about checkout pages nobody: there is no escalation policy for it"


def over(story: Story, client: httpx2.Client) -> None:
    """Let the incident of the story be resolved, whatever was verified."""
    story.declare()
    body = {"incident": "1", "force_reason": "a test", "back": "/i/1"}
    client.post("/do/incident/resolve", data=body, headers={"origin": str(client.base_url).rstrip("/")})


def press(client: httpx2.Client) -> None:
    """Make what was missing an action item, as the button does."""
    body = {"incident": "1", "title": "Give checkout an escalation policy", "purpose": "prevent", "back": "/i/1"}
    client.post("/do/item/add", data=body, headers={"origin": str(client.base_url).rstrip("/")})


def test_while_people_work_on_it_nothing_is_proposed(client: httpx2.Client, story: Story) -> None:
    """What is for afterwards stands in nobody's way."""
    story.declare()

    assert 'id="prevent"' not in client.get("/i/1").text


def test_what_was_missing_is_said_with_its_source(client: httpx2.Client, story: Story) -> None:
    """The configuration's table that lacks it stands beside it."""
    over(story, client)
    shown = text_of(client.get("/i/1"))

    assert f"{GAP} . Source: configuration: services.checkout.policy, oncall.policy" in shown


def test_one_press_makes_it_an_action_item(client: httpx2.Client, story: Story) -> None:
    """Then the item stands there, and no button for another."""
    over(story, client)
    before = client.get("/i/1").text.count('value="Give checkout an escalation policy"')
    press(client)
    after = client.get("/i/1")

    assert (1, 0, True) == (
        before,
        after.text.count('value="Give checkout an escalation policy"'),
        "Action item 1 says so." in text_of(after),
    )
