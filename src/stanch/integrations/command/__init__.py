"""Runs declared commands on this machine: an argument list, no shell, a time-out, output as it comes."""

from stanch.integrations.command.actuator import CommandActuator

__all__ = ["CommandActuator"]
