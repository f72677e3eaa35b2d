"""Datadog: the webhooks integration, with the template in the README or the default body."""

from stanch.integrations.datadog.source import Datadog

__all__ = ["Datadog"]
