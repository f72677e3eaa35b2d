"""Writes the plugin's commands from the prompts of the MCP server, so that both say the same.

Usage: .venv/bin/python scripts/plugin_commands.py [FOLDER]
"""

import json
import sys
from pathlib import Path
from typing import Final

from stanch.surfaces.mcp.prompts import PROMPTS, RULES, Prompt

FOLDER: Final = Path(__file__).resolve().parents[1] / "plugin" / "commands"


def command_of(prompt: Prompt) -> str:
    """Return the text of the command that says what `prompt` says."""
    first = next(iter(prompt.arguments))
    hint = f"[{first}]" if prompt.without else first
    body = prompt.text.replace(f"{{{first}}}", "$ARGUMENTS")
    if prompt.without:
        body = f"If nothing stands between these quotes, {_begun(prompt.without)}\n\nOtherwise: {body}"
        body = f'"$ARGUMENTS"\n\n{body}'
    # JSON strings are YAML's too.
    head = f"description: {json.dumps(prompt.about)}\nargument-hint: {json.dumps(hint)}"
    return f"---\n{head}\n---\n\n{body}\n\n{RULES}\n"


def _begun(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def main() -> None:
    """Write the commands, and take away what no prompt stands behind."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for prompt in PROMPTS:
        (folder / f"{prompt.name}.md").write_text(command_of(prompt), encoding="utf-8")


if __name__ == "__main__":
    main()
