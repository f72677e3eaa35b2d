"""The file channel: one file per room, every message once, also after a restart."""

from pathlib import Path

import pytest

from stanch.integrations.file import FileChannel
from stanch.kernel.errors import Unavailable
from stanch.ports.channel import Message


def message(id: str = "inc1/declaration/1/room/responders", *, room: str = "incident-1", text: str = "down") -> Message:
    """Return a message."""
    return Message(id=id, room=room, subject="s", text=text, markdown=f"**{text}**")


def test_a_message_is_a_section_of_its_room(tmp_path: Path) -> None:
    """The folder and the file are made when they are needed."""
    FileChannel(name="room", folder=tmp_path / "rooms").post(message())

    assert "**down**" in (tmp_path / "rooms" / "incident-1.md").read_text(encoding="utf-8")


def test_the_same_message_after_a_restart_is_there_once(tmp_path: Path) -> None:
    """A new process finds the id in the file and says so."""
    FileChannel(name="room", folder=tmp_path).post(message())
    receipt = FileChannel(name="room", folder=tmp_path).post(message())

    assert (1, "was there already") == (
        (tmp_path / "incident-1.md").read_text(encoding="utf-8").count("**down**"),
        receipt.detail,
    )


def test_an_id_that_begins_like_another_is_another(tmp_path: Path) -> None:
    """Message 10 does not pass for message 1."""
    channel = FileChannel(name="room", folder=tmp_path)
    channel.post(message("inc1/update/10"))
    channel.post(message("inc1/update/1"))

    assert 2 == (tmp_path / "incident-1.md").read_text(encoding="utf-8").count("**down**")


def test_messages_stand_in_order(tmp_path: Path) -> None:
    """What came later is further down."""
    channel = FileChannel(name="room", folder=tmp_path)
    for number in (1, 2, 3):
        channel.post(message(f"m{number}", text=f"text {number}"))
    text = (tmp_path / "incident-1.md").read_text(encoding="utf-8")

    assert ["1", "2", "3"] == [line.strip("*")[-1] for line in text.splitlines() if line.startswith("**")]


@pytest.mark.parametrize("room", ["../../etc/passwd", "/etc/passwd", "..", "a/b", ""])
def test_a_room_stays_in_its_folder(tmp_path: Path, room: str) -> None:
    """No name of a room leads anywhere else."""
    FileChannel(name="room", folder=tmp_path / "rooms").post(message(room=room))

    assert [tmp_path / "rooms"] == [path.parent for path in tmp_path.rglob("*.md")]


def test_a_folder_that_cannot_be_made_can_be_tried_again(tmp_path: Path) -> None:
    """It says which file, and that trying again can help."""
    (tmp_path / "rooms").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(Unavailable) as trouble:
        FileChannel(name="room", folder=tmp_path / "rooms").post(message())

    assert (True, True) == (trouble.value.retry, "cannot write to" in trouble.value.message)
