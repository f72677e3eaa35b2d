"""docs/communication.md against the code."""

from pathlib import Path

import pytest

from stanch.catalog.channels import CHANNEL_KINDS
from stanch.comms.words import PURPOSES, VARIABLES
from stanch.surfaces.chat.verbs import VERBS

PAGE = (Path(__file__).parents[2] / "docs/communication.md").read_text()


@pytest.mark.parametrize("name", list(VARIABLES))
def test_variables_are_documented(name: str) -> None:
    """With what is filled in."""
    assert f"| `{{{name}}}` | {VARIABLES[name]} |" in PAGE


@pytest.mark.parametrize("word", [*PURPOSES, *CHANNEL_KINDS])
def test_purposes_and_kinds_are_documented(word: str) -> None:
    """Each stands on the page."""
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("usage", [one.usage for one in VERBS])
def test_verbs_are_documented(usage: str) -> None:
    """As help shows them."""
    assert f"{usage}\n" in PAGE
