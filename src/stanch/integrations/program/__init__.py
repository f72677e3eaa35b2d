"""Runs programs that read, without a shell; and asks this machine by them."""

from stanch.integrations.program.running import LocalPrograms
from stanch.integrations.program.source import ProgramSource

__all__ = ["LocalPrograms", "ProgramSource"]
