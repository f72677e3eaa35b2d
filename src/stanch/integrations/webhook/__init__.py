"""Messages as JSON to any URL."""

from stanch.integrations.webhook.channel import WebhookChannel

__all__ = ["WebhookChannel"]
