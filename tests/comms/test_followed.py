"""One incident is followed everywhere, from one log: in Slack, in Matrix, by mail, on the status page, afterwards."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from tests.comms.followed import Followed, Room, follow, mails_text, plain_of
from tests.support.synapse import find_synapse, lacking_synapse

_READERS = ("team@shop.example", "anna@shop.example", "carol@customers.example")
_TEAM = _READERS[0]
# Between the word and the figure stands whatever a far end marks them with, on the same line.
_LASTED = re.compile(r"Duration:.*?(\d+m \d+s)")
_TAG = re.compile(r"<[^>]+>")
# A run takes as long as it takes, whatever the clock says that is moved by hand.
_TOOK = re.compile(r"succeeded after \d+\.\d s")

Golden = Callable[[str, str], None]

# The incident runs its course once, on one worker.
pytestmark = pytest.mark.xdist_group("followed")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Give what every far end has after one incident."""
    folder = tmp_path_factory.mktemp("followed")
    return follow(folder, database=str(folder / "stanch.db"), programs=find_synapse())


@pytest.fixture
def matrix(followed: Followed) -> Room:
    """Give the room on the real homeserver; skip where there is none."""
    return followed.matrix or lacking_synapse()


def words_of(page: str) -> str:
    """Return the words of an HTML page, a line each; days of which nothing is known are left out."""
    body = page[page.index("<body") :]
    lines = (" ".join(unescape(one).split()) for one in _TAG.split(body))
    return "\n".join(one for one in lines if one and not one.endswith(": not known")) + "\n"


def test_it_is_followed_in_slack(followed: Followed, golden: Golden) -> None:
    """A room of its own, its topic and pinned facts current, every message in Slack's blocks and in order."""
    golden("followed/slack.txt", followed.slack.text())


def test_it_is_followed_in_matrix(matrix: Room, golden: Golden) -> None:
    """A room of its own on a real homeserver, its topic and pinned facts current, every message in order."""
    golden("followed/matrix.txt", matrix.text())


@pytest.mark.parametrize("address", [*_READERS, "alice@shop.example"])
def test_it_is_followed_by_mail(followed: Followed, golden: Golden, address: str) -> None:
    """Each has one thread with what is for them: team, stakeholder, subscriber, who is invited."""
    golden(f"followed/mail.{address.partition('@')[0]}.txt", mails_text(followed.mails_to(address)))


@pytest.mark.parametrize("path", ["summary.json", "incidents.json"])
def test_it_is_followed_by_programs(followed: Followed, golden: Golden, path: str) -> None:
    """The static copy has the documents that programs read."""
    golden(f"followed/{path}", (followed.page / "api" / "v2" / path).read_text())


@pytest.mark.parametrize("path", ["index.html", "incidents/1.html"])
def test_it_is_followed_on_the_status_page(followed: Followed, golden: Golden, path: str) -> None:
    """The static copy says what a person published, stage by stage."""
    name = path.replace("/", ".").replace(".html", ".txt")
    golden(f"followed/page.{name}", words_of((followed.page / path).read_text()))


def postmortem_of(followed: Followed) -> str:
    """Return the post-mortem, but for what no clock of a test decides."""
    return _TOOK.sub("succeeded after SECONDS s", followed.postmortem.markdown)


def test_it_is_followed_afterwards(followed: Followed, golden: Golden) -> None:
    """The post-mortem tells the same, with links into the log."""
    golden("followed/postmortem.md", postmortem_of(followed))


def test_postgresql_tells_the_same(postgres_url: str, followed: Followed, tmp_path: Path) -> None:
    """Word for word, whichever database keeps the log."""
    there = follow(tmp_path, database=postgres_url)
    told = [
        (one.slack.text(), mails_text(one.mails_to(_TEAM)), mails_text(one.mails_to(_READERS[2])), postmortem_of(one))
        for one in (followed, there)
    ]

    assert told[0] == told[1]


def test_everything_that_was_owed_has_arrived(followed: Followed) -> None:
    """The log says of every message that it was sent."""
    states = {one.state for one in followed.told.told}

    assert ({"sent"}, 0) == (states, followed.told.undelivered)


def test_the_rooms_and_the_mail_say_the_same(followed: Followed, matrix: Room) -> None:
    """What responders read is word for word what the log has, in the same order, whichever way it reaches them."""
    by_log = [one.text for one in followed.told.told if one.channel == "matrix"]
    by_mail = [plain_of(one) for one in followed.mails_to(_TEAM)]
    # Which reactions do what stands below, in Matrix alone.
    in_room = [one.text.partition("\n\nReact with ")[0] for one in matrix.said if not one.pinned]

    assert (by_log, by_log) == (in_room, by_mail)


def test_slack_and_the_mail_are_headed_the_same(followed: Followed) -> None:
    """Message by message, in the same order."""
    by_mail = [str(one["Subject"]).strip() for one in followed.mails_to(_TEAM)]

    assert by_mail == [one.text for one in followed.slack.said if not one.pinned]


def test_the_pinned_facts_are_the_same(followed: Followed, matrix: Room) -> None:
    """One pinned message in each room, which says at the end how it ended."""
    slack, there = ([one for one in room.said if one.pinned] for room in (followed.slack, matrix))
    shown = json.dumps([one.shape for one in slack], ensure_ascii=False)
    facts = [line.partition(": ")[2].strip() for line in there[0].text.splitlines() if ": " in line]

    assert (1, 1, []) == (len(slack), len(there), [one for one in facts if one not in shown])


def test_the_topic_is_the_same(followed: Followed, matrix: Room) -> None:
    """Severity, status, commander and link, as they are at the end."""
    assert followed.slack.topic == matrix.topic


def test_mails_of_one_incident_are_one_thread(followed: Followed) -> None:
    """For each reader: the same root, and an id of its own for every mail."""
    threads = [{str(one["References"]) for one in followed.mails_to(who)} for who in _READERS]
    ids = [str(one["Message-ID"]) for one in followed.mails]

    assert ([1, 1, 1], len(ids)) == ([len(one) for one in threads], len(set(ids)))


def test_the_post_mortem_links_into_the_log(followed: Followed) -> None:
    """Every link to an entry names one of this incident."""
    links = re.findall(r"/i/(\d+)#e-\d+", followed.postmortem.markdown)

    assert {"1"} == set(links)


def test_how_long_it_took_is_the_same(followed: Followed) -> None:
    """In the last message of a room, in the last mail, on the status page and in the post-mortem."""
    said = (
        followed.slack.said[-1].shape,
        plain_of(followed.mails_to(_TEAM)[-1]),
        words_of((followed.page / "incidents" / "1.html").read_text()),
        followed.postmortem.markdown,
    )
    told = [_LASTED.findall(one) for one in said]

    assert [["1m 40s"]] * 4 == told
