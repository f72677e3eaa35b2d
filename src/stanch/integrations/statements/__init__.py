"""Statements that change rows, as actions: tried first, then carried out in one transaction."""

from stanch.integrations.statements.actuator import StatementActuator, StatementSystem

__all__ = ["StatementActuator", "StatementSystem"]
