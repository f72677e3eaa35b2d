"""New Relic: webhooks of workflows, and of the older notification channels."""

from stanch.integrations.newrelic.source import NewRelic

__all__ = ["NewRelic"]
