"""What of an answer is believed."""

import json

import pytest

from stanch.diagnose.thinking.checking import MOST, believe, claims_of, judged
from stanch.diagnose.thinking.material import Material, Source
from stanch.incidents.recorded.thinking import Standing, Statement, Use
from stanch.kernel.errors import Invalid

MATERIAL = Material(
    text="",
    sources={
        "f1-logs-1": Source(
            text='{"says": "payments: 45 % PoolTimeout, 1,204 times since 14:28, p95 4210 ms"}', saw=True
        ),
        "f1-db-1": Source(text='{"says": "the database could not be asked"}', saw=False),
        "e-17": Source(text='{"says": "v3.2.1 was deployed at 14:27"}', saw=True),
    },
    facts='{"key": "INC-7", "error_ratio": 0.452}',
    redacted={},
    left_out=0,
)


def dropped(text: str, *cites: str, use: Use = Use.SUMMARY, **more: object) -> dict[str, int]:
    """Return why a sentence is dropped, nothing when it is believed."""
    one = {"text": text, "reason": text, "title": "a cause", "cites": list(cites), **more}
    lists = {Use.SUMMARY: "statements", Use.HYPOTHESES: "hypotheses", Use.CONTRARY: "objections"}
    return believe(json.dumps({lists[use]: [one]}), use=use, material=MATERIAL, claims=2).dropped


@pytest.mark.parametrize(
    "text",
    [
        "Payments times out in 45 % of requests.",
        "It was seen 1,204 times since 14:28.",
        "About 45.2 % of requests fail.",
        "The slowest take 4.2 s.",  # 4210 ms is 4.21 s
        "INC-7 affects 2 services.",
        "The deploy of v3.2.1 came first.",
    ],
)
def test_what_is_backed_is_believed(text: str) -> None:
    """Figures as they are, rounded, as a share or in seconds."""
    assert {} == dropped(text, "f1-logs-1", "e-17")


@pytest.mark.parametrize(
    ("text", "cites", "why"),
    [
        ("Payments fails.", (), "uncited"),
        ("Payments fails.", ("f1-logs-2",), "no_such_entry"),
        ("Payments fails.", ("f1-logs-1", "e-99"), "no_such_entry"),
        ("Payments fails in 46 % of requests.", ("f1-logs-1",), "no_such_figure"),
        ("It lasted 1,205 requests.", ("f1-logs-1",), "no_such_figure"),
        ("It was deployed at 14:27.", ("f1-logs-1",), "no_such_figure"),  # true, and cited wrongly
        ("", ("f1-logs-1",), "empty"),
        ("x " * 300, ("f1-logs-1",), "too_long"),
        ("Read https://evil.example now.", ("f1-logs-1",), "not_plain"),
        ("Read [this](x) now.", ("f1-logs-1",), "not_plain"),
        ("Tell @everyone about it.", ("f1-logs-1",), "not_plain"),
        ("Run `rm -rf /` now.", ("f1-logs-1",), "not_plain"),
        ("<b>Payments</b> fails.", ("f1-logs-1",), "not_plain"),
    ],
)
def test_what_is_not_backed_is_dropped(text: str, cites: tuple[str, ...], why: str) -> None:
    """Each for a reason that is counted."""
    assert {why: 1} == dropped(text, *cites)


def test_a_look_that_saw_nothing_supports_no_cause() -> None:
    """That somewhere nothing could be seen is no evidence, for or against."""
    assert {"saw_nothing": 1} == dropped("It was not reached.", "f1-db-1", use=Use.HYPOTHESES)


@pytest.mark.parametrize("about", [0, 3, -1])
def test_an_objection_is_to_something(about: int) -> None:
    """One to a cause that was not named is dropped."""
    assert {"no_such_hypothesis": 1} == dropped("It came later.", "e-17", use=Use.CONTRARY, hypothesis=about)


@pytest.mark.parametrize(
    "text", ["", "Sure!", "[]", '{"statements": 7}', '{"other": []}', '{"statements": [', "{" * 5000]
)
def test_what_is_not_the_json_that_was_asked_for_is_nothing(text: str) -> None:
    """Nothing is guessed of it."""
    with pytest.raises(Invalid):
        believe(text, use=Use.SUMMARY, material=MATERIAL)


def test_an_answer_between_fences_is_read() -> None:
    """Models without a schema write so."""
    text = '```json\n{"statements": [{"text": "Payments fails.", "cites": ["e-17"]}]}\n```'

    assert 1 == len(believe(text, use=Use.SUMMARY, material=MATERIAL).statements)


def test_what_is_too_much_is_left() -> None:
    """The first are kept."""
    many = [{"text": "Payments fails.", "cites": ["e-17"]}] * 50

    assert {"too_many": 50 - MOST[Use.SUMMARY]} == (
        believe(json.dumps({"statements": many}), use=Use.SUMMARY, material=MATERIAL).dropped
    )


@pytest.mark.parametrize("one", [7, "text", None, {"text": ["a"]}, {"text": {"a": 1}, "cites": "e-17"}])
def test_what_has_another_shape_is_dropped(one: object) -> None:
    """One bad entry takes no other along."""
    good = {"text": "Payments fails.", "cites": ["e-17"]}
    found = believe(json.dumps({"statements": [one, good]}), use=Use.SUMMARY, material=MATERIAL)

    assert (1, {"shapeless": 1}) == (len(found.statements), found.dropped)


def test_a_cause_that_is_contradicted_does_not_stand() -> None:
    """The other one does."""
    claims = claims_of([Statement(text="a", cites=("e-17",), title=name) for name in ("one", "two")])
    after = judged(claims, [Statement(text="no", cites=("e-17",), about=2)])

    assert [Standing.STANDS, Standing.CONTRADICTED] == [one.standing for one in after]
