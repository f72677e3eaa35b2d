"""Alerts from outside at work: taken in, flushed group by group, and told to receivers."""

from stanch.engine.intake.runtime import Intake, MakeNotifier

__all__ = ["Intake", "MakeNotifier"]
