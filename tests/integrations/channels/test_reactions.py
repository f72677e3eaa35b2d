"""Reactions to our messages in Matrix stand for buttons: which are believed, and what they ask."""

from typing import Final

import pytest

from stanch.integrations.matrix import pressing
from stanch.kernel.event import JSON
from stanch.ports.channel import Button

ME: Final = "@stanch:example.org"
APPROVE: Final = "approve rollback 0123456789 -i INC-1"
BUTTONS: Final = (
    Button(label="Acknowledge", verb="ack", value="INC-1", primary=True),
    Button(label="Approve: Roll back", verb="approve", value="rollback 0123456789 -i INC-1"),
    Button(label="Open", url="https://stanch.example/i/1"),
)
AT: Final = 1_000_000.0


def written(*, sender: str = ME, edited_by: str = "", edited_ms: float = 0.0) -> dict[str, JSON]:
    """Return a message with those buttons, perhaps one that an edit put there."""
    content: dict[str, JSON] = {"body": "words", pressing.KEY: dict(pressing.content(BUTTONS))}
    if not edited_by:
        return {"sender": sender, "content": content}
    edit: dict[str, JSON] = {
        "sender": edited_by,
        "origin_server_ts": edited_ms,
        "content": {"m.new_content": content},
    }
    return {
        "sender": sender,
        "content": {"body": "before"},
        "unsigned": {"m.relations": {"m.replace": edit}},
    }


def test_the_message_says_what_a_reaction_does() -> None:
    """A link is none."""
    assert "React with 👀 Acknowledge · ✅ Approve: Roll back · 📌 on a message puts it into the log" == pressing.line(
        BUTTONS
    )


def test_without_buttons_nothing_is_said() -> None:
    """Where nothing can be done, no line."""
    assert "" == pressing.line(BUTTONS[2:])


@pytest.mark.parametrize(
    ("reaction", "asks"),
    [("👀", "ack INC-1"), ("✅", APPROVE), ("✅\ufe0f", APPROVE), ("🙋🏽", ""), ("👍", ""), ("", "")],
)
def test_a_reaction_asks_what_the_message_says(reaction: str, asks: str) -> None:
    """Whatever the message does not name does nothing."""
    assert asks == pressing.asked_by(reaction, written(), me=ME, reacted_ms=AT)


@pytest.mark.parametrize(
    "message",
    [
        written(sender="@mallory:example.org"),
        written(sender="@mallory:example.org", edited_by="@mallory:example.org"),
        written(edited_by="@mallory:example.org"),
    ],
)
def test_what_others_wrote_is_not_believed(message: dict[str, JSON]) -> None:
    """Anybody can write such a message, and have people react to it."""
    assert "" == pressing.asked_by("✅", message, me=ME, reacted_ms=AT)


@pytest.mark.parametrize(("edited_ms", "asks"), [(AT - 10_000, APPROVE), (AT - 9_999, "approve rollback -i INC-1")])
def test_a_plan_that_may_not_have_been_on_the_screen_is_shown(edited_ms: float, asks: str) -> None:
    """Within ten seconds of an edit the yes has no digest, and so shows the plan."""
    message = written(edited_by=ME, edited_ms=edited_ms)

    assert asks == pressing.asked_by("✅", message, me=ME, reacted_ms=AT)
