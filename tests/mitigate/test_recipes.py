"""The recipes of docs/actions.md, each looked at, run and taken back against a gateway that keeps state."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stanch.app.actuators import open_actuators
from stanch.app.systems import Systems
from stanch.catalog.load import load_catalog
from stanch.kernel.event import JSON
from stanch.mitigate.foresight import Seen, made_exact
from stanch.mitigate.plan import make_plan
from stanch.ports.actuator import Foreseeing, Step
from tests.mitigate.situations import incident
from tests.support.farend import Asked, Reply, site

DOCS = Path(__file__).parents[2] / "docs" / "actions.md"
RECIPES = dict(re.findall(r"^### ([^\n]+)\n\n```toml\n(.*?)```", DOCS.read_text().split("## Recipes")[1], re.S | re.M))
# By recipe: where its state is, what it is at first, and what it is afterwards.
STATES: dict[str, tuple[str, JSON, JSON]] = {
    "Rate limit": ("/routes/checkout/limit", {"per_second": 500}, {"per_second": 50}),
    "Circuit breaker": ("/breakers/acquirer", {"open": False}, {"open": True}),
    "Traffic shift": ("/weights/canary", {"percent": 25}, {"percent": 0}),
}
CACHED: JSON = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


@dataclass
class Gateway:
    """Keeps JSON by path: `PUT` replaces it, `GET` tells it."""

    state: dict[str, JSON] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if asked.path not in self.state:
            return Reply(status=404)
        if asked.method == "PUT":
            self.state[asked.path] = json.loads(asked.body)
        return Reply(body=json.dumps(self.state[asked.path]))


@dataclass(frozen=True)
class Kitchen:
    """The gateway, where it is, and a folder for the configuration."""

    gateway: Gateway
    url: str
    folder: Path

    def cook(self, recipe: str) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """Return the exact steps of a recipe, and those that take it back."""
        text = RECIPES[recipe].replace("https://gateway.example", self.url)
        (self.folder / "stanch.toml").write_text(f"[services.checkout]\ntier = 1\n{text}")
        catalog = load_catalog(self.folder)
        service = catalog.services["checkout"]
        (spec,) = service.actions
        plan = make_plan(incident(), catalog, spec, service=service, hypothesis=None, expectation=None)
        seen = []
        for step in plan.steps:
            actuator = open_actuators(Systems())[step.actuator]
            assert isinstance(actuator, Foreseeing)
            seen.append(Seen(outlook=actuator.look(step)))
        exact = made_exact(plan, seen)
        assert "" == exact.refusal + exact.unseen
        return exact.steps, exact.undo

    def run(self, steps: tuple[Step, ...]) -> int:
        """Carry steps out and return the sum of their codes."""
        actuators = open_actuators(Systems())
        return sum(actuators[step.actuator].run(step, emit=lambda line: None).code for step in steps)


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Kitchen]:
    """Give a gateway as it is before anything is done."""
    gateway = Gateway({path: before for path, before, _ in STATES.values()})
    with site(gateway.answer) as here:
        yield Kitchen(gateway=gateway, url=here.url, folder=tmp_path)


@pytest.mark.parametrize("recipe", STATES)
def test_a_recipe_works_and_is_taken_back(kitchen: Kitchen, recipe: str) -> None:
    """As it stands in the documentation: done, read back, and undone to exactly what was there."""
    path, before, after = STATES[recipe]
    steps, undo = kitchen.cook(recipe)
    codes = [kitchen.run(steps)]
    found = [kitchen.gateway.state[path]]
    codes.append(kitchen.run(undo))
    found.append(kitchen.gateway.state[path])

    assert ([0, 0], [after, before]) == (codes, found)


def test_cached_data_is_a_flag_of_a_file(kitchen: Kitchen) -> None:
    """The file of flagd says so, and then what it said before."""
    file = kitchen.folder / "flags.json"
    file.write_text(json.dumps({"flags": {"serve-cached": CACHED}}))
    steps, undo = kitchen.cook("Cached data")
    codes = [kitchen.run(steps)]
    served = json.loads(file.read_text())["flags"]["serve-cached"]["defaultVariant"]
    codes.append(kitchen.run(undo))

    assert ([0, 0], "on", CACHED) == (codes, served, json.loads(file.read_text())["flags"]["serve-cached"])


def test_every_recipe_is_tried() -> None:
    """One that is added to the documentation is added here."""
    assert {*STATES, "Cached data"} == set(RECIPES)
