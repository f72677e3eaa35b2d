"""The registry: every operation can be asked for, is described, and takes what its example shows."""

from dataclasses import MISSING, fields, is_dataclass

import msgspec
import pytest

from stanch.kernel.errors import Invalid, NotFound
from stanch.operations import registry
from stanch.operations.gamedays import End
from stanch.review.figures.model import By
from tests.operations.desk import OPERATIONS

NAMES = sorted(OPERATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_decodes(name: str) -> None:
    """An example that does not fit would be wrong in every document made of it."""
    entry = OPERATIONS[name]

    assert isinstance(registry.decode(entry, entry.example), entry.request)


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_described_in_a_sentence(name: str) -> None:
    """The summary is what help, the OpenAPI document and agents show."""
    summary = OPERATIONS[name].summary

    assert (True, ".") == (len(summary) >= 15, summary[-1:])


@pytest.mark.parametrize("name", NAMES)
def test_every_request_says_what_it_takes(name: str) -> None:
    """The documentation of the request is part of the description."""
    assert OPERATIONS[name].request.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_can_be_written_as_json(name: str) -> None:
    """A surface needs the shape of the answer before anybody asks."""
    assert msgspec.json.schema(OPERATIONS[name].answer)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_holds_every_required_field(name: str) -> None:
    """Whoever copies the example can run it."""
    entry = OPERATIONS[name]
    assert is_dataclass(entry.request)
    needed = {one.name for one in fields(entry.request) if one.default is MISSING and one.default_factory is MISSING}

    assert needed <= set(entry.example)


def test_an_unknown_field_is_named() -> None:
    """A slip in a field's name must not be passed over in silence."""
    with pytest.raises(Invalid) as refusal:
        registry.decode(OPERATIONS["incident.note"], {"incident": 1, "txet": "x"})

    assert ["txet"] == [problem.field for problem in refusal.value.problems]


def test_a_missing_field_is_named() -> None:
    """The message says which one is missing."""
    with pytest.raises(Invalid) as refusal:
        registry.decode(OPERATIONS["incident.note"], {"incident": 1})

    assert ["text"] == [problem.field for problem in refusal.value.problems]


def test_a_field_of_another_type_is_named() -> None:
    """The message says where it does not fit."""
    with pytest.raises(Invalid) as refusal:
        registry.decode(OPERATIONS["incident.show"], {"incident": "seven"})

    assert ["incident"] == [problem.field for problem in refusal.value.problems]


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "9999-12-31T23:59:59-14:00"]
)
def test_an_instant_beyond_the_calendar_is_refused(at: str) -> None:
    """An instant that no calendar holds in UTC is bad input, and no defect."""
    with pytest.raises(Invalid, match="out of range"):
        registry.decode(OPERATIONS["incident.note"], {"incident": 1, "text": "x", "at": at})


def test_an_unknown_operation_says_where_all_are_listed() -> None:
    """The hint leads to the list."""
    with pytest.raises(NotFound) as refusal:
        registry.find("incident.explode")

    assert "see `stanch help operations`" == refusal.value.hint


def test_a_secret_is_redacted_at_the_door() -> None:
    """What somebody pastes in the worst hour must not stay in the log for ever."""
    said = {"incident": 1, "text": "I ran it with password=hunter2 and AKIA" + "A2" * 8}
    request = registry.decode(OPERATIONS["incident.note"], said)

    assert "I ran it with password=[redacted:password] and [redacted:aws-key]" == getattr(request, "text", None)


def test_a_secret_in_a_list_is_redacted_too() -> None:
    """A list of texts is as much a place for a secret as a text."""
    request = registry.decode(OPERATIONS["incident.declare"], {"title": "x", "services": ["token=abcdef123456"]})

    assert ("token=[redacted:token]",) == getattr(request, "services", None)


def test_a_secret_in_a_record_is_redacted_too() -> None:
    """What a command that broke something said may hold one."""
    step = {"step": 0, "words": "run restart", "problem": "mysql --password=hunter2-of-ours ended with 1"}
    request = registry.decode(OPERATIONS["gameday.end"], {"gameday": 1, "reason": "aborted", "steps": [step]})

    assert isinstance(request, End)
    assert "mysql --password=[redacted:password] ended with 1" == request.steps[0].problem


def test_an_instant_in_a_record_says_its_offset() -> None:
    """It is compared with others that do."""
    step = {"step": 0, "words": "run restart", "done_at": "2026-11-21T14:00:00"}
    with pytest.raises(Invalid, match="offset"):
        registry.decode(OPERATIONS["gameday.end"], {"gameday": 1, "reason": "aborted", "steps": [step]})


def test_what_is_no_text_is_made_one() -> None:
    """A byte of a command line that is no UTF-8 must not break the log."""
    request = registry.decode(OPERATIONS["incident.report"], {"text": "checkout \udcff fails"})

    assert "checkout \ufffd\ufffd\ufffd fails" == getattr(request, "text", None)


def test_a_digest_passes_unchanged() -> None:
    """An approval is bound to exactly what was shown."""
    said = {"incident": 1, "plan": "rollback-payments", "digest": "4" * 16 + "0af1" * 12}

    assert said["digest"] == getattr(registry.decode(OPERATIONS["mitigation.approve"], said), "digest", None)


def test_a_text_that_is_too_long_is_refused_with_the_limit() -> None:
    """A title of a megabyte would stand in every list; the refusal says how much there is room for."""
    with pytest.raises(Invalid) as told:
        registry.decode(OPERATIONS["incident.declare"], {"title": "x" * 301})

    assert [("title", "has more than 300 characters, which is all there is room for")] == [
        (one.field, one.message) for one in told.value.problems
    ]


def test_a_day_that_is_none_is_answered_with_one() -> None:
    """A day in words is refused with how a day is written."""
    with pytest.raises(Invalid) as told:
        registry.decode(OPERATIONS["item.add"], {"incident": 1, "title": "Test", "due_on": "tomorrow"})

    assert [("due_on", "must be a day such as 2026-12-01")] == [(one.field, one.message) for one in told.value.problems]


def test_a_word_of_a_closed_set_stays_one() -> None:
    """What is redacted in texts leaves a member of an enum what it is."""
    request = registry.decode(OPERATIONS["figures.show"], {"by": "month"})

    assert By.MONTH is request.by  # type: ignore[attr-defined]
