"""The Matrix channel on a real homeserver: rooms, pins, edits, transactions that are taken once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from stanch.app.chat import chat_desk
from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import keep_place
from stanch.incidents.tables import IncidentProjector
from stanch.integrations.matrix import MatrixChannel
from stanch.integrations.matrix.chat import Heard, MatrixChat
from stanch.kernel.clock import ManualClock
from stanch.ports.channel import Button, ChannelSettings, Message
from stanch.store import Store
from tests.integrations.channels.cases import message
from tests.operations.desk import START, Desk
from tests.support.synapse import Homeserver, find_synapse, homeserver_in, lacking_synapse


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """Give a homeserver of this machine's own; skip where there is no Synapse."""
    programs = find_synapse() or lacking_synapse()
    with homeserver_in(tmp_path_factory.mktemp("synapse"), programs=programs) as found:
        yield found


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
    """Who is known is answered as in the terminal; a reaction acknowledges, another puts a message into the log."""
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=(IncidentProjector(),))
    desk = Desk.open(store, clock)
    catalog = desk.world.catalog
    people = {**catalog.people, "alice": replace(catalog.people["alice"], chat={"matrix": "@alice:localhost"})}
    ops = ChannelSpec(name="ops", kind="matrix", rooms=True)
    world = replace(desk.world, catalog=replace(catalog, people=people, channels={**catalog.channels, "ops": ops}))
    desk = replace(desk, world=world)
    desk.declare()
    about_one = about("incident-d", "d/update/1")
    assert about_one.case is not None
    button = Button(label="Acknowledge", verb="ack", value="INC-1")
    shown = channel.post(replace(about_one, case=replace(about_one.case, buttons=(button,))))
    place = shown.place
    with store.writing() as tx:
        keep_place(tx.connection, channel="ops", incident=1, place=place)
    chat = MatrixChat(name="ops", url=homeserver.url, token=homeserver.token, wait_s=5)
    since, _ = chat.listen("")
    room = f"/rooms/{quote(place, safe='')}"
    homeserver.tell("POST", f"{room}/join", {})
    homeserver.tell("PUT", f"{room}/send/m.room.message/t1", {"msgtype": "m.text", "body": "!incident show"})
    pressed = {"m.relates_to": {"rel_type": "m.annotation", "event_id": shown.reference, "key": "👀"}}
    homeserver.tell("PUT", f"{room}/send/m.reaction/t0", pressed)
    said = {"msgtype": "m.text", "body": "the pool is full"}
    event = homeserver.tell("PUT", f"{room}/send/m.room.message/t2", said)["event_id"]
    relation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "📌"}}
    homeserver.tell("PUT", f"{room}/send/m.reaction/t3", relation)
    answers = chat_desk(world)
    heard: list[Heard] = []
    while len(heard) < 3:
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
