"""An incident in which a shipped runbook is used: its checks asked for real, its changes approved and run for real."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stanch.catalog.model import Catalog
from stanch.catalog.systems import SystemConfig
from stanch.mitigate.runbooks.shelf import read_shelf
from stanch.operations.runbooks.views import CheckView
from stanch.ports.actuator import Actuator
from stanch.ports.query import QuerySource
from tests.operations.desk import Desk

RUNBOOKS = Path(str(__import__("stanch").__path__[0])) / "mitigate" / "runbooks" / "library"
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Case:
    """One incident on checkout, and the runbook that is used in it."""

    desk: Desk
    runbook: str
    number: int

    def outcomes(self, part: str = "checks") -> dict[int, str]:
        """Run the checks of a part and return how each ended, by the number of its block."""
        found = self.desk.ask("runbook.check", incident=self.number, runbook=self.runbook, part=part)
        assert isinstance(found, tuple)
        return {one.block: one.outcome for one in found if isinstance(one, CheckView)}

    def wrong(self, part: str = "checks") -> list[int]:
        """Return the blocks that did not find what they expect, or could not be asked of a system that is there."""
        return [block for block, outcome in self.outcomes(part).items() if outcome == "not_as_expected"]

    def mend(self, block: int) -> str:
        """Propose, approve and run a change, and return what it said; fails where it does."""
        self.desk.ask("runbook.propose", incident=self.number, runbook=self.runbook, block=block)
        id = f"runbook-{self.runbook}-{block}"
        plan = self.desk.state(self.number).actions[id].plan
        self.desk.ask("mitigation.approve", incident=self.number, plan=id, digest=plan.digest)
        self.desk.work()
        action = self.desk.state(self.number).actions[id]
        said = "\n".join((*action.output, action.not_run))

        assert 0 == action.code, said
        return said


def case(
    desk: Desk,
    folder: Path,
    runbook: str,
    *,
    systems: tuple[QuerySource, ...] = (),
    endpoints: tuple[QuerySource, ...] = (),
    configured: tuple[SystemConfig, ...] = (),
    actuators: Mapping[str, Actuator] | None = None,
    sooner: Mapping[str, str] = NONE,
    labels: Mapping[str, str] = NONE,
) -> Case:
    """Return a case on the real systems. `sooner` are words of the runbook in place of others: lengths of time, so that
    nobody waits for minutes. All else is as it ships."""
    text = (RUNBOOKS / f"{runbook}.md").read_text(encoding="utf-8")
    for old, new in sooner.items():
        assert old in text, f"{runbook} does not say {old}"
        text = text.replace(old, new)
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "runbooks" / f"{runbook}.md").write_text(text, encoding="utf-8")
    catalog: Catalog = replace(desk.world.catalog, root=str(folder), systems={one.name: one for one in configured})
    world = replace(
        desk.world,
        catalog=catalog,
        systems=systems,
        endpoints=endpoints,
        actuators={**desk.world.actuators, **(actuators or {})},
    )
    other = replace(desk, world=world)
    number = other.declare()
    if labels:
        alert = other.alert("checkout")
        attached = other.state(number).alerts[alert.id].alert
        other.tell(number, replace(attached, labels={**attached.labels, **labels}))
    assert runbook in read_shelf(folder / "runbooks").runbooks
    return Case(other, runbook, number)
