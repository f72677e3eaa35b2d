"""Which operation is reached from which surface: an operation is written once, and no surface forgets it.

HTTP is derived, so it reaches all. The terminal and the pages have their own words for most; what they do not have
stands on a list that only shrinks: a name that is reached, or that is no operation any more, must leave it.
"""

import ast
import re
from pathlib import Path

import pytest

import stanch
from stanch.operations.all import all_operations
from stanch.surfaces.cli.main import COMMANDS
from stanch.surfaces.http import openapi
from stanch.surfaces.http.api import path_of

OPERATIONS = all_operations()
SURFACES = Path(stanch.__file__).parent / "surfaces"
_NAME = re.compile(r"[a-z_]+\.[a-z_]+")
# A form's own mark, a form's address, and what a template's macro is given to make a form of.
_MARKED = re.compile(r'data-op="([a-z_]+\.[a-z_]+)"|/do/([a-z_]+)/([a-z_]+)|"([a-z_]+\.(?!html)[a-z_]+)"')

# Reached with `stanch call` alone.
NO_COMMAND = frozenset(
    {
        # `stanch gameday run` and `abort` ask them from where the game day is played.
        "gameday.begin",
        "gameday.end",
        "incident.series",
        "postmortem.chart",
    }
)
# Not on any page yet.
NO_PAGE = frozenset(
    {
        "agent.create",
        "alert.send",
        "change.record",
        "check.try",
        # A game day is played where its targets are, which is at a terminal there.
        "gameday.begin",
        "gameday.end",
        "heartbeat.beat",
        "heartbeat.list",
        "incident.declare",
        "investigate.errors",
        "investigate.performance",
        "investigate.query",
        "investigate.releases",
        "query.list",
        "query.run",
        "report.send",
        "route.preview",
        "runbook.lint",
    }
)


def asked_in(folder: Path, *, leaving_out: str = "") -> frozenset[str]:
    """Return the operations that the Python code in `folder` names in a call."""
    found: set[str] = set()
    for file in sorted(folder.rglob("*.py")):
        if file.name == leaving_out:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                found |= {one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return frozenset(name for name in found if _NAME.fullmatch(name)) & OPERATIONS.keys()


def marked_in(folder: Path) -> frozenset[str]:
    """Return the operations that the forms and buttons of the templates in `folder` ask for."""
    found: set[str] = set()
    for file in sorted(folder.rglob("*.html")):
        for op, noun, verb, given in _MARKED.findall(file.read_text(encoding="utf-8")):
            found.add(op or given or f"{noun}.{verb}")
    return frozenset(found)


def next_steps() -> frozenset[str]:
    """Return the operations that the one primary button of a page can ask for."""
    source = (Path(stanch.__file__).parent / "operations" / "showing.py").read_text(encoding="utf-8")
    return frozenset(re.findall(r'operation="([a-z_]+\.[a-z_]+)"', source))


ON_THE_TERMINAL = asked_in(SURFACES / "cli" / "commands", leaving_out="call.py")
ON_A_PAGE = asked_in(SURFACES / "web") | marked_in(SURFACES / "web") | next_steps()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_is_served_over_http(name: str) -> None:
    """The API's description has a path for it."""
    paths = openapi.document(OPERATIONS)["paths"]
    assert isinstance(paths, dict)

    assert path_of(OPERATIONS[name]) in paths


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_has_a_command_or_is_listed(name: str) -> None:
    """A new operation gets a command of its own, or somebody puts it on the list and says so."""
    assert (name in ON_THE_TERMINAL) is not (name in NO_COMMAND)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_is_on_a_page_or_is_listed(name: str) -> None:
    """The same for the pages."""
    assert (name in ON_A_PAGE) is not (name in NO_PAGE)


def test_the_lists_hold_operations_alone() -> None:
    """What is no operation any more leaves the lists."""
    assert set() == (NO_COMMAND | NO_PAGE) - OPERATIONS.keys()


def test_whatever_has_no_command_can_be_called() -> None:
    """`stanch call` reaches every operation there is."""
    assert "call" in COMMANDS


def test_everything_a_page_asks_for_is_there() -> None:
    """A button that asks for what there is not would fail under a hand."""
    assert set() == (marked_in(SURFACES / "web") | next_steps()) - OPERATIONS.keys()
