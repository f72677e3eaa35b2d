"""Messages as JSON to any URL."""

from stanch.integrations.webhook.channel import WebhookChannel
from stanch.integrations.webhook.pager import WebhookPager
from stanch.integrations.webhook.subscribed import SubscribedWebhook

__all__ = ["SubscribedWebhook", "WebhookChannel", "WebhookPager"]
