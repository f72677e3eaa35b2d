"""The Matrix channel on a real homeserver: rooms, pins, edits, transactions that are taken once.

Synapse needs an environment of its own (`python -m venv DIR; DIR/bin/pip install matrix-synapse`), which
STANCH_TEST_SYNAPSE names; without it, `.test/synapse` in the checkout is looked at.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from stanch.app.chat import chat_desk
from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import keep_place
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.matrix import MatrixChannel
from stanch.integrations.matrix.chat import Heard, MatrixChat
from stanch.kernel.clock import ManualClock
from stanch.ports.channel import ChannelSettings, Message
from stanch.store import Store
from tests.integrations.channels.cases import message
from tests.operations.desk import START, Desk
from tests.support.needs import lacking
from tests.support.servers import free_port, listens, running

_CHECKOUT = Path(__file__).parents[3]
_LIMITS = ("rc_message", "rc_registration", "rc_room_creation")


@dataclass(frozen=True)
class Homeserver:
    """A real one, with an account that posts and one that is invited."""

    url: str
    token: str
    guest: str

    def ask(self, path: str, *, token: str = "") -> dict[str, object]:
        """Read something with the client API."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        found: dict[str, object] = httpx2.get(f"{self.url}/_matrix/client/v3{path}", headers=headers, timeout=60).json()
        return found

    def tell(self, method: str, path: str, body: object) -> dict[str, object]:
        """Do something as alice."""
        headers = {"Authorization": f"Bearer {self.guest}"}
        answer = httpx2.request(method, f"{self.url}/_matrix/client/v3{path}", headers=headers, json=body, timeout=60)
        found: dict[str, object] = answer.raise_for_status().json()
        return found

    def messages(self, room: str) -> list[dict[str, object]]:
        """Return the messages of a room, oldest first."""
        found = self.ask(f"/rooms/{quote(room, safe='')}/messages?dir=f&limit=100")["chunk"]
        assert isinstance(found, list)
        return [one for one in found if one["type"] == "m.room.message"]


def synapse() -> Path:
    """Return the interpreter that has Synapse; skip where there is none."""
    named = os.environ.get("STANCH_TEST_SYNAPSE", "")
    folders = (Path(named) if named else _CHECKOUT / ".test" / "synapse", _CHECKOUT / ".test" / "synapse")
    found = next((folder / "bin" for folder in folders if (folder / "bin" / "synapse_homeserver").exists()), None)
    if found is None:
        lacking("Synapse is not installed: STANCH_TEST_SYNAPSE names no environment with matrix-synapse")
    return found


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """Give a homeserver of this machine's own."""
    programs, folder, port = synapse(), tmp_path_factory.mktemp("synapse"), free_port()
    config = folder / "homeserver.yaml"
    limits = "\n".join(f"{name}: {{per_second: 1000, burst_count: 1000}}" for name in _LIMITS)
    config.write_text(
        f"""
server_name: localhost
pid_file: {folder}/pid
listeners: [{{port: {port}, tls: false, type: http, bind_addresses: ["127.0.0.1"],
  resources: [{{names: [client], compress: false}}]}}]
database: {{name: sqlite3, args: {{database: "{folder}/homeserver.db"}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
registration_shared_secret: only-for-this-test
macaroon_secret_key: only-for-this-test
form_secret: only-for-this-test
report_stats: false
trusted_key_servers: []
{limits}
rc_login: {{address: {{per_second: 1000, burst_count: 1000}}, account: {{per_second: 1000, burst_count: 1000}}}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}}}
rc_invites: {{per_room: {{per_second: 1000, burst_count: 1000}}, per_user: {{per_second: 1000, burst_count: 1000}}}}
"""
    )
    python = str(programs / "python")
    made = [python, "-m", "synapse.app.homeserver", "-c", str(config), "--generate-keys"]
    subprocess.run(made, check=True, cwd=folder, capture_output=True, timeout=60)
    argv = [python, "-m", "synapse.app.homeserver", "-c", str(config)]
    with running(argv, folder=folder, is_ready=listens(port)):
        url = f"http://127.0.0.1:{port}"
        for user in ("stanch", "alice"):
            register = [str(programs / "register_new_matrix_user"), "-c", str(config), "-u", user, "-p", "pw"]
            subprocess.run([*register, "--no-admin", url], check=True, capture_output=True, timeout=60)
        tokens = {}
        for user in ("stanch", "alice"):
            login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": "pw"}
            answer = httpx2.post(f"{url}/_matrix/client/v3/login", content=json.dumps(login), timeout=60)
            tokens[user] = answer.json()["access_token"]
        yield Homeserver(url=url, token=tokens["stanch"], guest=tokens["alice"])


@pytest.fixture
def channel(homeserver: Homeserver) -> Iterator[MatrixChannel]:
    """Give the channel, pointed at the homeserver."""
    settings = ChannelSettings(name="matrix", kind="matrix", url=homeserver.url, secret=homeserver.token, rooms=True)
    made = MatrixChannel(settings)
    yield made
    made.close()


