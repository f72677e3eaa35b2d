"""The plugin for Claude Code: it is valid in the eyes of the program it is for, and says what the prompts say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from stanch import __version__
from stanch.surfaces.mcp.prompts import PROMPTS
from stanch.surfaces.mcp.tools import TOOLS
from tests.support.needs import lacking

ROOT: Final = Path(__file__).resolve().parents[2]
PLUGIN: Final = ROOT / "plugin"
CLAUDE: Final = ROOT / ".test" / "claude" / "claude"
SKILL: Final = PLUGIN / "skills" / "incident-response" / "SKILL.md"
_MOST_CHARACTERS: Final = 6_000
_TOOL_CALL: Final = re.compile(r"`([a-z_]+)(?: [^`]*)?`")


@pytest.mark.slow
@pytest.mark.parametrize("target", [".", "plugin"])
def test_the_program_takes_it(tmp_path: Path, target: str) -> None:
    """Marketplace and plugin pass the strict check, which takes warnings for errors; it needs no network."""
    if not CLAUDE.exists():
        lacking("Claude Code is not installed; `make setup-test` installs it where npm and its registry are there")
    ran = subprocess.run(
        [CLAUDE, "plugin", "validate", "--strict", target],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert 0 == ran.returncode, ran.stdout + ran.stderr


def test_the_commands_say_what_the_prompts_say(tmp_path: Path) -> None:
    """They are written from them: `python scripts/plugin_commands.py`."""
    subprocess.run([sys.executable, ROOT / "scripts" / "plugin_commands.py", tmp_path], check=True)
    written = {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()}

    assert written == {one.name: one.read_text(encoding="utf-8") for one in (PLUGIN / "commands").iterdir()}


def test_the_verbs_are_there() -> None:
    """Those that people know from elsewhere, under the same names."""
    wanted = {"incident", "incident-response", "oncall", "postmortem"}
    wanted |= {"investigate-errors", "check-releases", "analyze-performance", "query-events"}

    assert set() == wanted - {one.name for one in PROMPTS}


@pytest.mark.parametrize("text", [SKILL, ROOT / "AGENTS.md"])
def test_it_names_tools_that_there_are(text: Path) -> None:
    """What looks like a call with arguments, or has an underscore, is a tool's name."""
    known = {one.name for one in TOOLS}
    named = {match[1] for match in _TOOL_CALL.finditer(text.read_text(encoding="utf-8")) if "_" in match[1]}

    assert set() == named - known


def test_it_stays_short() -> None:
    """A skill is read whole, each time; the tools carry the knowledge."""
    assert len(SKILL.read_text(encoding="utf-8")) < _MOST_CHARACTERS


def test_it_has_the_version_of_the_package() -> None:
    """Whoever has the plugin sees for which Stanch it is."""
    manifest = json.loads((PLUGIN / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))

    assert __version__ == manifest["version"]


def test_it_starts_the_server_by_its_command() -> None:
    """Found on the path, so that the plugin holds no code."""
    servers = json.loads((PLUGIN / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]

    assert {"stanch": {"command": "stanch", "args": ["mcp"]}} == servers
