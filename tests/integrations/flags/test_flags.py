"""Flags set off, on and for a share at far ends that speak the documented APIs; undone exactly; races refused."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from stanch.integrations.flags import FlagActuator, LaunchDarkly, TemplatedFlags, Unleash
from stanch.kernel.event import JSON
from stanch.ports.actuator import Step
from tests.integrations.flags.far import TOKEN, Far, LaunchDarklyFar, OwnFar, UnleashFar
from tests.support.farend import site


@dataclass(frozen=True)
class Case:
    """One far end with the actuator that is told of it."""

    far: Far
    actuator: FlagActuator
    settings: dict[str, JSON]

    def step(self, **settings: JSON) -> Step:
        """Return a step."""
        return Step(actuator=self.actuator.name, timeout_s=5, data={**self.settings, **settings})

    def run(self, step: Step) -> tuple[int, str]:
        """Carry a step out."""
        result = self.actuator.run(step, emit=lambda line: None)
        return result.code, result.output

    def set(self, wanted: str) -> Step:
        """Look at a step, run what came out exact, and return the undo."""
        outlook = self.actuator.look(self.step(set=wanted))
        if outlook.refusal or outlook.undo is None or self.run(outlook.step)[0]:
            raise AssertionError(f"could not be set: {outlook.refusal or self.run(outlook.step)[1]}")
        return outlook.undo


_PLACE = {"project": "shop", "environment": "production"}
_TEMPLATES = {"url": "/flags/$flag", "body": '{"value": $value, "name": $flag}', "path": "flag.value"}
_CASES: dict[str, tuple[Callable[[], Far], FlagActuator, dict[str, str]]] = {
    "launchdarkly": (LaunchDarklyFar, FlagActuator(LaunchDarkly(), read_back_s=0.3), _PLACE),
    "unleash": (UnleashFar, FlagActuator(Unleash(), read_back_s=0.3), _PLACE),
    "http": (OwnFar, FlagActuator(TemplatedFlags(), read_back_s=0.3), _TEMPLATES),
}


@pytest.fixture(params=list(_CASES))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give a far end whose flag `fast` is on, and the actuator."""
    yield from _opened(request.param, monkeypatch)


@pytest.fixture
def launchdarkly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give LaunchDarkly."""
    yield from _opened("launchdarkly", monkeypatch)


@pytest.fixture
def unleash(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give Unleash."""
    yield from _opened("unleash", monkeypatch)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Give a service with entity tags."""
    yield from _opened("http", monkeypatch)


def _opened(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    make, actuator, settings = _CASES[name]
    far = make()
    monkeypatch.setenv("FLAGS_TOKEN", TOKEN)
    with site(far.answer) as here:
        given: dict[str, JSON] = {**settings, "flag": "fast", "token_env": "FLAGS_TOKEN"}
        given["url"] = here.url + settings.get("url", "")
        yield Case(far=far, actuator=actuator, settings=given)


def test_off_and_on(case: Case) -> None:
    """It is switched off, and on again."""
    case.set("off")
    off = case.far.is_on
    case.set("on")

    assert (False, True) == (off, case.far.is_on)


def test_the_undo_is_exact(case: Case) -> None:
    """After a share and its undo the far end has what it had before, in every field."""
    before = copy.deepcopy(case.far.state)
    undo = case.set("25")
    changed = copy.deepcopy(case.far.state)
    code, _ = case.run(undo)

    assert (False, 0, before) == (before == changed, code, case.far.state)


def test_a_look_changes_nothing(case: Case) -> None:
    """It reads, and shows the request."""
    before = copy.deepcopy(case.far.state)
    outlook = case.actuator.look(case.step(set="off"))

    assert ({"GET"}, before, True, True) == (
        {asked.method for asked in case.far.asked},
        case.far.state,
        bool(outlook.fingerprint),
        "it would be off" in outlook.preview[0],
    )


def test_the_fingerprint_follows_the_flag(case: Case) -> None:
    """What somebody else changed is another world."""
    first = case.actuator.look(case.step(set="10")).fingerprint
    same = case.actuator.look(case.step(set="10")).fingerprint
    case.set("off")

    assert (True, False) == (first == same, first == case.actuator.look(case.step(set="10")).fingerprint)


def test_a_flag_that_was_changed_since_is_left_alone(case: Case) -> None:
    """The step knows what it was looked at for."""
    step = case.actuator.look(case.step(set="10")).step
    case.set("off")
    code, said = case.run(step)

    assert (1, True, False) == (code, "somebody else changed it" in said, case.far.is_on)


def test_nothing_to_do_is_said(case: Case) -> None:
    """A flag that is on already is not proposed to be set on, and a run sends nothing."""
    outlook = case.actuator.look(case.step(set="on"))
    code, _ = case.run(case.step(set="on"))

    assert (True, 0, {"GET"}) == (
        outlook.refusal.endswith("already"),
        code,
        {asked.method for asked in case.far.asked},
    )


def test_a_refusal_of_the_far_end_is_told_without_the_token(case: Case) -> None:
    """What it says is passed on; the token that it repeats is not."""
    case.far.refuses = 403
    code, said = case.run(case.step(set="off"))

    assert (1, True, False) == (code, "403" in said and "not for you" in said, TOKEN in said)


def test_a_wrong_token_is_a_refusal(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look says so, without it."""
    monkeypatch.setenv("FLAGS_TOKEN", "wrong-hunter2-token")
    refusal = case.actuator.look(case.step(set="off")).refusal

    assert (True, False) == ("401" in refusal, "hunter2" in refusal)


