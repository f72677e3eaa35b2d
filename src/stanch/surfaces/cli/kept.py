"""Keeps what somebody wrote in an editor when it can not be stored: an editor's file is gone once it is closed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from stanch.kernel.errors import StanchError
from stanch.surfaces.cli.telling import hint


@contextmanager
def kept_if_refused(text: str, *, name: str, again: str) -> Iterator[None]:
    """Write `text` to a file of its own when the block fails, and say where it is and how it is sent `again`."""
    try:
        yield
    except (StanchError, KeyboardInterrupt):
        handle, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".md")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        hint(f"your text is kept: {again} {path}")
        raise
