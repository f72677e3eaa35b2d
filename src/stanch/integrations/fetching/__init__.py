"""One bounded GET over HTTP, for the integrations that read."""

from stanch.integrations.fetching.get import HttpGet

__all__ = ["HttpGet"]
