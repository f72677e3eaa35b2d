"""Both protocols against a server that speaks them: what is asked, what is understood, and how it goes wrong."""

from collections.abc import Iterator

import pytest

from stanch.integrations.thinker import THINKERS
from stanch.ports.thinker import Answer, Ask, Stop, Thinker, ThinkerSettings, Unanswered
from tests.support.models import Line, Model, model

SECRET = "sk-thinker-0123456789abcdefghij"
ASK = Ask(id="inc1/think/1", task="Be brief.", data='{"a": 1}', schema={"type": "object"}, most_tokens=300)
KINDS = ("anthropic", "openai", "local")


@pytest.fixture
def far() -> Iterator[Model]:
    """Give a model with nothing to say yet."""
    with model() as found:
        yield found


def thinker(kind: str, url: str, *, timeout_s: float = 20.0, structured: bool = True) -> Thinker:
    """Return a thinker of a kind, pointed at `url`."""
    settings = ThinkerSettings(
        kind=kind, url=url, model="scripted", secret=SECRET, timeout_s=timeout_s, structured=structured
    )
    return THINKERS[kind](settings)


def asked(kind: str, far: Model, *lines: Line, timeout_s: float = 20.0) -> Answer:
    """Ask once, with `lines` to be answered."""
    far.says(*lines)
    return thinker(kind, far.url, timeout_s=timeout_s).think(ASK)


def failure(kind: str, far: Model, line: Line, *, timeout_s: float = 20.0) -> Unanswered:
    """Ask once and return how it went wrong."""
    with pytest.raises(Unanswered) as caught:
        asked(kind, far, line, timeout_s=timeout_s)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_understood(kind: str, far: Model) -> None:
    """Text, why it stopped, the model's own name, and the tokens; what it thought aloud is left out."""
    answer = asked(kind, far, Line(text="{}"))

    assert ("{}", Stop.DONE, "scripted-1", 1_000, 100) == (
        answer.text,
        answer.stop,
        answer.model,
        answer.input_tokens,
        answer.output_tokens,
    )


@pytest.mark.parametrize(
    ("kind", "path", "header", "length"),
    [
        ("anthropic", "/v1/messages", ("x-api-key", SECRET), "max_tokens"),
        ("openai", "/chat/completions", ("authorization", f"Bearer {SECRET}"), "max_completion_tokens"),
        ("local", "/chat/completions", ("authorization", f"Bearer {SECRET}"), "max_tokens"),
    ],
)
def test_a_question_is_asked_as_the_protocol_says(
    kind: str, path: str, header: tuple[str, str], length: str, far: Model
) -> None:
    """The path, the key in its header, how long the answer may be; and no tool."""
    asked(kind, far, Line(text="{}"))
    heard = far.heard[0]

    assert (path, header[1], 300, '{"a": 1}', False) == (
        heard.path,
        heard.headers[header[0]],
        heard.body[length],
        heard.data,
        "tools" in heard.body,
    )


@pytest.mark.parametrize(("kind", "word"), [("anthropic", "output_config"), ("openai", "response_format")])
def test_the_schema_can_be_left_out(kind: str, word: str, far: Model) -> None:
    """A server that does not know the word is not sent it."""
    far.says(Line(text="{}"), Line(text="{}"))
    thinker(kind, far.url).think(ASK)
    thinker(kind, far.url, structured=False).think(ASK)

    assert [True, False] == [word in heard.body for heard in far.heard]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", [Stop.REFUSED, Stop.CUT_OFF])
def test_a_refusal_and_a_cut_are_told_apart(kind: str, stop: Stop, far: Model) -> None:
    """Neither is an answer that is complete."""
    assert stop is asked(kind, far, Line(text="I would", stop=stop.value)).stop


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_are_not_counted_are_not_made_up(kind: str, far: Model) -> None:
    """A server of one's own may say nothing of them."""
    answer = asked(kind, far, Line(text="{}", tokens=None))

    assert (None, None) == (answer.input_tokens, answer.output_tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_requests_cost_nothing(kind: str, far: Model) -> None:
    """A 429 says when to try again; the question was not read."""
    body = '{"error": {"message": "slow down"}}'
    error = failure(kind, far, Line(status=429, body=body, headers=(("Retry-After", "7"),)))

    assert (True, False, "it asks to wait 7 s", True) == (
        error.retry,
        error.begun,
        error.hint,
        "429 slow down" in error.message,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_hangs_is_left(kind: str, far: Model) -> None:
    """After its time-out; it may have read the question."""
    error = failure(kind, far, Line(hangs=True), timeout_s=0.3)

    assert (True, True) == (error.retry, error.begun)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "line",
    [
        Line(text="{}", breaks=True),
        Line(body='{"content": ['),
        Line(body="[]"),
        Line(body='{"content": 7, "choices": 7}'),
        Line(status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
    ],
    ids=["broken off", "half JSON", "a list", "another shape", "elsewhere"],
)
def test_what_is_no_answer_is_none(kind: str, line: Line, far: Model) -> None:
    """A truncated body, another shape, and a way to another host raise, and nothing else follows."""
    failure(kind, far, line)

    assert 1 == len(far.heard)


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_not_there_is_no_cost(kind: str) -> None:
    """Nothing was read where nobody listens."""
    with pytest.raises(Unanswered) as caught:
        thinker(kind, "http://127.0.0.1:9").think(ASK)

    assert not caught.value.begun


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_holds_the_key(kind: str, far: Model) -> None:
    """Also where the far end repeats it."""
    error = failure(kind, far, Line(status=401, body=f'{{"error": {{"message": "bad key {SECRET}"}}}}'))

    assert SECRET not in f"{error.message} {error.hint} {error!r}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lists", "known"), [(["scripted", "other"], True), (None, None)])
def test_a_model_is_looked_up(kind: str, far: Model, lists: list[str] | None, known: bool | None) -> None:
    """Whether a place has the model is asked without asking the model; a place that has no list says nothing."""
    far.lists = lists

    assert known is thinker(kind, far.url).knows_model()
    assert [("GET", {})] == [("GET", one.body) for one in far.heard]


@pytest.mark.parametrize("kind", ["openai", "local"])
def test_a_model_that_is_not_listed(kind: str, far: Model) -> None:
    """A list without it says that it is not there."""
    far.lists = ["other"]

    assert thinker(kind, far.url).knows_model() is False


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_shows_when_looked_up(kind: str, far: Model) -> None:
    """The answer names the key's setting, and not the key."""
    far.lists, far.key = ["scripted"], "another"
    with pytest.raises(Unanswered, match="401 invalid key") as caught:
        thinker(kind, far.url).knows_model()

    assert (True, False) == ("key_env" in caught.value.hint, SECRET in str(caught.value))


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://127.0.0.1:1", "nothing listens there"), ("http://no-such-host.invalid", "its name is not known")],
)
def test_why_it_cannot_be_reached(url: str, why: str) -> None:
    """The reason is said in words, and not by the name of a class."""
    with pytest.raises(Unanswered) as caught:
        thinker("local", url).think(ASK)

    assert f"{url.removeprefix('http://')} cannot be reached: {why}" == caught.value.message
