"""Where alembic enters: it is given an open connection, and works inside its transaction."""

from typing import Literal

from alembic import context

from stanch.store.schema import metadata
from stanch.store.types import Document, Serial


def render(kind: str, item: object, autogen: object) -> str | Literal[False]:
    """Write our own column types by the name they have in `types`."""
    if kind == "type" and item is Document:
        return "types.Document"
    if kind == "type" and item is Serial:
        return "types.Serial"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
    user_module_prefix="types.",
    render_item=render,
)
context.run_migrations()
