"""Writes the next migration from what the tables say and an empty database does not have yet.

Usage: .venv/bin/python scripts/new_migration.py "what changes". Read what it wrote: it is a draft.
"""

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import stanch


def main() -> None:
    """Write the migration."""
    for module in pkgutil.walk_packages(stanch.__path__, "stanch."):
        if module.name.endswith(".tables") or module.name == "stanch.store.schema":
            importlib.import_module(module.name)
    versions = Path(stanch.__path__[0]) / "store" / "migrations" / "versions"
    number = f"{len(list(versions.glob('[0-9]*.py'))) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.db")
        config = Config()
        config.set_main_option("script_location", "stanch.store:migrations")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main()
