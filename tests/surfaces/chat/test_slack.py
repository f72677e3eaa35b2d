"""Slack asks: commands, buttons and marked messages, signed, by people who are known, answered as in the terminal."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import func, select

from stanch.app.chat import chat_desk
from stanch.app.listening import LeftOver
from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import asks, keep_place
from stanch.incidents.state import ActionState
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.slack.chat import SlackChat
from stanch.integrations.slack.signing import verify
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Forbidden
from stanch.ports.chat import Asked, AskedBy
from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.chat.asks import Asks
from stanch.surfaces.chat.routes import Chats
from tests.integrations.channels.cases import Workspace
from tests.integrations.pagers.far import SECRET, Answer, Far, Got, far_end
from tests.operations.desk import PLAN, START, Desk
from tests.support.servers import until
from tests.surfaces.serving import PATIENT_S, serving

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
_PRESSES = itertools.count(1)
ROOM = "C042"


class Slack(Workspace):
    """A workspace with one message that somebody may mark, and an address that answers go to."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, object]] = []

    def __call__(self, got: Got, count: int) -> Answer:
        """Take an answer, or answer a method."""
        if got.path == "/response":
            self.said.append(got.json)
            return Answer(200, {"ok": True})
        return super().__call__(got, count)

    def answer(self, method: str, asked: dict[str, object]) -> dict[str, object]:
        """Return what Slack says to one method."""
        if method == "conversations.history":
            return {"ok": True, "messages": [{"text": "pool is full &gt; 90 %", "user": "UBOB", "ts": asked["latest"]}]}
        if method == "chat.getPermalink":
            return {
                "ok": True,
                "permalink": f"https://acme.slack.com/archives/{asked['channel']}/p{asked['message_ts']}",
            }
        if method == "chat.postEphemeral":
            self.said.append(asked)
            return {"ok": True}
        return super().answer(method, asked)


class Client:
    """Slack's side: signs what it posts."""

    def __init__(self, http: httpx2.Client, clock: ManualClock, far: Far) -> None:
        self.http = http
        self.clock = clock
        self.far = far

    def post(self, body: str, *, age_s: int = 0, secret: str = SIGNING, json_body: bool = False) -> httpx2.Response:
        """Post a body as Slack does."""
        stamp = str(int(self.clock.now().timestamp()) - age_s)
        digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        kind = "application/json" if json_body else "application/x-www-form-urlencoded"
        headers = {
            "content-type": kind,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={digest}",
        }
        return self.http.post("/chat/ops", content=body.encode(), headers=headers)

    def command(self, text: str, *, user: str = "UALICE", place: str = ROOM) -> dict[str, str]:
        """Type `/incident text` and return what is answered."""
        form = {"command": "/incident", "text": text, "user_id": user, "channel_id": place}
        answer: dict[str, str] = self.post(urlencode(form)).json()
        return answer

    def press(self, action: str, value: str, *, user: str = "UALICE", trigger: str = "") -> None:
        """Press a button, or tell of a press again."""
        payload = {
            "type": "block_actions",
            "trigger_id": trigger or f"t-{next(_PRESSES)}",
            "user": {"id": user},
            "channel": {"id": ROOM},
            "response_url": f"{self.far.url}/response",
            "actions": [{"action_id": action, "value": value, "type": "button"}],
        }
        assert self.post(urlencode({"payload": json.dumps(payload)})).status_code == 200


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with one incident that stands in a room of Slack's, and people who are known there."""
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=(IncidentProjector(),))
    made = Desk.open(store, clock)
    catalog = made.world.catalog
    people = {name: replace(one, chat={"slack": f"U{name.upper()}"}) for name, one in catalog.people.items()}
    ops = ChannelSpec(name="ops", kind="slack", rooms=True, secret_env="X", signing_env="Y", audiences=())
    with_slack = replace(catalog, people=people, channels={**catalog.channels, "ops": ops})
    made = replace(made, world=replace(made.world, catalog=with_slack))
    made.declare(severity="SEV2", reason="a test")
    with made.world.store.writing() as tx:
        keep_place(tx.connection, channel="ops", incident=1, place=ROOM)
    yield made
    store.close()


