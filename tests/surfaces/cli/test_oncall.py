"""`stanch oncall`, `stanch check` and `stanch import` as they are typed."""

import json

from tests.oncall.exports import PAGERDUTY
from tests.surfaces.cli.terminal import Terminal

SHOP = """
[services.checkout]
policy = "p"
[people.alice]
[people.bob]
[oncall.schedules.shop]
layers = [{people = ["alice", "bob"], start = "2026-01-05"}]
[oncall.policies.p]
steps = [{targets = ["schedule:shop"]}, {targets = ["person:bob"]}]
"""


def configured(terminal: Terminal, *, tests: str = "") -> None:
    """Write a configuration with a schedule, and its assertions."""
    (terminal.folder / "stanch.toml").write_text(SHOP)
    if tests:
        (terminal.folder / "oncall").mkdir()
        (terminal.folder / "oncall/tests.toml").write_text(f'assertions = ["{tests}"]\n')


def test_who_is_paged(terminal: Terminal) -> None:
    """The name of a service gives its levels."""
    configured(terminal)
    ran = terminal("oncall", "checkout", "--at", "2026-12-25T03:00", "--tz", "UTC")

    assert ["level 1", "at once", "alice", "schedule:shop"] in [row[:4] for row in ran.rows()]


def test_assertions_that_do_not_hold(terminal: Terminal) -> None:
    """A difference is shown, and the exit code is 1."""
    configured(terminal, tests="checkout at 2026-12-25T03:00 pages bob, then alice")
    ran = terminal("oncall", "test")

    assert (1, True) == (ran.code, "expected bob, then alice, found alice, then bob" in ran.out)


def test_check_runs_assertions(terminal: Terminal) -> None:
    """A configuration whose assertions do not hold is not valid."""
    configured(terminal, tests="shop at 2026-12-25T03:00 is bob")

    assert 2 == terminal("check", "--at", "2026-11-21T06:00").code


def test_check_finds_a_broken_rule(terminal: Terminal) -> None:
    """A rule that is broken ahead is told with its exact interval."""
    (terminal.folder / "stanch.toml").write_text(
        SHOP.replace('"alice", "bob"], start', '"alice", "bob"], end = "2026-12-01", start')
    )
    ran = terminal("check", "--at", "2026-11-21T06:00", "--json")

    assert (2, True) == (ran.code, "nobody is on call from 2026-12-01 09:00" in ran.err)


def test_import(terminal: Terminal) -> None:
    """An import writes files, says what it could not carry over, and exits with 1 for that."""
    (terminal.folder / "export.json").write_text(json.dumps(PAGERDUTY))
    ran = terminal("import", "pagerduty", "export.json", "--to", "new", "--json")
    answer = ran.answer
    assert isinstance(answer, dict)

    assert (1, 3, 6) == (ran.code, answer["people"], len(answer["missed"]))
    assert 0 == terminal("check", "new").code
