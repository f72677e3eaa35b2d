"""docs/oncall.md against the product."""

import re
from pathlib import Path

from stanch.catalog.load import load_catalog
from stanch.operations.oncall.checking import check_folder
from stanch.surfaces.cli.commands.moving import TOOLS
from stanch.surfaces.cli.commands.oncall import oncall
from tests.oncall.rota import utc

PAGE = (Path(__file__).parents[2] / "docs/oncall.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_first_example_breaks_no_rule(tmp_path: Path) -> None:
    """On-call in five minutes is valid, breaks no rule for a year, and the assertions below it hold."""
    (tmp_path / "stanch.toml").write_text('[services.checkout]\nteam = "commerce"\n')
    (tmp_path / "oncall").mkdir()
    (tmp_path / "oncall/checkout.toml").write_text("check_days = 365\n" + EXAMPLES[0])
    (tmp_path / "oncall/tests.toml").write_text(EXAMPLES[1])
    checked = check_folder(load_catalog(tmp_path), None, tmp_path, now=utc("2026-11-21T06:00"))

    assert () == checked.problems


def test_every_command_of_the_page_exists() -> None:
    """What the page calls `stanch oncall ...` is a command, or a service's or schedule's name."""
    words = set(re.findall(r"stanch oncall ([a-z]+)", PAGE)) - {"checkout"}

    assert set() == words - set(oncall.commands)


def test_every_tool_is_in_the_table() -> None:
    """Each tool that is imported has its line in both tables."""
    titles = {"pagerduty": "PagerDuty", "opsgenie": "Opsgenie", "grafana-oncall": "Grafana OnCall"}

    assert dict.fromkeys(TOOLS, 2) == {tool: PAGE.count(f"| {titles[tool]} |") for tool in TOOLS}
