"""Terminals: a fresh one for each test, and one with a server that several tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surfaces.cli.terminal import Terminal, served


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Give a terminal in an empty folder, with nothing kept and no server."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Terminal(folder=folder, state=tmp_path / "state")


CATALOG = """
name = "shop"
[services.gateway]
tier = 1
depends_on = ["checkout"]
[services.checkout]
tier = 1
[people.alice]
name = "Alice Adams"
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Give a terminal whose server runs for all tests of a module."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "stanch.toml").write_text(CATALOG)
    terminal = Terminal(folder=folder, state=folder / "state")
    with served(terminal):
        yield terminal
