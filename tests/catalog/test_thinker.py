"""`[thinker]`: off by default, and what is wrong with it."""

import tomllib
from pathlib import Path

import pytest

from stanch.app.thinker import open_thinker
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid

BASE = '[thinker]\nprovider = "local"\nmodel = "m"\nurl = "http://127.0.0.1:11434/v1"\n'


def catalog_of(text: str) -> Catalog:
    """Return the catalog of a document."""
    return read_catalog(tomllib.loads(text), root=Path("/srv/shop"))


def fields_of(text: str) -> list[str]:
    """Return which fields of a document are wrong."""
    with pytest.raises(Invalid) as caught:
        catalog_of(text)
    return [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["", BASE])
def test_nothing_may_be_asked_unless_a_use_is_named(text: str) -> None:
    """A model alone is no consent."""
    assert open_thinker(catalog_of(text).thinker) is None


def test_a_wrong_provider_is_not_missing_too() -> None:
    """What is written wrongly is said once."""
    assert ["thinker.provider"] == fields_of(BASE.replace("local", "openia"))


def test_a_model_with_a_use_can_be_asked() -> None:
    """Then there is one."""
    thinker = open_thinker(catalog_of(BASE + 'uses = ["summary"]').thinker)

    assert thinker is not None
    assert ("local", "m", "127.0.0.1:11434") == (thinker.kind, thinker.model, thinker.place)


def test_the_documented_example_is_valid() -> None:
    """That of docs/thinker.md."""
    page = (Path(__file__).parents[2] / "docs/thinker.md").read_text()
    spec = catalog_of(page.split("```toml\n")[1].split("```")[0]).thinker

    assert (True, 2.0) == (spec.is_on, spec.money)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[thinker]\nprovider = "anthropic"', "thinker.model"),
        ('[thinker]\nmodel = "m"', "thinker.provider"),
        ('[thinker]\nprovider = "local"\nmodel = "m"', "thinker.url"),
        (BASE + 'uses = ["everything"]', "thinker.uses"),
        (BASE + 'key_env = "sk-123"', "thinker.key_env"),
        (BASE + "money = 1", "thinker.money"),
        ('[thinker]\nprovider = "local"\nmodel = "m"\nurl = "http://far.example/v1"\nkey_env = "K"', "thinker.url"),
        ('[thinker]\nprovider = "local"\nmodel = "m"\nurl = "ftp://far.example"', "thinker.url"),
    ],
)
def test_what_is_wrong_is_said(text: str, field: str) -> None:
    """By its field; a key would not travel in the clear."""
    assert [field] == fields_of(text)
