"""Slack asks down a socket: kept before it is acknowledged, done once, however often it is sent and whoever ends."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from stanch.app.chat import chat_desk
from stanch.app.listening import listeners_of
from stanch.app.socketing import Socket
from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import asks, keep_ask, keep_place, next_ask
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.slack.socket import SlackSockets
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Unavailable
from stanch.ports.chat import Asked, AskedBy
from stanch.store import Store
from tests.integrations.channels.cases import Workspace
from tests.integrations.pagers.far import Answer, Got, far_end
from tests.operations.desk import START, Desk
from tests.support.servers import until

APP_TOKEN = "xapp-1-a-secret-of-the-app"
ROOM = "C042"


@dataclass
class Slack:
    """Slack's side of Socket Mode: answers `apps.connections.open` and speaks over the sockets that come."""

    url: str = ""
    address: str = ""
    opened: int = 0
    lines: list[ServerConnection] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    said: list[dict[str, object]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    workspace: Workspace = field(default_factory=Workspace)

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer a method, or take what is posted to a response URL."""
        if got.path == "/response":
            self.said.append(got.json)
            return Answer(200, {"ok": True})
        if not got.path.endswith("/apps.connections.open"):
            return self.workspace(got, count)
        if got.headers.get("authorization") != f"Bearer {APP_TOKEN}":
            return Answer(200, {"ok": False, "error": "not_allowed_token_type"})
        self.opened += 1
        if self.trouble:
            return Answer(200, {"ok": False, "error": self.trouble.pop(0)})
        return Answer(200, {"ok": True, "url": self.address})

    def hold(self, line: ServerConnection) -> None:
        """Greet a socket, and note what it acknowledges until it is closed."""
        line.send(json.dumps({"type": "hello", "num_connections": len(self.lines) + 1}))
        self.lines.append(line)
        try:
            for said in line:
                self.acknowledged.append(json.loads(said)["envelope_id"])
        except ConnectionClosed:
            return

    def send(self, id: str, kind: str, payload: dict[str, object], *, line: int = -1, **more: object) -> None:
        """Send an envelope down one of the sockets."""
        self.lines[line].send(json.dumps({"envelope_id": id, "type": kind, "payload": payload, **more}))

    def type(self, id: str, text: str, *, user: str = "UALICE", line: int = -1) -> None:
        """Type `/incident text`."""
        asked = {"command": "/incident", "text": text, "user_id": user, "channel_id": ROOM}
        self.send(id, "slash_commands", {**asked, "response_url": f"{self.url}/response"}, line=line)

    def goodbye(self, reason: str, *, line: int = -1) -> None:
        """Say that a socket is to be closed."""
        self.lines[line].send(json.dumps({"type": "disconnect", "reason": reason}))


@contextmanager
def socket_mode() -> Iterator[Slack]:
    """Run Slack's side while the block lasts."""
    slack = Slack()
    with far_end(slack) as far, _serving(slack) as server:
        slack.url = far.url
        slack.address = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link/?ticket=1"
        yield slack


@contextmanager
def _serving(slack: Slack) -> Iterator[Server]:
    with serve(slack.hold, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        for line in slack.lines:
            line.close()
        server.shutdown()
        thread.join(10)


@pytest.fixture
def slack() -> Iterator[Slack]:
    """Give Slack."""
    with socket_mode() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk with one incident that stands in a room of Slack's, and people who are known there."""
    monkeypatch.setenv("SLACK_BOT", "s3cr3t-of-the-provider")
    monkeypatch.setenv("SLACK_APP", APP_TOKEN)
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=(IncidentProjector(),))
    made = Desk.open(store, clock)
    catalog = made.world.catalog
    people = {name: replace(one, chat={"slack": f"U{name.upper()}"}) for name, one in catalog.people.items()}
    ops = ChannelSpec(
        name="ops",
        kind="slack",
        rooms=True,
        url=slack.url,
        secret_env="SLACK_BOT",
        socket_env="SLACK_APP",
        audiences=(),
    )
    made = replace(
        made,
        world=replace(made.world, catalog=replace(catalog, people=people, channels={**catalog.channels, "ops": ops})),
    )
    made.declare(severity="SEV2", reason="a test")
    with made.world.store.writing() as tx:
        keep_place(tx.connection, channel="ops", incident=1, place=ROOM)
    yield made
    store.close()


@contextmanager
def listening(desk: Desk, slack: Slack) -> Iterator[None]:
    """Listen while the block lasts, from the moment that a socket is open."""
    before = len(slack.lines)
    socket = Socket(desk.world.catalog.channels["ops"], chat_desk(desk.world), again_after_s=0.02)
    socket.start()
    try:
        until(lambda: len(slack.lines) > before)
        yield
    finally:
        socket.stop()
        socket.join(10)


def acknowledged_by(desk: Desk) -> str:
    """Return who acknowledged the incident."""
    return getattr(desk.state(1).acknowledged_by, "id", "")


def notes(desk: Desk) -> int:
    """Return how many notes the log has."""
    return desk.kinds(1).count("incident.note_added")


def test_a_command_is_acknowledged_and_answered(desk: Desk, slack: Slack) -> None:
    """The envelope is acknowledged by its id, and the answer goes where the command says."""
    with listening(desk, slack):
        slack.type("e1", "ack")
        # Heard by two threads of the far end: the one may be told of the answer before the other of what was taken on.
        until(lambda: bool(slack.said and slack.acknowledged))

    assert (["e1"], "alice", "in_channel", True) == (
        slack.acknowledged,
        acknowledged_by(desk),
        slack.said[0]["response_type"],
        "INC-1 acknowledged by Alice" in str(slack.said[0]["text"]),
    )


def test_a_button_does_what_it_does_over_http(desk: Desk, slack: Slack) -> None:
    """The same handling: whoever presses it is on record."""
    pressed = {
        "type": "block_actions",
        "user": {"id": "UBOB"},
        "channel": {"id": ROOM},
        "response_url": f"{slack.url}/response",
        "actions": [{"action_id": "stanch/ack", "value": "INC-1", "type": "button"}],
    }
    with listening(desk, slack):
        slack.send("e1", "interactive", pressed)
        until(lambda: bool(slack.said and slack.acknowledged))

    assert ("bob", ["e1"]) == (acknowledged_by(desk), slack.acknowledged)


def test_a_marked_message_enters_the_log_once(desk: Desk, slack: Slack) -> None:
    """An event that is sent again comes in another envelope: both are acknowledged, one is done."""
    marked = {
        "type": "event_callback",
        "event_id": "Ev1",
        "event": {
            "type": "reaction_added",
            "user": "UALICE",
            "reaction": "pushpin",
            "item": {"type": "message", "channel": ROOM, "ts": f"{int(START.timestamp()) - 60}.000200"},
        },
    }
    with listening(desk, slack):
        slack.send("e1", "events_api", marked)
        slack.send("e2", "events_api", marked, retry_attempt=1)
        until(lambda: len(slack.acknowledged) == 2 and notes(desk) > 0)

    assert (["e1", "e2"], 1, 1) == (slack.acknowledged, notes(desk), len(_kept(desk)))


def test_the_same_envelope_on_two_connections_is_done_once(desk: Desk, slack: Slack) -> None:
    """Two processes listen; what reaches both is done by one."""
    with listening(desk, slack), listening(desk, slack):
        slack.type("e1", "note twice is once", line=0)
        slack.type("e1", "note twice is once", line=1)
        until(lambda: len(slack.acknowledged) == 2 and bool(slack.said))

    assert (1, 1) == (notes(desk), len(slack.said))


def test_another_connection_is_opened_at_goodbye(desk: Desk, slack: Slack) -> None:
    """What still comes down the old one is done too."""
    with listening(desk, slack):
        slack.goodbye("warning")
        until(lambda: len(slack.lines) == 2)
        slack.type("e1", "note by the old one", line=0)
        slack.type("e2", "note by the new one", line=1)
        until(lambda: len(slack.said) == len(slack.acknowledged) == 2)

    assert ({"e1", "e2"}, 2) == (set(slack.acknowledged), notes(desk))


def test_a_lost_connection_is_opened_again(desk: Desk, slack: Slack) -> None:
    """Nothing is lost: Slack sends what was not acknowledged down the next one."""
    with listening(desk, slack):
        slack.lines[0].close()
        until(lambda: len(slack.lines) == 2)
        slack.type("e1", "ack")
        until(lambda: bool(slack.said))

    assert "alice" == acknowledged_by(desk)


def test_a_far_end_in_trouble_is_asked_again(desk: Desk, slack: Slack) -> None:
    """Slack says later; later it is."""
    slack.trouble = ["internal_error", "ratelimited"]
    with listening(desk, slack):
        pass

    assert 3 == slack.opened


def test_what_is_unknown_is_acknowledged(desk: Desk, slack: Slack) -> None:
    """Else it would come again and again; it does nothing."""
    with listening(desk, slack):
        slack.lines[0].send("this is no JSON")
        slack.send("e1", "events_api", {"type": "event_callback", "event": {"type": "message"}})
        slack.send("e2", "something_new", {})
        until(lambda: len(slack.acknowledged) == 2)

    assert (["e1", "e2"], 0) == (slack.acknowledged, len(_kept(desk)))


def test_what_cannot_be_kept_is_not_acknowledged(desk: Desk, slack: Slack) -> None:
    """It was not taken on, so Slack has to send it again."""
    with listening(desk, slack):
        with desk.world.store.writing() as tx:
            asks.drop(tx.connection)
        slack.type("e1", "ack")
        until(lambda: len(slack.lines) == 2)

    assert ([], "") == (slack.acknowledged, acknowledged_by(desk))


def keep(desk: Desk, text: str, slack: Slack) -> None:
    """Keep a command, as a process does before it ends."""
    asked = Asked(by=AskedBy.COMMAND, user="UALICE", place=ROOM, text=text, reply_to=f"{slack.url}/response")
    with desk.world.store.writing() as tx:
        keep_ask(tx.connection, channel="ops", key="left", asked=msgspec.to_builtins(asked), at=desk.world.clock.now())


def test_what_was_kept_is_done_after_a_restart(desk: Desk, slack: Slack) -> None:
    """The process ended between acknowledging and doing."""
    keep(desk, "ack", slack)
    with listening(desk, slack):
        until(lambda: bool(slack.said))

    assert "alice" == acknowledged_by(desk)


def test_what_is_too_old_is_not_done(desk: Desk, slack: Slack) -> None:
    """Six minutes later another thing may be right; who asked is told."""
    keep(desk, "ack", slack)
    desk.clock.advance(timedelta(minutes=6))
    with listening(desk, slack):
        until(lambda: bool(slack.said))

    assert ("", True) == (acknowledged_by(desk), "have not done it" in str(slack.said[0]["text"]))


def test_what_was_interrupted_is_not_done_again(desk: Desk, slack: Slack) -> None:
    """Nobody knows how far it came, so a person looks."""
    keep(desk, "note once", slack)
    with desk.world.store.writing() as tx:
        next_ask(tx.connection, channel="ops", now=desk.world.clock.now(), given_up=timedelta(minutes=1))
    desk.clock.advance(timedelta(seconds=61))
    with listening(desk, slack):
        until(lambda: bool(slack.said))

    assert (0, True) == (notes(desk), "interrupted" in str(slack.said[0]["text"]))


def test_what_is_done_is_forgotten_but_its_key(desk: Desk, slack: Slack) -> None:
    """The address that answers it lets whoever has it answer."""
    with listening(desk, slack):
        slack.type("e1", "ack")
        until(lambda: bool(_kept(desk)) and _kept(desk)[0] is None)

    assert [None] == _kept(desk)


def _kept(desk: Desk) -> list[object]:
    """Return what is kept of each thing that was asked."""
    with desk.world.store.reading() as view:
        return [row.asked for row in view.connection.execute(select(asks.c.asked))]


def test_a_token_that_is_not_taken_says_so(slack: Slack) -> None:
    """Not the app's but the bot's: no second try helps, and the token is in no message."""
    sockets = SlackSockets(name="ops", token="xoxb-other-secret", url=slack.url)
    with closing(sockets), pytest.raises(Unavailable) as refusal:
        sockets.open()

    assert (False, "ops answered not_allowed_token_type") == (refusal.value.retry, refusal.value.message)


def test_an_address_without_encryption_is_refused(slack: Slack) -> None:
    """What people ask is not for whoever listens on the way."""
    slack.address = "ws://slack.example/link"
    sockets = SlackSockets(name="ops", token=APP_TOKEN, url=slack.url)
    with closing(sockets), pytest.raises(Unavailable) as refusal:
        sockets.open()

    assert "ops named no address to connect to" == refusal.value.message


def test_a_server_listens_where_the_variable_is_set(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the token nothing is tried."""
    found = [len(listeners_of(desk.world, chat_desk(desk.world)))]
    monkeypatch.delenv("SLACK_APP")
    found.append(len(listeners_of(desk.world, chat_desk(desk.world))))

    assert [1, 0] == found


def test_the_look_says_that_it_is_switched_off(desk: Desk, slack: Slack) -> None:
    """A person has to switch Socket Mode on; the look at the channels says so."""
    with listening(desk, slack):
        slack.goodbye("link_disabled")
        slack.lines[0].close()
        until(lambda: bool(_look(desk)["lacks"]))
        look = _look(desk)

    assert ("socket", ("what people ask there is not heard: Socket Mode is switched off for this app",)) == (
        look["hears"],
        look["lacks"],
    )


def _look(desk: Desk) -> dict[str, object]:
    """Return how it stands with the channel."""
    looks: list[dict[str, object]] = msgspec.to_builtins(desk.ask("comms.channels"))
    return next(one for one in looks if one["name"] == "ops")
