"""Makes .venv from the lock files, and mends it. Owns .venv alone; runs on a bare Python 3.11 with nothing installed.

A stamp in .venv holds the digest of everything the environment was made from, so a second call costs nothing. A marker
stands there while an installation runs: when it is found, the last one was cut short and .venv is made anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
UNFINISHED: Final = VENV / "unfinished"
LOCKS: Final = {
    "run": ("requirements.lock", "requirements-build.lock"),
    "dev": ("requirements-dev.lock",),  # holds the other two
}


def main(purpose: str) -> int:
    """Make or mend .venv for `run` or `dev`; return the exit status."""
    with (ROOT / "Makefile").open() as lock:
        # Two `make` at once would install into each other's half-made environment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(purpose) and works():
            return 0
        started = time.monotonic()
        try:
            install(purpose)
        except subprocess.CalledProcessError as error:
            print(f"set-up: {error.cmd} failed with status {error.returncode}; see above", file=sys.stderr)
            return 1
        print(f"set-up: .venv is ready after {time.monotonic() - started:.0f} s", file=sys.stderr)
        return 0


def digest(purpose: str) -> str:
    """Return the digest of what .venv is made from: the place, the Python, the project's metadata, the locks."""
    seal = hashlib.sha256()
    # Scripts in an environment name its absolute path, so a copied checkout needs a new one.
    seal.update(f"{ROOT}\0{sys.version_info[:2]}\0".encode())
    for name in LOCKS[purpose]:
        seal.update((ROOT / name).read_bytes())
    # Settings of tools change often and need no installation.
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    seal.update(repr([settings["build-system"], settings["project"], settings["tool"]["hatch"]]).encode())
    return seal.hexdigest()


def stamp(purpose: str) -> Path:
    """Return the file that says for which digest .venv was made."""
    return VENV / f"made-for-{purpose}"


def is_current(purpose: str) -> bool:
    """Tell whether .venv was made, to the end, from today's files."""
    path = stamp(purpose)
    return not UNFINISHED.exists() and path.exists() and path.read_text() == digest(purpose)


def works() -> bool:
    """Tell whether .venv's Python starts, is the version asked for, and has pip and the project in it."""
    probe = "import sys, importlib.util as u; print(sys.version_info[:2], all(map(u.find_spec, ('pip', 'stanch'))))"
    return _answer(probe) == f"{sys.version_info[:2]} True"


def can_be_kept() -> bool:
    """Tell whether an installation into the present .venv makes sense."""
    if UNFINISHED.exists():
        return False
    probe = "import sys, pip; print(sys.version_info[:2], sys.prefix)"
    return _answer(probe) == f"{sys.version_info[:2]} {VENV}"


def install(purpose: str) -> None:
    """Bring .venv to the state of the locks. Raises `CalledProcessError` when pip fails."""
    # What serves development serves running too. Taken before, so that a file edited meanwhile counts as changed.
    digests = {made_for: digest(made_for) for made_for in {"run", purpose}}
    if not can_be_kept():
        print("set-up: making .venv", file=sys.stderr)
        shutil.rmtree(VENV, ignore_errors=True)
        VENV.mkdir()
        UNFINISHED.touch()
        # `--clear` is not given: it would remove the marker.
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    UNFINISHED.touch()
    for old in VENV.glob("made-for-*"):
        old.unlink()
    print(f"set-up: installing {', '.join(LOCKS[purpose])}", file=sys.stderr)
    for name in LOCKS[purpose]:
        # The lock is complete and hashed, so there is nothing to resolve.
        _pip("--no-deps", "--require-hashes", "-r", name)
    _pip("--no-deps", "--no-build-isolation", "--editable", ".")
    for made_for, value in digests.items():
        stamp(made_for).write_text(value)
    UNFINISHED.unlink()


def _pip(*arguments: str) -> None:
    subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *arguments],
        check=True,
        cwd=ROOT,
        # A user's own settings must not send packages elsewhere than .venv.
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )


def _answer(code: str) -> str:
    """Return what .venv's Python prints for `code`, nothing when it does not run."""
    try:
        ran = subprocess.run([str(PYTHON), "-c", code], check=False, capture_output=True, text=True, cwd=VENV)
    except OSError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["dev"]):
        sys.exit("usage: python scripts/venv.py run|dev")
    sys.exit(main(sys.argv[1]))