def about(room: str, id: str, **more: object) -> Message:
    """Return a message about an incident whose room is `room`, to which alice belongs."""
    made = message(id)
    assert made.case is not None
    return replace(made, room=room, case=replace(made.case, invite=("@alice:localhost",)), **more)  # type: ignore[arg-type]  # fields by name


def test_an_incident_can_be_followed_in_a_room(homeserver: Homeserver, channel: MatrixChannel) -> None:
    """A room with topic, one message however often it was sent, the facts pinned and kept current, alice invited."""
    first = channel.post(about("incident-a", "a/update/1"))
    channel.post(about("incident-a", "a/update/1", place=first.place, again=True))
    facts = channel.post(about("incident-a", "a/facts/1", place=first.place, pinned=True))
    changed = about("incident-a", "a/facts/2", place=first.place, pinned=True, edits=facts.reference)
    channel.post(changed)
    room = quote(first.place, safe="")
    said = homeserver.messages(first.place)
    pinned = homeserver.ask(f"/rooms/{room}/state/m.room.pinned_events/")["pinned"]
    topic = homeserver.ask(f"/rooms/{room}/state/m.room.topic/")["topic"]
    alice = homeserver.ask(f"/rooms/{room}/state/m.room.member/@alice:localhost")["membership"]
    replaced = [one["content"].get("m.relates_to", {}).get("rel_type") for one in said]  # type: ignore[attr-defined]

    assert (3, [facts.reference], "SEV2 · investigating · commander: alice", "invite", [None, None, "m.replace"]) == (
        len(said),
        pinned,
        topic,
        alice,
        replaced,
    )


def test_another_node_finds_the_room(homeserver: Homeserver, channel: MatrixChannel) -> None:
    """By its alias: a second room of the same incident can not come about."""
    first = channel.post(about("incident-b", "b/update/1"))
    other = MatrixChannel(channel._settings)
    second = other.post(about("incident-b", "b/update/2"))
    other.close()

    assert (first.place, 2) == (second.place, len(homeserver.messages(first.place)))


def test_the_longest_message_is_taken(homeserver: Homeserver, channel: MatrixChannel) -> None:
    """Cut to what one event holds, also as an edit, which holds it twice."""
    made = message("c/update/1", words="Ünïcode fails. " * 5_000)
    first = channel.post(replace(made, room="incident-c"))
    channel.post(replace(made, id="c/update/2", room="incident-c", place=first.place, edits=first.reference))

    assert 2 == len(homeserver.messages(first.place))


def test_people_act_from_the_room(homeserver: Homeserver, channel: MatrixChannel, tmp_path: Path) -> None:
    """Who is known is answered as in the terminal and on record; a marked message enters the log with its link."""
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=(IncidentProjector(),))
    desk = Desk.open(store, clock)
    catalog = desk.world.catalog
    people = {**catalog.people, "alice": replace(catalog.people["alice"], chat={"matrix": "@alice:localhost"})}
    ops = ChannelSpec(name="ops", kind="matrix", rooms=True)
    world = replace(desk.world, catalog=replace(catalog, people=people, channels={**catalog.channels, "ops": ops}))
    desk = replace(desk, world=world)
    desk.declare()
    place = channel.post(about("incident-d", "d/update/1")).place
    with store.writing() as tx:
        keep_place(tx.connection, channel="ops", incident=1, place=place)
    chat = MatrixChat(name="ops", url=homeserver.url, token=homeserver.token, wait_s=5)
    since, _ = chat.listen("")
    room = f"/rooms/{quote(place, safe='')}"
    homeserver.tell("POST", f"{room}/join", {})
    homeserver.tell("PUT", f"{room}/send/m.room.message/t1", {"msgtype": "m.text", "body": "!incident ack"})
    said = {"msgtype": "m.text", "body": "the pool is full"}
    event = homeserver.tell("PUT", f"{room}/send/m.room.message/t2", said)["event_id"]
    relation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "📌"}}
    homeserver.tell("PUT", f"{room}/send/m.reaction/t3", relation)
    answers = chat_desk(world)
    heard: list[Heard] = []
    while len(heard) < 2:
        since, more = chat.listen(since)
        heard += more
        assert since
    for one in heard:
        for _ in range(2):
            chat.send(one, answers.answer(one.asked, channel="ops", kind="matrix"))
    notices = [one["content"]["body"] for one in homeserver.messages(place)]  # type: ignore[index]
    state, notes = desk.state(1), [one for one in desk.log(1) if one.kind == "incident.note_added"]
    chat.close()
    store.close()

    assert ("alice", 1, True, 1) == (
        getattr(state.acknowledged_by, "id", ""),
        len(notes),
        "Alice in chat: the pool is full (https://matrix.to/#/" in str(notes[0].data["text"]),
        sum("INC-1 acknowledged by Alice" in str(words) for words in notices),
    )