@pytest.fixture
def workspace() -> Slack:
    """Give the workspace."""
    return Slack()


@pytest.fixture
def slack(desk: Desk, workspace: Slack) -> Iterator[Client]:
    """Give Slack, in front of the routes that a server has."""
    with far_end(workspace) as far:
        chat = SlackChat(name="ops", token=SECRET, secret=SIGNING, url=far.url)
        chats = Chats(chat_desk(desk.world), {"ops": chat})
        front = Front.of(desk.world)
        app = application(front, routes=chats.routes(), checks_itself=chats.answers)
        with serving(app, front) as url, httpx2.Client(base_url=url, timeout=PATIENT_S) as http:
            yield Client(http, desk.clock, far)
        chat.close()


def test_the_signature_of_the_documentation_is_ours() -> None:
    """Slack's own example of a signed command."""
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }

    verify(body.encode(), headers, secret=SIGNING, now=datetime.fromtimestamp(1531420620, UTC))


@pytest.mark.parametrize("late", [301, -301])
def test_an_old_request_is_refused(late: int) -> None:
    """Five minutes either way; what is replayed later does nothing."""
    now = datetime.fromtimestamp(1_800_000_000, UTC)
    stamp = str(1_800_000_000 - late)
    digest = hmac.new(SIGNING.encode(), f"v0:{stamp}:x".encode(), hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}
    with pytest.raises(Forbidden) as refusal:
        verify(b"x", headers, secret=SIGNING, now=now)

    assert "too_old" == refusal.value.reason


def test_a_forged_command_is_refused(slack: Client, desk: Desk) -> None:
    """Signed with another secret, nothing happens."""
    form = urlencode({"command": "/incident", "text": "ack", "user_id": "UALICE", "channel_id": ROOM})
    answer = slack.post(form, secret="guessed")

    assert (403, None) == (answer.status_code, desk.state(1).acknowledged_at)


def test_without_a_secret_nobody_is_believed() -> None:
    """A secret that was not set is no empty one."""
    with pytest.raises(Forbidden):
        verify(b"x", {}, secret="", now=START)


def test_who_is_not_known_is_refused(slack: Client, desk: Desk) -> None:
    """A guest of the workspace is no person of the configuration, and is told how one becomes one."""
    said = slack.command("ack", user="UGUEST")

    assert ("ephemeral", True, None) == (
        said["response_type"],
        'slack = "UGUEST"' in said["text"],
        desk.state(1).acknowledged_at,
    )


def test_the_room_says_which_incident_is_meant(slack: Client, desk: Desk) -> None:
    """In an incident's room its name need not be typed."""
    desk.declare("Search is slow", services=["search"])
    said = slack.command("ack")

    assert (True, "alice") == (
        "INC-1 acknowledged by Alice: Checkout fails" in said["text"],
        getattr(desk.state(1).acknowledged_by, "id", ""),
    )


def test_elsewhere_several_incidents_have_to_be_told_apart(slack: Client, desk: Desk) -> None:
    """Nothing is guessed."""
    desk.declare("Search is slow", services=["search"])

    assert "INC-1, INC-2" in slack.command("ack", place="C1")["text"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Checkout fails"),
        ("list", "INC-1  SEV2  detected  Checkout fails"),
        ("show INC-1", "Severity  "),
        ("catchup", "Who does what"),
        ("timeline", "SEV2 declared: Checkout fails"),
        ("note payments pool looks full", "INC-1 noted: Checkout fails"),
        ("assign commander bob", "INC-1 assigned: Checkout fails"),
        ("assign scribe me", "INC-1 assigned: Checkout fails"),
        ("handover commander bob the rollback runs", "Incident commander: bob"),
        ("severity SEV1 payments are lost", "INC-1 is SEV1: Checkout fails"),
        ("update We roll back.", "INC-1 sent to 2 recipients"),
        ("told", "declaration"),
        ("declare 500 errors on /api/cart", "INC-2"),
        ("resolve a bad deploy", "not verified"),
        ("approve", "no plan is proposed"),
        ("help", "ack [INC-1]"),
        ("akc", "did you mean ack?"),
        ('note "unfinished', "cannot read it"),
    ],
)
def test_the_verbs_work(slack: Client, typed: str, words: str) -> None:
    """Each does what the terminal does, and answers with its words."""
    assert words in slack.command(typed)["text"]


