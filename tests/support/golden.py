"""Comparison with files of expected output, which stand in a folder `golden` beside the test."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Give a function that compares a text with the file of that name; `make golden` writes the files again."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, actual: str) -> None:
        path = folder / name
        if request.config.getoption("--refresh-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual)
        expected = path.read_text() if path.exists() else f"(no {path.name} yet: run `make golden`)"

        assert expected == actual

    return compare
