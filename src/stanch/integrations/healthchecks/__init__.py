"""Healthchecks: webhooks of checks that went down or came up."""

from stanch.integrations.healthchecks.source import Healthchecks

__all__ = ["Healthchecks"]
