"""What every channel keeps: a message stands there once, an edit changes it, trouble says what it means, no secret is
told, and nobody is called by words from outside."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stanch.kernel.errors import Unavailable
from stanch.ports.channel import Channel, Failure, Message, NotTaken
from tests.integrations.channels.cases import CASES, ChannelCase, FarEnd, message
from tests.integrations.pagers.far import NOWHERE, SECRET, Answer, Far, Got, far_end

HOSTILE = "<!channel> @here @all [click](javascript:alert(1)) \x1b[31m\u202e"


class Losing:
    """A far end in front of another that does what it is asked and whose answers get lost, from the `after`-th on."""

    def __init__(self, behind: FarEnd) -> None:
        self.behind = behind
        self.loses = False

    def __call__(self, got: Got, count: int) -> Answer:
        """Let it be done, and say so or not."""
        before = len(self.behind.shown)
        answer = self.behind(got, count)
        said = len(self.behind.shown) > before
        return Answer(hang_up=True) if self.loses and said else answer


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> ChannelCase:
    """Give one channel."""
    found: ChannelCase = request.param
    return found


@pytest.fixture
def behind(case: ChannelCase) -> FarEnd:
    """Give what stands at its far end."""
    return case.speaks()


@pytest.fixture
def losing(behind: FarEnd) -> Losing:
    """Give the line to it, which can lose answers."""
    return Losing(behind)


@pytest.fixture
def far(losing: Losing) -> Iterator[Far]:
    """Give its far end."""
    with far_end(losing) as server:
        yield server


@pytest.fixture
def channel(case: ChannelCase, far: Far) -> Iterator[Channel]:
    """Give the channel, pointed at its far end."""
    with case.opened(far) as made:
        yield made


def trouble_with(channel: Channel, posted: Message) -> NotTaken:
    """Return why a message was not taken."""
    with pytest.raises(NotTaken) as trouble:
        channel.post(posted)
    return trouble.value


def test_a_message_is_posted(channel: Channel, behind: FarEnd) -> None:
    """What it says stands there, once."""
    channel.post(message())
    [shown] = behind.shown.values()

    assert "We look into it." in shown


def test_the_same_message_again_stands_there_once(channel: Channel, behind: FarEnd) -> None:
    """A channel that says so shows a message that is sent again only once."""
    receipt = channel.post(message())
    if channel.idempotent:
        channel.post(message(place=receipt.place, again=True))

    assert 1 == len(behind.shown)


def test_a_lost_answer_is_found_out(channel: Channel, behind: FarEnd, losing: Losing) -> None:
    """The far end took the message and the answer got lost: sent again, it stands there once."""
    losing.loses = True
    failure = trouble_with(channel, message()).failure
    losing.loses = False
    if channel.idempotent:
        channel.post(message(again=True))

    assert (Failure.UNKNOWN, 1) == (failure, len(behind.shown))


def test_another_message_is_another(channel: Channel, behind: FarEnd) -> None:
    """Two messages of the same words are two."""
    place = channel.post(message()).place
    channel.post(message("inc7/update/2/chat/responders", place=place))

    assert 2 == len(behind.shown)


def test_a_message_is_changed_in_its_place(case: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """What edits another stands in its place, and has its reference."""
    if not case.edits:
        pytest.skip(f"{case.name} cannot change what it posted")
    first = channel.post(message())
    second = channel.post(message("inc7/facts/2", words="It is mended.", edits=first.reference, place=first.place))
    [shown] = behind.shown.values()

    assert (first.reference, True, False) == (second.reference, "It is mended." in shown, "We look into" in shown)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Failure.REFUSED),
        (401, Failure.CREDENTIALS),
        (404, Failure.REFUSED),
        (429, Failure.THROTTLED),
        (500, Failure.UNREACHABLE),
        (503, Failure.UNREACHABLE),
    ],
)
def test_a_refusal_says_what_it_means(channel: Channel, far: Far, status: int, expected: Failure) -> None:
    """Statuses tell apart what was refused for good and what may be tried again."""
    far.trouble = [Answer(status, {"error": "no", "message": "no"})]

    assert expected is trouble_with(channel, message()).failure


def test_it_waits_as_long_as_it_is_asked_to(channel: Channel, far: Far) -> None:
    """The seconds of Retry-After come with the failure."""
    far.trouble = [Answer(429, {"error": "slow down"}, {"Retry-After": "17"})]

    assert 17.0 == trouble_with(channel, message()).retry_after_s


def test_after_a_limit_it_is_posted_once(channel: Channel, far: Far, behind: FarEnd) -> None:
    """What was held up by a limit goes out afterwards."""
    far.trouble = [Answer(429, {}, {"Retry-After": "1"})]
    trouble_with(channel, message())
    channel.post(message(again=True))

    assert 1 == len(behind.shown)


def test_nobody_there_has_not_taken_it(case: ChannelCase) -> None:
    """Where nothing listens, nothing has arrived."""
    with case.opened(NOWHERE) as channel:
        failure = trouble_with(channel, message()).failure

    assert Failure.UNREACHABLE is failure


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_no_secret_is_told(channel: Channel, far: Far, status: int) -> None:
    """Neither token nor secret URL stands in an error, also where the far end repeats what it was asked."""
    far.trouble = [Answer(status, {"message": f"no: POST /hooks/{SECRET} Bearer {SECRET}"})]

    assert SECRET not in str(trouble_with(channel, message()))


def test_no_secret_is_told_where_nobody_is(case: ChannelCase) -> None:
    """Nor when nobody was there to answer."""
    with case.opened(NOWHERE) as channel:
        words = str(trouble_with(channel, message()))

    assert SECRET not in words


def test_a_long_message_is_cut_and_not_refused(channel: Channel, behind: FarEnd) -> None:
    """A log that somebody pasted is more than any far end takes: its beginning arrives."""
    channel.post(message(title="Checkout " * 100, words="It fails. " * 20_000))

    assert "It fails." in next(iter(behind.shown.values()))


def test_words_from_outside_call_nobody(case: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """A title that looks like a mention is text. (A webhook passes the data on as it is.)"""
    channel.post(message(title=HOSTILE, words=HOSTILE))
    shown = next(iter(behind.shown.values()))
    # Slack's blocks are no markup, and Discord was told to parse no mentions, nor do the others read these.
    bad = {"slack": ("\x1b",), "mattermost": ("@here", "@all", "\x1b")}.get(case.name, ("\x1b",))
    text = shown.partition("\n")[0] if case.name == "slack" else shown

    assert not any(sign in shown for sign in bad)
    assert case.name != "slack" or "<!channel>" not in text


def test_a_failure_is_something_to_be_unavailable(channel: Channel, far: Far) -> None:
    """Who knows the port alone can tell whether to try again."""
    far.trouble = [Answer(503, {})]
    trouble = trouble_with(channel, message())

    assert (True, True) == (isinstance(trouble, Unavailable), trouble.retry)


@pytest.fixture
def with_rooms(case: ChannelCase) -> ChannelCase:
    """Give a channel where incidents have rooms."""
    if not case.rooms:
        pytest.skip(f"{case.name} has no rooms")
    return case


def test_an_incident_has_one_room(with_rooms: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """Two messages stand in the same room, named after the incident."""
    first = channel.post(message())
    channel.post(message("inc7/update/2", place=first.place))
    [name] = behind.rooms

    assert (True, 1) == ("incident-2026-11-21-checkout-fails" in name, len(behind.rooms))


def test_a_room_whose_making_got_lost_is_found(
    with_rooms: ChannelCase, channel: Channel, far: Far, behind: FarEnd
) -> None:
    """Another node, or the same after a time-out, finds the room by its name and makes no second."""
    channel.post(message())
    with with_rooms.opened(far) as other:
        place = other.post(message("inc7/update/2")).place

    assert (1, [place]) == (len(behind.rooms), list(behind.rooms.values()))


def test_the_facts_are_pinned_once(with_rooms: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """The message with the facts is pinned, and stays the one that is when they change."""
    first = channel.post(message("inc7/facts/1", pinned=True))
    channel.post(message("inc7/facts/2", pinned=True, edits=first.reference, place=first.place))

    assert [first.reference] == behind.pinned


def test_people_are_invited_once(with_rooms: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """Who belongs into the room is invited with the first message, and not with every other."""
    first = channel.post(message())
    channel.post(message("inc7/update/2", place=first.place))

    assert ["U1", "U2"] == behind.invited


def test_the_topic_is_kept_current(with_rooms: ChannelCase, channel: Channel, behind: FarEnd) -> None:
    """It says how things stand, and is set again only when that changes."""
    made = message()
    assert made.case is not None
    first = channel.post(made)
    channel.post(message("inc7/update/2", place=first.place))
    later = replace(made.case, topic="SEV1 · mitigating")
    channel.post(message("inc7/update/3", place=first.place, case=later))

    assert ["SEV2 · investigating · commander: alice", "SEV1 · mitigating"] == behind.topics


def test_a_fixed_room_needs_none_made(with_rooms: ChannelCase, far: Far, behind: FarEnd) -> None:
    """A channel that is told one room posts everything there."""
    with with_rooms.opened(far, rooms=False) as fixed:
        fixed.post(message())

    assert (0, 1) == (len(behind.rooms), len(behind.shown))
