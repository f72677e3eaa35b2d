"""The store: the only code that knows SQL dialects. Event log, timers, deliveries, projections, one transaction."""

from sqlalchemy import Connection

from stanch.store.store import Projector, Store, Transaction

__all__ = ["Connection", "Projector", "Store", "Transaction"]
