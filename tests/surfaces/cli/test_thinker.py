"""A language model at the terminal: the real program, a real configuration, a server that says what was written."""

import subprocess
import sys

from tests.support.models import Line, model
from tests.surfaces.cli.terminal import Terminal

CONFIG = '[thinker]\nprovider = "local"\nmodel = "scripted"\nurl = "{url}"\nuses = ["summary", "hypotheses"]\n'


def declared(terminal: Terminal) -> str:
    """Declare an incident and return the word by which its declaration is cited."""
    terminal("declare", "Checkout fails")
    entries = terminal("timeline", "INC-1", "--json").answer
    assert isinstance(entries, list)
    return f"e-{next(one['seq'] for one in entries if one['kind'] == 'incident.declared')}"


def test_a_summary_is_asked_for_and_shown(terminal: Terminal) -> None:
    """The command waits for the answer, and shows each sentence with what it cites."""
    with model() as far:
        (terminal.folder / "stanch.toml").write_text(CONFIG.format(url=far.url))
        cite = declared(terminal)
        far.says({"statements": [{"text": "Checkout fails.", "cites": [cite]}, {"text": "So what.", "cites": []}]})
        ran = terminal("thinker", "summary", "INC-1")
        shown = terminal("thinker", "show", "INC-1").out

    assert (0, True, True, True) == (
        ran.code,
        f"Checkout fails. [{cite}]" in ran.out,
        "not believed: uncited 1" in ran.out,
        "1 of 12 calls" in shown,
    )


def test_causes_are_shown_with_what_speaks_against_them(terminal: Terminal) -> None:
    """Both questions are asked in one go."""
    with model() as far:
        (terminal.folder / "stanch.toml").write_text(CONFIG.format(url=far.url))
        cites = [declared(terminal)]
        far.says(
            {"hypotheses": [{"title": "The moon", "reason": "It shines.", "cites": cites}]},
            {"objections": [{"hypothesis": 1, "reason": "It is day.", "cites": cites}]},
        )
        ran = terminal("thinker", "causes", "INC-1")

    assert (0, True, True) == (ran.code, "1. The moon  contradicted" in ran.out, "against: It is day." in ran.out)


def test_too_many_requests_are_told(terminal: Terminal) -> None:
    """What the far end said stands there, and nothing else."""
    with model() as far:
        (terminal.folder / "stanch.toml").write_text(CONFIG.format(url=far.url))
        declared(terminal)
        far.says(Line(status=429, body='{"error": {"message": "slow down"}}', headers=(("Retry-After", "7"),)))
        ran = terminal("thinker", "summary", "INC-1")

    assert (True, True) == ("slow down" in ran.out, "it asks to wait 7 s" in ran.out)


def test_without_a_model_it_is_refused(terminal: Terminal) -> None:
    """Off by default, with a way on."""
    declared(terminal)
    ran = terminal("thinker", "summary", "INC-1")

    assert (6, True) == (ran.code, "docs/thinker.md" in ran.err)


def test_its_code_is_loaded_only_where_one_is_configured(terminal: Terminal) -> None:
    """A world without a model, as every command opens it, knows nothing of the clients."""
    code = (
        "import sys, stanch.app.world as w, stanch.catalog.thinker as t;"
        "w.open_thinker(t.ThinkerSpec()); print('stanch.integrations.thinker' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], env=terminal.environment(), capture_output=True, text=True)

    assert "False\n" == done.stdout
