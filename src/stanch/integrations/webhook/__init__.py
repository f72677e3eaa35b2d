"""Messages as JSON to any URL."""

from stanch.integrations.webhook.channel import WebhookChannel
from stanch.integrations.webhook.pager import WebhookPager

__all__ = ["WebhookChannel", "WebhookPager"]
