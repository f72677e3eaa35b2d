"""`stanch init`, `check` and `doctor`, as somebody uses them on the first day."""

from pathlib import Path

import pytest

from tests.support.needs import require
from tests.surfaces.cli.terminal import Terminal, git

pytestmark = pytest.mark.slow

COMPOSE = """\
services:
  web:
    build: .
    ports:
      - "8080:80"
    depends_on: [db]
  worker:
    build: .
    depends_on:
    - db
  db:
    image: postgres:16
"""


def test_a_first_configuration_is_written(terminal: Terminal) -> None:
    """What is found in the folder is in the file."""
    (terminal.folder / "compose.yaml").write_text(COMPOSE)
    ran = terminal("init")
    written = (terminal.folder / "stanch.toml").read_text()

    assert (0, True) == (ran.code, all(f"[services.{name}]" in written for name in ("web", "worker", "db")))


def test_what_is_written_is_valid(terminal: Terminal) -> None:
    """The file can be used as it stands."""
    (terminal.folder / "compose.yaml").write_text(COMPOSE)
    terminal("init")

    assert "stanch.toml is valid: 3 services" in terminal("check").out


def test_the_repository_gives_the_name(terminal: Terminal) -> None:
    """The remote's name is what the thing is called."""
    require("git")
    git(terminal.folder, "init", "-q")
    git(terminal.folder, "remote", "add", "origin", "git@example.org:team/tea-shop.git")

    assert 'name = "tea-shop"' in terminal("init", "--dry-run").out


def test_a_dry_run_writes_nothing(terminal: Terminal) -> None:
    """It prints what it would write."""
    terminal("init", "--dry-run")

    assert not (terminal.folder / "stanch.toml").exists()


def test_what_is_there_is_never_overwritten(terminal: Terminal) -> None:
    """A second time is refused, and the file stays as it is."""
    (terminal.folder / "stanch.toml").write_text('name = "mine"\n')
    ran = terminal("init")

    assert (6, 'name = "mine"\n') == (ran.code, (terminal.folder / "stanch.toml").read_text())


def test_every_mistake_is_shown_at_once(terminal: Terminal) -> None:
    """One run, all that is wrong, each with its key."""
    (terminal.folder / "stanch.toml").write_text('zone = "Mars"\n[services.a]\ntier = 9\ndepends_on = ["b"]\n')
    ran = terminal("check")

    assert (2, "", True) == (
        ran.code,
        ran.out,
        all(field in ran.err for field in ("zone:", "services.a.tier:", "services.a.depends_on:")),
    )


def test_another_file_can_be_checked(terminal: Terminal, tmp_path: Path) -> None:
    """A file of any name, and the answer as JSON."""
    (tmp_path / "other.toml").write_text("[services.a]\n")
    answer = terminal("check", str(tmp_path / "other.toml"), "--json").answer

    assert isinstance(answer, dict)
    assert (True, 1) == (answer["valid"], answer["services"])


def test_without_a_file_it_says_how_to_begin(terminal: Terminal) -> None:
    """Not found, with the next command."""
    ran = terminal("check")

    assert (5, True) == (ran.code, "stanch init" in ran.err)


def test_a_doctor_finds_everything_in_order(terminal: Terminal) -> None:
    """On a fresh machine nothing is missing, and what could be better is noted."""
    answer = terminal("doctor", "--json").answer
    assert isinstance(answer, dict)
    states = {check["name"]: check["state"] for check in answer["checks"]}

    assert (True, "ok", "note", "note") == (answer["ok"], states["store"], states["server"], states["configuration"])


def test_a_doctor_finds_what_is_broken(terminal: Terminal) -> None:
    """A configuration that is not valid is a failure, and so is the exit code."""
    (terminal.folder / "stanch.toml").write_text("tier = 9\n")
    ran = terminal("doctor")
    failed = [row for row in ran.rows() if row[0] == "failed"]

    assert (1, True) == (ran.code, "configuration" in {row[1] for row in failed})


def test_a_doctor_finds_secrets_that_are_not_set(terminal: Terminal) -> None:
    """A sender or a heartbeat whose secret is named and not there is turned away: better known before."""
    (terminal.folder / "stanch.toml").write_text(
        '[sources.grafana]\nsecret_env = "GRAFANA_SECRET"\n'
        '[heartbeats.backup]\nevery_s = 60\nsecret_env = "BACKUP_TOKEN"\n'
    )
    failed = [row[1:] for row in terminal("doctor").rows() if row[0] == "failed"]

    assert failed == [
        ["grafana", "GRAFANA_SECRET is not set in the environment of the server"],
        ["backup", "BACKUP_TOKEN is not set in the environment of the server"],
    ]
