"""A process that is killed at any commit of an automatic action decides once, runs it at most once, and says so."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.slow, pytest.mark.timeout(900)]

_ROOT: Final = Path(__file__).parents[2]

Lives = list[dict[str, object]]


@pytest.fixture
def lives(database_url: str, tmp_path: Path) -> Lives:
    """Give what came of a life without a death, and of one for each commit at which it was killed."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.chaos.automatic", database_url, str(tmp_path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr
    found: Lives = json.loads(ran.stdout.splitlines()[-1])
    return found


def _wrong(lives: Lives) -> dict[str, object]:
    """Return the lives in which something is not as it must be."""
    return {str(one["name"]): one for one in lives if not _is_right(one)}


def _is_right(one: dict[str, object]) -> bool:
    """Tell whether one decision and one run are on record, and the run is done, or unknown, kept and stopped."""
    if (one["decided"], one["begun"], one["kept"]) != (1, 1, 1):
        return False
    if one["state"] == "succeeded":
        return one["ran"] == 1 and not one["stopped"]
    # Nobody knows whether it ran: nothing else runs by itself at the service, nor in the incident.
    return one["state"] == "unknown" and one["ran"] in (0, 1) and bool(one["blocks"]) and bool(one["stopped"])


def test_a_kill_at_any_commit_repeats_and_forgets_nothing(lives: Lives) -> None:
    """Every life ends with one decision and at most one run; every death was a kill; some fell into the run."""
    unknown = sum(one["state"] == "unknown" for one in lives)

    assert ({}, True, True) == (_wrong(lives), all(one["killed"] for one in lives[1:]), unknown > 0)