def test_a_flag_that_is_not_there(case: Case) -> None:
    """Is a refusal, not a success."""
    assert "is not there" in case.actuator.look(case.step(set="off", flag="absent")).refusal


def test_a_write_that_the_far_end_swallows_is_no_success(case: Case) -> None:
    """It answers 200 and changes nothing: reading back says so."""
    case.far.swallows = True
    code, said = case.run(case.step(set="off"))

    assert (1, True, True) == (code, case.far.is_on, "it should be off" in said)


def test_a_dry_run_sends_nothing(case: Case) -> None:
    """It says what would be sent."""
    code, said = case.run(case.step(set="off", dry_run=True))

    assert (0, {"GET"}, True) == (code, {asked.method for asked in case.far.asked}, "it would be off" in said)


def test_a_race_is_refused_by_the_far_end(own: Case) -> None:
    """Between our read and our write somebody writes: the entity tag no longer fits, and that is told."""

    def somebody() -> None:
        assert isinstance(own.far, OwnFar)
        own.far.revision = 99

    own.far.meanwhile = somebody
    code, said = own.run(own.step(set="off"))

    assert (1, True, True) == (code, "somebody else changed it" in said, own.far.is_on)


def test_a_share_of_launchdarkly_is_in_thousandths(launchdarkly: Case) -> None:
    """25 % are 25,000 of 100,000 for the variation that is true, the rest for the one that is off."""
    launchdarkly.set("25 %")
    assert isinstance(launchdarkly.far, LaunchDarklyFar)

    parts = [{"variation": 0, "weight": 25_000}, {"variation": 1, "weight": 75_000}]
    assert {"rollout": {"variations": parts}} == launchdarkly.far.here["fallthrough"]


def test_a_share_of_unleash_needs_one_gradual_rollout(unleash: Case) -> None:
    """With a second strategy any of them turns it on, so a share would not hold."""
    assert isinstance(unleash.far, UnleashFar)
    unleash.far.strategies.append({"id": "2", "name": "default", "parameters": {}, "constraints": []})
    refusal = unleash.actuator.look(unleash.step(set="25")).refusal

    assert "a share needs one active strategy, a gradual rollout; there are: flexibleRollout, default" == refusal


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"set": "maybe"}, "set must be"),
        ({"set": "101"}, "set must be"),
        ({"flag": "../../other"}, "flag cannot be"),
        ({"flag": "--force"}, "flag cannot be"),
        ({"flag": ".."}, "flag cannot be"),
        ({"flag": "a/b"}, "flag cannot be"),
        ({"token_env": "NOT_THERE_AT_ALL"}, "NOT_THERE_AT_ALL is not set"),
        ({"url": "ftp://x"}, "must be a URL"),
        ({"url": "http://me:hunter2@x"}, "holds a password"),
        ({"environment": ""}, "environment is missing"),
        ({"key": "x"}, "no setting"),
    ],
)
def test_what_cannot_be_done_says_why(unleash: Case, settings: dict[str, JSON], why: str) -> None:
    """Before anything is sent, and without the password."""
    said = "; ".join(unleash.actuator.problems(unleash.step(**{"set": "off", **settings})))

    assert (True, False, []) == (why in said, "hunter2" in said, unleash.far.asked)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"body": '{"on": 1}'}, "the value goes nowhere"),
        ({"body": "{$value"}, "body must be JSON"),
        ({"method": "DELETE"}, "method must be one of"),
        ({"on": "yes"}, "on must be JSON"),
        ({"read_url": "file:///etc/passwd"}, "read_url must be a URL"),
    ],
)
def test_a_template_that_cannot_work_says_why(own: Case, settings: dict[str, JSON], why: str) -> None:
    """Before anything is sent."""
    assert why in "; ".join(own.actuator.problems(own.step(**{"set": "off", **settings})))


def test_a_name_in_a_template_stays_one(own: Case) -> None:
    """A name that reads like a template is not filled again, and stays one segment of the path."""
    refusal = own.actuator.look(replace(own.step(set="off", flag="x~:y"))).refusal

    assert ("/flags/x~%3Ay", True) == (own.far.asked[-1].path, "is not there" in refusal)
