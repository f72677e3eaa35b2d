"""Whether to colour: decided once, before any command, and without loading anything."""

import os
import sys


def wants_colour(mode: str) -> bool:
    """Tell whether to colour: `mode` (`always`, `never`, `auto`), NO_COLOR, FORCE_COLOR, TERM=dumb, in this order."""
    if mode in ("always", "never"):
        return mode == "always"
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE")
    if forced:
        return forced != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
