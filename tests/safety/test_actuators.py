"""The corpus through every actuator, in every place that the diagnosis fills: refused, or it arrives as it is.

Each string is put into every word of a cause, a plan is made of an action as an owner declares it, and what is left of
it is carried out against a far end that keeps what it was sent.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from stanch.app.actuators import open_actuators
from stanch.app.systems import Systems
from stanch.catalog.actuators import ACTUATORS, SETTINGS
from stanch.catalog.model import ActionSpec
from stanch.incidents.model import Hypothesis
from stanch.integrations.command import CommandActuator
from stanch.integrations.flags import FlagActuator, Flagd, LaunchDarkly, TemplatedFlags, Unleash
from stanch.integrations.http import HttpActuator
from stanch.kernel.errors import Refused
from stanch.mitigate.plan import make_plan
from stanch.ports.actuator import Actuator, Step
from stanch.ports.keeping import Keeping
from tests.mitigate.situations import cause_of, incident, shop
from tests.support.farend import Asked, Reply, Site, site
from tests.support.hostile import CORPUS, MARK, hidden_in

PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@+,-")
"""What means nothing to anything that reads code."""


def plan_of(spec: ActionSpec, text: str, tmp_path: Path) -> tuple[Step, ...]:
    """Return the steps of a plan whose every word is `text`; none where it is refused."""
    catalog = replace(shop(spec), root=str(tmp_path))
    found: Hypothesis = replace(
        cause_of(spec.mitigation, version=text, previous=text), change=text, commit=text, target=text, title=text
    )
    try:
        plan = make_plan(
            incident(cause=found),
            catalog,
            spec,
            service=catalog.services["payments"],
            hypothesis=found,
            expectation=None,
        )
    except Refused:
        return ()
    return (*plan.steps, *plan.dry_run, *plan.undo)


def spec_of(**more: object) -> ActionSpec:
    """Return an action that a cause of its own kind fills every word of."""
    base = ActionSpec(name="act", mitigation="failover", title="act")
    return replace(base, **more)  # type: ignore[arg-type]  # fields of the action


@pytest.fixture
def nothing_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty folder; a file that a string of the corpus would make fails the test."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path

    assert [] == [one.name for one in tmp_path.rglob(f"*{MARK}*")]


def test_a_command_gets_it_as_one_argument(nothing_done: Path) -> None:
    """What a program is handed is the string itself, or nothing at all: no option, no second argument."""
    spec = spec_of(run=("printf", "%s|%s", "{version}", "to={previous}"))
    wrong = []
    for name, text in CORPUS.items():
        for step in plan_of(spec, text, nothing_done)[:1]:
            wrong += [] if ("printf", "%s|%s", text, f"to={text}") == step.argv and text[0] != "-" else [name]
            said: list[str] = []
            result = CommandActuator().run(step, emit=said.append)
            wrong += [name] if result.code not in (0, 127) or hidden_in("".join(said)) else []

    assert [] == wrong


@pytest.mark.parametrize(
    "run",
    [
        ("sh", "-c", "echo {version}"),
        ("sh", "-c", "echo '{version}'"),
        ("ssh", "host", "deploy", "{version}"),
        ("env", "X=1", "bash", "-c", 'deploy "{version}"'),
        ("kubectl", "exec", "pod", "--", "sh", "-c", "echo {version}"),
        ("psql", "-c", "SELECT deploy('{version}')"),
        ("python3", "-c", "print('{version}')"),
        ("mysql", "--execute=CALL deploy('{version}')"),
    ],
)
def test_what_reads_code_gets_plain_words_alone(nothing_done: Path, run: tuple[str, ...]) -> None:
    """A command may bring a shell of its own: there only a word that means nothing to it is filled in."""
    passed = [
        text
        for text in (*CORPUS.values(), "v3.2.0")
        for step in plan_of(spec_of(run=run), text, nothing_done)
        if not set(text) <= PLAIN
    ]

    assert ([], 1) == (passed, len(plan_of(spec_of(run=run), "v3.2.0", nothing_done)))


@dataclass
class Kept:
    """A far end that keeps what it is asked and answers an empty object."""

    status: int = 200

    def __call__(self, asked: Asked) -> Reply:
        """Answer."""
        return Reply(status=self.status, body="{}")


@pytest.fixture
def far() -> Iterator[Site]:
    """Give a far end."""
    with site(Kept()) as here:
        yield here


def test_a_request_gets_it_in_its_place(far: Site, nothing_done: Path) -> None:
    """In the path it is one segment, in the body one text; no header, host or second field is made of it."""
    spec = spec_of(
        uses="http",
        settings={
            "url": f"{far.url}/deploys/{{version}}/undo",
            "body": '{"to": "{previous}", "by": "stanch"}',
            "method": "PUT",
        },
    )
    wrong = []
    for name, text in CORPUS.items():
        for step in plan_of(spec, text, nothing_done)[:1]:
            before = len(far.asked)
            HttpActuator().run(step, emit=lambda line: None)
            for asked in far.asked[before:]:
                segments = asked.path.split("/")
                told = json.loads(asked.body)
                clean = [unquote(segments[2])] == [text] and len(segments) == 4 and "?" not in asked.path
                right = told == {"to": text, "by": "stanch"} and "X-Evil" not in asked.headers
                wrong += [] if clean and right else [name]

    assert ([], True) == (wrong, len(far.asked) > len(CORPUS) // 2)


def test_a_body_that_is_ended_by_a_value_is_refused(nothing_done: Path) -> None:
    """Outside quotes, or in a language that is not known, only what leaves the body as it is goes in."""
    bodies = {"application/json": '{"to": {version}, "by": 1}', "application/x-yaml": "to: {version}\nby: 1"}
    settings = [{"url": "http://x/", "body": body, "type": kind} for kind, body in bodies.items()]
    passed = [
        text
        for text in ('1, "admin": true', "2\nadmin: true", '"}, {"', *CORPUS.values())
        for one in settings
        for step in plan_of(spec_of(uses="http", settings=one), text, nothing_done)
        if not set(text) <= PLAIN
    ]

    assert [] == passed


def flags(far: Site) -> dict[str, tuple[Actuator, Mapping[str, str]]]:
    """Return every actuator of flags with settings in which every place is filled."""

    def nowhere(clone: Path, path: str, branch: str, remote: str) -> Keeping:
        raise Refused("no git here")

    place = {"flag": "{flag}", "environment": "{target}", "project": "{target}", "set": "off", "token_env": "HOME"}
    own = {"url": f"{far.url}/flags/$flag", "body": '{"on": $value, "name": $flag}', "flag": "{flag}", "set": "off"}
    return {
        "flag.launchdarkly": (FlagActuator(LaunchDarkly(), read_back_s=0), {**place, "url": far.url}),
        "flag.unleash": (FlagActuator(Unleash(), read_back_s=0), {**place, "url": far.url}),
        "flag.http": (FlagActuator(TemplatedFlags(), read_back_s=0), own),
        "flag.flagd": (
            FlagActuator(Flagd(nowhere), read_back_s=0),
            {"flag": "{flag}", "file": "{version}", "set": "off"},
        ),
    }


@pytest.mark.parametrize("name", ["flag.launchdarkly", "flag.unleash", "flag.http", "flag.flagd"])
def test_a_flag_is_one_name(far: Site, nothing_done: Path, name: str) -> None:
    """Its name is one segment of a path, or refused; nothing is read above the folder."""
    actuator, settings = flags(far)[name]
    spec = spec_of(uses=name, settings=dict(settings))
    wrong = []
    for label, text in CORPUS.items():
        for step in plan_of(spec, text, nothing_done):
            before = len(far.asked)
            result = actuator.run(step, emit=lambda line: None)
            paths = [asked.path.partition("?")[0] for asked in far.asked[before:]]
            wrong += [label for path in paths if not path.isascii() or ".." in unquote(path).split("/")]
            wrong += [label] if result.code == 0 or hidden_in(result.output) or "root:" in result.output else []

    assert [] == wrong


def _filled(actuator: str) -> dict[str, str]:
    """Return settings of an actuator with a word from outside in each place where an owner could put one."""
    return {
        setting.name: setting.words[0] if setting.words else "{version}"
        for setting in SETTINGS[actuator]
        if setting.name not in ("token_env", "url", "check_url", "read_url", "ofrep_url", "socket")
    }


@pytest.mark.parametrize("name", sorted(set(ACTUATORS) - {"command", "http"} - {n for n in ACTUATORS if "flag." in n}))
def test_no_other_actuator_takes_it_for_a_name(nothing_done: Path, name: str) -> None:
    """Filled into every setting at once it has problems, or is looked at as a name that there is not: nothing runs."""
    actuators: dict[str, Actuator] = open_actuators(Systems())
    actuator = actuators.get(name)
    spec = spec_of(uses=name, settings=_filled(name))
    passed = [
        label
        for label, text in CORPUS.items()
        for step in plan_of(spec, text, nothing_done)
        if actuator is not None and not actuator.problems(step)
    ]

    assert [] == passed


def test_every_actuator_is_among_those_that_are_tried() -> None:
    """Whatever an action may use is in the list that the tests above go by."""
    made: Callable[[Systems], dict[str, Actuator]] = open_actuators

    assert set() == set(made(Systems())) - set(ACTUATORS) - {
        "statement",
        "postgresql.kill",
        "mysql.kill",
        "sqlite.kill",
    }
