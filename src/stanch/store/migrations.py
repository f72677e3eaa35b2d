"""Schema migrations: one history for both databases, run when a store is opened."""

from sqlalchemy import Engine

from stanch.store.schema import metadata


def upgrade(engine: Engine) -> None:
    """Bring the schema of `engine` up to date."""
    metadata.create_all(engine)
