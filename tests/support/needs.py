"""What a test does when the machine lacks something: it is skipped with the reason, and in CI it fails."""

import os
import shutil
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip the test for `reason`, or fail it where `CI=true`, so that CI never passes by leaving tests out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (a reason to skip elsewhere, a failure where CI=true)", pytrace=False)
    pytest.skip(reason)


def require(tool: str, *others: str) -> str:
    """Return the path of the first of these commands that is there; skip, or fail in CI, when none is."""
    for name in (tool, *others):
        found = shutil.which(name)
        if found is not None:
            return found
    lacking(f"{' or '.join((tool, *others))} is not installed; `make setup-test` installs it on Debian as root")
