"""Pingdom: webhooks of uptime and transaction checks."""

from stanch.integrations.pingdom.source import Pingdom

__all__ = ["Pingdom"]
