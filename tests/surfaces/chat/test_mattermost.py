"""Mattermost asks: commands by their token, buttons by their proof, messages by their link."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from stanch.app.chat import chat_desk
from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import keep_place
from stanch.incidents.state import ActionState
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.mattermost import MattermostChannel
from stanch.integrations.mattermost.chat import MattermostChat
from stanch.kernel.clock import ManualClock
from stanch.ports.channel import Button, ChannelSettings, Message
from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.chat.routes import Chats
from tests.integrations.channels.cases import MattermostServer, message
from tests.integrations.pagers.far import SECRET, Answer, Got, far_end
from tests.operations.desk import PLAN, START, Desk
from tests.support.servers import until
from tests.surfaces.serving import PATIENT_S, serving

COMMAND = "token-of-the-command"
MARKED = "a" * 26
ELSEWHERE = "b" * 26


class Chat(MattermostServer):
    """A server with two messages whose links somebody may copy: one in the incident's room, one in another."""

    def __call__(self, got: Got, count: int) -> Answer:
        """Show one of them, or answer any other call."""
        id = got.path.rpartition("/")[2]
        if got.method == "GET" and id in (MARKED, ELSEWHERE):
            room = "room1" if id == MARKED else "room2"
            at = int(START.timestamp() * 1000) - 60_000
            return Answer(
                200, {"id": id, "channel_id": room, "user_id": "ubob", "message": "pool is full", "create_at": at}
            )
        return super().__call__(got, count)


@dataclass
class Mattermost:
    """The server, in front of the routes that ours has; `buttons` are those of the message that was posted."""

    http: httpx2.Client
    server: Chat
    buttons: list[dict[str, object]]

    def command(self, text: str, *, token: str = COMMAND) -> httpx2.Response:
        """Type `/incident text` in the incident's room."""
        form = {"token": token, "command": "/incident", "text": text, "user_id": "ualice", "channel_id": "room1"}
        kind = "application/x-www-form-urlencoded"
        return self.http.post("/chat/ops", content=urlencode(form), headers={"content-type": kind})

    def press(self, label: str, *, user: str = "ualice", **changed: str) -> httpx2.Response:
        """Press a button as the server tells of it, with other words in its context where some are given."""
        (button,) = (one for one in self.buttons if one["name"] == label)
        integration = button["integration"]
        assert isinstance(integration, dict)
        body = {
            "user_id": user,
            "channel_id": "room1",
            "post_id": "post1",
            "type": "",
            "context": {**integration["context"], **changed},
        }
        return self.http.post("/chat/ops", json=body)


def shown(digest: str) -> Message:
    """Return a message with buttons."""
    made = message("1/update/1")
    assert made.case is not None
    buttons = (
        Button(label="Acknowledge", verb="ack", value="INC-1", primary=True),
        Button(label="Approve", verb="approve", value=f"{PLAN} {digest} -i INC-1"),
        Button(label="I am commander", verb="assign", value="commander me -i INC-1"),
        Button(label="Catch up", verb="catchup", value="INC-1"),
        Button(label="Open", url="https://stanch.example/i/1"),
    )
    return replace(made, case=replace(made.case, buttons=buttons))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with one diagnosed incident in a room of Mattermost's, and people who are known there."""
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=(IncidentProjector(),))
    made = Desk.open(store, clock)
    catalog = made.world.catalog
    people = {name: replace(one, chat={"mattermost": f"u{name}"}) for name, one in catalog.people.items()}
    ops = ChannelSpec(name="ops", kind="mattermost", rooms=True, secret_env="X", signing_env="Y", audiences=())
    catalog = replace(catalog, people=people, channels={**catalog.channels, "ops": ops})
    made = replace(made, world=replace(made.world, catalog=catalog))
    made.declare(severity="SEV2", reason="a test")
    made.diagnose(1)
    with made.world.store.writing() as tx:
        keep_place(tx.connection, channel="ops", incident=1, place="room1")
    yield made
    store.close()


@pytest.fixture
def mattermost(desk: Desk) -> Iterator[Mattermost]:
    """Give Mattermost, with a message that has buttons."""
    server = Chat()
    with far_end(server) as far:
        chat = MattermostChat(name="ops", secret=f"{COMMAND} the-next-token", token=SECRET, url=far.url)
        front = Front.of(desk.world)
        chats = Chats(chat_desk(desk.world), {"ops": chat})
        app = application(front, routes=chats.routes(), checks_itself=chats.answers)
        with closing(chat), serving(app, front) as url, httpx2.Client(base_url=url, timeout=PATIENT_S) as http:
            settings = ChannelSettings(
                name="ops",
                kind="mattermost",
                url=far.url,
                account="team1",
                secret=SECRET,
                rooms=True,
                pressed_at=f"{url}/chat/ops",
                proof=COMMAND,
            )
            with closing(MattermostChannel(settings)) as channel:
                channel.post(shown(desk.state(1).actions[PLAN].plan.digest))
            [attachment] = server.posts["post1"]["props"]["attachments"]  # type: ignore[index]
            yield Mattermost(http, server, attachment["actions"])


