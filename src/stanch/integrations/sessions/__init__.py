"""Ends sessions of databases one by one: those that block, run long or hold a transaction and do nothing."""

from stanch.integrations.sessions.actuator import KillSessions

__all__ = ["KillSessions"]
