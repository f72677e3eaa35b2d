"""UptimeRobot: webhook alert contacts."""

from stanch.integrations.uptimerobot.source import UptimeRobot

__all__ = ["UptimeRobot"]