def test_what_is_done_in_chat_is_recorded_as_done_there(slack: Client, desk: Desk) -> None:
    """The log says who, and that it was in chat."""
    slack.command("note it's the pool", user="UBOB")
    last = desk.log(1)[-1]

    assert ("bob", "chat", "it's the pool") == (last.actor.id, last.via.value, last.data["text"])


def test_a_button_acknowledges(slack: Client, desk: Desk, workspace: Slack) -> None:
    """Pressed by whom is on record, and the room is told."""
    slack.press("stanch/ack", "INC-1", user="UBOB")
    until(lambda: bool(workspace.said))

    assert ("bob", "in_channel") == (
        getattr(desk.state(1).acknowledged_by, "id", ""),
        workspace.said[0]["response_type"],
    )


def test_a_button_assigns(slack: Client, desk: Desk, workspace: Slack) -> None:
    """Whoever presses it is commander."""
    slack.press("stanch/assign", "commander me -i INC-1", user="UBOB")
    until(lambda: bool(workspace.said))

    assert ["bob"] == list(desk.state(1).roles.values())


def test_a_button_approves_what_it_showed(slack: Client, desk: Desk, workspace: Slack) -> None:
    """The approval is bound to the plan's digest, and is the person's."""
    desk.diagnose(1)
    digest = desk.state(1).actions[PLAN].plan.digest
    slack.press("stanch/approve", f"{PLAN} {digest} -i INC-1")
    until(lambda: bool(workspace.said))
    action = desk.state(1).actions[PLAN]

    assert (ActionState.APPROVED, "alice") == (action.state, action.approvals[0].person.id)


def test_a_button_of_an_older_plan_approves_nothing(slack: Client, desk: Desk, workspace: Slack) -> None:
    """What was shown is not what would run."""
    desk.diagnose(1)
    slack.press("stanch/approve", f"{PLAN} 0123456789abcdef -i INC-1")
    until(lambda: bool(workspace.said))

    assert (ActionState.PROPOSED, True) == (
        desk.state(1).actions[PLAN].state,
        "not the one that you saw" in str(workspace.said[0]["text"]),
    )


def test_who_is_not_known_approves_nothing(slack: Client, desk: Desk, workspace: Slack) -> None:
    """A button can be pressed by everybody who reads the room."""
    desk.diagnose(1)
    slack.press("stanch/approve", f"{PLAN} {desk.state(1).actions[PLAN].plan.digest} -i INC-1", user="UGUEST")
    until(lambda: bool(workspace.said))

    assert ActionState.PROPOSED is desk.state(1).actions[PLAN].state


def test_approving_by_hand_shows_the_plan_first(slack: Client, desk: Desk) -> None:
    """Without a digest nothing is approved: the plan is shown, with what to type."""
    desk.diagnose(1)
    shown = slack.command("approve")["text"]
    typed = shown.partition("Approve it: ")[2].removesuffix("```").strip()
    before = desk.state(1).actions[PLAN].state
    slack.command(typed)

    assert (True, ActionState.PROPOSED, ActionState.APPROVED) == (
        "shopctl rollback payments" in shown,
        before,
        desk.state(1).actions[PLAN].state,
    )


def marked(reaction: str = "pushpin", place: str = ROOM, event_id: str = "Ev1") -> str:
    """Return the event of a reaction to a message."""
    item = {"type": "message", "channel": place, "ts": f"{int(START.timestamp()) - 60}.000200"}
    event = {"type": "reaction_added", "user": "UALICE", "reaction": reaction, "item": item, "item_user": "UBOB"}
    return json.dumps({"type": "event_callback", "event_id": event_id, "event": event})


