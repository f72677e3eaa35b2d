"""Sentry: webhooks of an integration, the older plugin, and releases and deploys as its API takes them."""

from stanch.integrations.sentry.source import Sentry

__all__ = ["Sentry"]
