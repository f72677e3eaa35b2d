"""The import contracts hold, and each of them notices when it is broken."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LINT_IMPORTS: Final = Path(sysconfig.get_path("scripts")) / "lint-imports"

# Where a line is planted, the line, and the words of the contract that it breaks.
VIOLATIONS: Final = {
    "upwards": ("kernel/planted.py", "import stanch.store", "import only what stands below"),
    "sideways": ("alerts/planted.py", "import stanch.oncall", "import only what stands below"),
    "no place": ("planted/__init__.py", "", "import only what stands below"),
    "integration into core": (
        "integrations/planted/reader.py",
        "import stanch.catalog",
        "Integrations see only ports and kernel",
    ),
    "integration into integration": (
        "integrations/planted/reader.py",
        "import stanch.integrations.git",
        "No integration sees another",
    ),
    "surface into surface": ("surfaces/web/planted.py", "import stanch.surfaces.cli", "No surface sees another"),
    "rules into store": ("incidents/planted/rules.py", "import stanch.store", "rules, model and events reach no store"),
    "rules into driver by way of a friend": (
        "incidents/planted/rules.py",
        "import stanch.incidents.tables",
        "rules, model and events reach no store",
    ),
    "events into HTTP client": ("incidents/planted/events.py", "import httpx2", "rules, model and events reach no"),
    "SQL in an operation": ("operations/planted.py", "import sqlalchemy", "SQL only in"),
    "driver in tables": ("review/planted/tables.py", "import psycopg", "SQL only in"),
    "click in the core": ("diagnose/planted.py", "import click", "The terminal only in"),
    "templates in the core": ("review/planted.py", "import jinja2", "The web server only in"),
    "HTTP client in the engine": ("engine/planted.py", "import httpx2", "The HTTP client only in"),
    "agents' protocol in the web": ("surfaces/web/planted.py", "import mcp", "The agents' protocol only in"),
    "numpy in incidents": ("incidents/planted.py", "import numpy", "numpy only in"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of the sources and the contracts."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def _lint(checkout: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def _plant(checkout: Path, place: str, line: str) -> None:
    """Write `line` to a module, making the packages it lies in where they are missing."""
    planted = checkout / "src" / "stanch" / place
    if planted.exists() or planted.parent.with_suffix(".py").exists():
        return
    planted.parent.mkdir(parents=True, exist_ok=True)
    for folder in planted.parents:
        if folder.name == "src":
            break
        (folder / "__init__.py").touch()
    planted.write_text(f"{line}\n")


def _broken(output: str) -> str:
    return "\n".join(line for line in output.splitlines() if "BROKEN" in line)


def test_contracts_hold(checkout: Path) -> None:
    """As the sources stand, no contract is broken."""
    assert _broken(_lint(checkout).stdout) == ""


@pytest.mark.parametrize(("place", "line", "contract"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_violation_is_seen(checkout: Path, place: str, line: str, contract: str) -> None:
    """A planted import that the design forbids breaks its contract."""
    _plant(checkout, place, line)
    _, _, target = line.partition("import stanch.")
    if target:
        _plant(checkout, f"{target.replace('.', '/')}/__init__.py", "")

    ran = _lint(checkout)

    assert ran.returncode == 1
    assert contract in _broken(ran.stdout)