def test_a_marked_message_enters_the_log(slack: Client, desk: Desk, workspace: Slack) -> None:
    """With its author, its link, when it was written, and who marked it."""
    slack.post(marked(), json_body=True)
    until(lambda: bool(workspace.said))
    last = desk.log(1)[-1]

    assert ("Bob in chat: pool is full > 90 %", True, "alice", START.timestamp() - 60 + 0.0002) == (
        str(last.data["text"]).partition(" (")[0],
        "https://acme.slack.com/archives/C042/p" in str(last.data["text"]),
        last.actor.id,
        last.at.timestamp(),
    )


def test_a_marked_message_enters_the_log_once(slack: Client, desk: Desk, workspace: Slack) -> None:
    """Two people may mark one message."""
    for count in (1, 2):
        slack.post(marked(event_id=f"Ev{count}"), json_body=True)
        until(lambda count=count: len(workspace.said) == count)  # type: ignore[misc]  # bound for this turn

    assert 1 == desk.kinds(1).count("incident.note_added")


def test_what_slack_sends_again_is_taken_once(slack: Client, desk: Desk) -> None:
    """It does so when it is not sure that it was taken; what was answered for is on the disk."""
    for trigger in ("one", "one", "two"):
        slack.press("stanch/ack", "INC-1", trigger=trigger)
    with desk.world.store.reading() as tx:
        kept = tx.connection.execute(select(func.count()).select_from(asks)).scalar_one()

    assert 2 == kept


def test_what_was_taken_is_done_by_the_next_process(slack: Client, desk: Desk, workspace: Slack) -> None:
    """The one that said so ended before it did it; done once, and the far end is told."""
    with closing(SlackChat(name="ops", token=SECRET, secret=SIGNING, url=slack.far.url)) as chat:
        taken = Asks("ops", chat, chat_desk(desk.world))
        to = f"{slack.far.url}/response"
        taken.keep("press", Asked(user="UBOB", place=ROOM, text="ack INC-1", by=AskedBy.BUTTON, reply_to=to))
        left = LeftOver(taken)
        left.start()
        until(lambda: bool(workspace.said))
        left.stop()

    assert "bob" == getattr(desk.state(1).acknowledged_by, "id", "")


def test_any_other_reaction_means_nothing(slack: Client, desk: Desk) -> None:
    """A thumb is no mark."""
    slack.post(marked("thumbsup"), json_body=True)

    assert 0 == desk.kinds(1).count("incident.note_added")


def test_the_shortcut_marks_a_message(slack: Client, desk: Desk, workspace: Slack) -> None:
    """It comes with the words."""
    payload = {
        "type": "message_action",
        "callback_id": "stanch_log",
        "user": {"id": "UALICE"},
        "channel": {"id": ROOM},
        "response_url": f"{slack.far.url}/response",
        "message": {"text": "we saw this in May", "user": "UBOB", "ts": f"{int(START.timestamp()) - 5}.000100"},
    }
    slack.post(urlencode({"payload": json.dumps(payload)}))
    until(lambda: bool(workspace.said))

    assert "Bob in chat: we saw this in May" in str(desk.log(1)[-1].data["text"])


def test_the_address_is_confirmed(slack: Client) -> None:
    """Slack asks once whether anybody is there who knows the secret."""
    answer = slack.post(json.dumps({"type": "url_verification", "challenge": "3eZb"}), json_body=True)

    assert {"challenge": "3eZb"} == answer.json()


def test_a_secret_typed_in_chat_is_not_kept(slack: Client, desk: Desk) -> None:
    """As everywhere: what looks like a token is redacted before it is written."""
    slack.command("note the token is xoxb-123456789012-abcdefghijklmnop")

    assert "abcdefghijklmnop" not in str(desk.log(1)[-1].data["text"])
