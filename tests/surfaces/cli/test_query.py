"""`stanch query` and what `stanch check` and `stanch doctor` say about systems, on this very machine."""

import json
import os

import pytest

from tests.surfaces.cli.terminal import Terminal

pytestmark = pytest.mark.slow

CATALOG = """
[services.payments]
[systems.box]
kind = "python"
pid = "{pid}"
services = ["payments"]
[systems.gone]
kind = "redis"
url = "redis://127.0.0.1:9"
services = ["payments"]
"""


@pytest.fixture
def here(terminal: Terminal) -> Terminal:
    """Give a terminal in a folder with two systems: this process, and a Redis that is not there."""
    (terminal.folder / "stanch.toml").write_text(CATALOG.format(pid=os.getpid()))
    return terminal


def test_queries_are_listed(here: Terminal) -> None:
    """Each query stands in a line with its title and the systems it fits."""
    ran = here("query", "list", "redis")

    assert (0, True) == (ran.code, "redis.memory\tMemory in use of that allowed\tgone" in ran.out)


def test_a_query_is_run_on_what_a_service_uses(here: Terminal) -> None:
    """The sentence and the rows are the data; meaning and command help a person and go to standard error."""
    ran = here("query", "run", "python.process", "--on", "payments")

    assert (0, True, True) == (
        ran.code,
        ran.out.startswith(f"ok: box: process {os.getpid()} holds"),
        f"ps -o pid=,nlwp=,rss=,pcpu=,etimes=,args= -p {os.getpid()}" in ran.err,
    )


def test_an_answer_is_json_on_request(here: Terminal) -> None:
    """All of the answer is there for a script."""
    ran = here("query", "run", "python.process", "--on", "box", "--json")
    answer = json.loads(ran.out)

    assert ("ok", os.getpid()) == (answer["status"], answer["data"]["rows"][0]["pid"])


def test_a_system_that_does_not_answer_is_exit_code_8(here: Terminal) -> None:
    """A script can tell that nobody was there."""
    ran = here("query", "run", "redis.memory", "--on", "gone")

    assert (8, True) == (ran.code, ran.out.startswith("failed: gone: "))


def test_a_query_that_is_not_there_is_exit_code_5(here: Terminal) -> None:
    """And says how to find those that are."""
    ran = here("query", "run", "redis.nothing", "--on", "gone")

    assert (5, True) == (ran.code, "stanch query list" in ran.err)


def test_the_doctor_says_which_systems_answer(here: Terminal) -> None:
    """One that does not answer is a failure of the check, with the reason."""
    ran = here("doctor", "--json")
    states = {one["name"]: one["state"] for one in json.loads(ran.out)["checks"]}

    assert (1, "ok", "failed") == (ran.code, states["box"], states["gone"])


def test_a_pack_that_writes_is_found_by_check(here: Terminal) -> None:
    """A file of one's own that does more than read is refused where the configuration is checked."""
    (here.folder / "packs").mkdir()
    (here.folder / "packs" / "own.toml").write_text('pack = "redis"\n[[query]]\nname = "memory"\ntext = "FLUSHALL"\n')
    ran = here("check")

    assert (2, True) == (ran.code, "FLUSHALL is not on the list of commands that only read" in ran.err)
