"""Writes the next migration from what the tables say and an empty database does not have yet.

Usage: .venv/bin/python scripts/new_migration.py "what changes". Read what it wrote: it is a draft. With `--first` it
writes the first migration again instead, which is right only before the first release.
"""

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import stanch

FIRST = "0001"


def main() -> None:
    """Write the migration."""
    for module in pkgutil.walk_packages(stanch.__path__, "stanch."):
        if module.name.endswith(".tables") or module.name == "stanch.store.schema":
            importlib.import_module(module.name)
    versions = Path(stanch.__path__[0]) / "store" / "migrations" / "versions"
    again = "--first" in sys.argv
    if again:
        for old in versions.glob(f"{FIRST}_*.py"):
            old.unlink()
    number = FIRST if again else f"{len(list(versions.glob('[0-9]*.py'))) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.db")
        config = Config()
        config.set_main_option("script_location", "stanch.store:migrations")
        if not again:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            message = "first" if again else sys.argv[1]
            command.revision(config, message=message, autogenerate=True, rev_id=number)
    for written in versions.glob(f"{number}_*.py"):
        lines = written.read_text(encoding="utf-8").splitlines(keepends=True)
        written.write_text("".join(each for each in lines if "# ###" not in each), encoding="utf-8")
    # Formatted first: what is too long for a line is no mistake of whoever wrote the table.
    for step in (["format", "--quiet"], ["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, str(versions)], check=True)


if __name__ == "__main__":
    main()
