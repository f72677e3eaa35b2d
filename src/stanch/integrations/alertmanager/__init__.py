"""Alertmanager's webhook: notifications to receivers that expect what Alertmanager sends."""

from stanch.integrations.alertmanager.settings import check_webhook
from stanch.integrations.alertmanager.webhook import WebhookNotifier

__all__ = ["WebhookNotifier", "check_webhook"]
