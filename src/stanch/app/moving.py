"""The wiring of moving: which other tools there are, and a configuration folder beside one of their exports."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from stanch.app.world import calendars_for
from stanch.catalog.load import load_catalog
from stanch.integrations.grafanaoncall import GrafanaOnCallExport
from stanch.integrations.opsgenie import OpsgenieExport
from stanch.integrations.pagerduty import PagerDutyExport
from stanch.operations.oncall.moving.carrying import Carried, carry
from stanch.operations.oncall.moving.shadow import Compared, shadow
from stanch.operations.oncall.replays import Replayed, replay
from stanch.ports.migration import OtherTool

TOOLS: Final[Mapping[str, OtherTool]] = {
    one.name: one for one in (PagerDutyExport(), OpsgenieExport(), GrafanaOnCallExport())
}


def carry_over(tool: str, export: Path, folder: Path, *, now: datetime, over: bool) -> Carried:
    """Write the configuration that an export says below `folder`; raises what `carry` raises."""
    return carry(TOOLS[tool], export, folder, now=now, over=over, calendars_for=calendars_for)


def compare_shadow(tool: str, log: Path, folder: Path) -> Compared:
    """Compare the configuration in `folder` with what the other tool did; raises what `shadow` raises."""
    return shadow(TOOLS[tool], log, load_catalog(folder), calendars_for=calendars_for)


def replay_folder(folder: Path, past: Mapping[str, object]) -> tuple[Replayed, ...]:
    """Run what happened through the configuration in `folder`."""
    return replay(past, load_catalog(folder), calendars_for=calendars_for)
