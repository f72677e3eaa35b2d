"""${message[:1].upper() + message[1:]}."""

import sqlalchemy as sa
from alembic import op

from stanch.store import types

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the schema."""
    ${upgrades if upgrades else "pass"}
