"""Atlassian Statuspage: incidents, updates and components. `target` is the page's id, the secret an API key."""

from stanch.integrations.statuspage.channel import StatuspageChannel

__all__ = ["StatuspageChannel"]