def test_a_command_is_answered(mattermost: Mattermost, desk: Desk) -> None:
    """As in the terminal, to the room."""
    said = mattermost.command("ack").json()

    assert ("in_channel", True, "alice") == (
        said["response_type"],
        "INC-1 acknowledged by Alice" in said["text"],
        getattr(desk.state(1).acknowledged_by, "id", ""),
    )


def test_a_forged_command_is_refused(mattermost: Mattermost) -> None:
    """Another token is none of ours."""
    assert 403 == mattermost.command("ack", token="guessed").status_code


def test_what_acts_is_a_button_and_what_links_is_none(mattermost: Mattermost) -> None:
    """Their ids have letters and digits alone, else the server drops what is pressed; the token stands nowhere."""
    found = [(one["id"], one["name"], one["type"]) for one in mattermost.buttons]

    assert (
        [
            ("stanch0", "Acknowledge", "button"),
            ("stanch1", "Approve", "button"),
            ("stanch2", "I am commander", "button"),
            ("stanch3", "Catch up", "button"),
        ],
        False,
    ) == (found, COMMAND in str(mattermost.server.posts))


def test_a_button_acknowledges(mattermost: Mattermost, desk: Desk) -> None:
    """By whom pressed it, and the room reads it."""
    status = mattermost.press("Acknowledge", user="ubob").status_code
    until(lambda: "post2" in mattermost.server.shown)

    assert (200, "bob", True) == (
        status,
        getattr(desk.state(1).acknowledged_by, "id", ""),
        "INC-1 acknowledged by Bob" in mattermost.server.shown["post2"],
    )


def test_a_button_approves_what_it_showed(mattermost: Mattermost, desk: Desk) -> None:
    """The yes is the person's, and to that plan."""
    mattermost.press("Approve")
    action = desk.state(1).actions[PLAN]

    assert (ActionState.APPROVED, "alice") == (action.state, action.approvals[0].person.id)


def test_a_button_assigns(mattermost: Mattermost, desk: Desk) -> None:
    """Whoever presses it is commander."""
    mattermost.press("I am commander", user="ubob")

    assert ["bob"] == list(desk.state(1).roles.values())


def test_what_is_for_one_is_shown_to_one(mattermost: Mattermost) -> None:
    """Who catches up reads it alone; nothing is posted."""
    said = mattermost.press("Catch up").json()

    assert (True, 1) == ("Who does what" in said["ephemeral_text"], len(mattermost.server.posts))


def test_who_is_not_known_approves_nothing(mattermost: Mattermost, desk: Desk) -> None:
    """A guest can press it too, and is told who may."""
    said = mattermost.press("Approve", user="uguest").json()

    assert (True, ActionState.PROPOSED) == (
        "I do not know who you are" in said["ephemeral_text"],
        desk.state(1).actions[PLAN].state,
    )


@pytest.mark.parametrize("changed", [{"asks": "resolve -i INC-1"}, {"proof": "0" * 64}, {"proof": ""}])
def test_a_forged_button_is_refused(mattermost: Mattermost, changed: dict[str, str]) -> None:
    """The proof is of these very words: who posts a button of their own has none."""
    assert 403 == mattermost.press("Acknowledge", **changed).status_code


def test_a_message_enters_the_log_by_its_link(mattermost: Mattermost, desk: Desk) -> None:
    """With its author, its link and when it was written; a second time changes nothing."""
    link = f"https://chat.example/team/pl/{MARKED}"
    answers = [mattermost.command(f"log {link}").json()["text"] for _ in range(2)]
    last = desk.log(1)[-1]

    assert (f"Bob in chat: pool is full ({link})", START.timestamp() - 60, True) == (
        last.data["text"],
        last.at.timestamp(),
        "already" in answers[1],
    )


def test_a_message_of_another_room_is_not_read(mattermost: Mattermost, desk: Desk) -> None:
    """The bot may read more than who asks."""
    said = mattermost.command(f"log https://chat.example/team/pl/{ELSEWHERE}").json()["text"]

    assert (True, 0) == ("no message of this room" in said, desk.kinds(1).count("incident.note_added"))


def test_an_edit_takes_buttons_away() -> None:
    """What was acknowledged can not be acknowledged again: the properties are replaced as a whole."""
    changed = replace(message("1/facts/2"), edits="post1")
    assert changed.case is not None
    with far_end(MattermostServer()) as far:
        settings = ChannelSettings(
            name="ops", kind="mattermost", url=far.url, target="room1", secret=SECRET, pressed_at="x", proof=COMMAND
        )
        with closing(MattermostChannel(settings)) as channel:
            channel.post(replace(changed, case=replace(changed.case, buttons=())))
        patched = next(got.json for got in far.got if got.method == "PUT")

    assert {"stanch_id": "1/facts/2"} == patched["props"]
