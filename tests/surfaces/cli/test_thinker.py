"""A language model at the terminal: the real program, a real configuration, a server that says what was written."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.models import Line, Model, model
from tests.surfaces.cli.terminal import Terminal

CONFIG = '[thinker]\nprovider = "local"\nmodel = "scripted"\nurl = "{url}"\nuses = ["summary", "hypotheses"]\n'


@pytest.fixture(scope="module")
def far() -> Iterator[Model]:
    """Give a model with nothing to say yet."""
    with model() as found:
        yield found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, far: Model) -> Terminal:
    """Give a terminal where an incident is declared and a model may be asked."""
    folder = tmp_path_factory.mktemp("asked")
    terminal = Terminal(folder=folder, state=folder / "state")
    (folder / "stanch.toml").write_text(CONFIG.format(url=far.url))
    terminal("declare", "Checkout fails")
    return terminal


def test_causes_are_shown_with_what_speaks_against_them(here: Terminal, far: Model) -> None:
    """The command asks both questions, waits for the answers, and shows what each sentence cites."""
    cites = ["e-1"]  # the declaration, the first entry there is
    far.says(
        {
            "hypotheses": [
                {"title": "The moon", "reason": "It shines.", "cites": cites},
                {"title": "The sun", "reason": "It shines too.", "cites": []},
            ]
        },
        {"objections": [{"hypothesis": 1, "reason": "It is day.", "cites": cites}]},
    )
    ran = here("thinker", "causes", "INC-1")

    assert (0, True, True, True) == (
        ran.code,
        "1. The moon  contradicted" in ran.out,
        "against: It is day. [e-1]" in ran.out,
        "not believed: uncited 1" in ran.out,
    )


def test_too_many_requests_are_told(here: Terminal, far: Model) -> None:
    """What the far end said stands there, and nothing else."""
    far.says(Line(status=429, body='{"error": {"message": "slow down"}}', headers=(("Retry-After", "7"),)))
    ran = here("thinker", "summary", "INC-1")

    assert (True, True) == ("slow down" in ran.out, "it asks to wait 7 s" in ran.out)


def test_no_answer_is_no_success(here: Terminal, far: Model) -> None:
    """A script sees by the exit code that nothing came back; the JSON says that it was lost."""
    far.says(Line(status=500, body="down"))
    ran = here("thinker", "summary", "INC-1", "--json")

    assert (8, True) == (ran.code, '"outcome": "lost"' in ran.out)


def test_what_is_not_allowed_is_refused(here: Terminal) -> None:
    """A use that is not named, with a way on."""
    ran = here("thinker", "update", "INC-1")

    assert (6, True) == (ran.code, "docs/thinker.md" in ran.err)


def test_its_code_is_loaded_only_where_one_is_configured(terminal: Terminal) -> None:
    """A world without a model, as every command opens it, knows nothing of the clients."""
    code = (
        "import sys, stanch.app.world as w, stanch.catalog.thinker as t;"
        "w.open_thinker(t.ThinkerSpec()); print('stanch.integrations.thinker' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], env=terminal.environment(), capture_output=True, text=True)

    assert "False\n" == done.stdout
