"""What Alertmanager tells, told as it would: its webhook, and the receivers of an `alertmanager.yml`."""

from stanch.integrations.alertmanager.kinds import GLOBALS, SENDS_RESOLVED, Receivers
from stanch.integrations.alertmanager.settings import check_webhook
from stanch.integrations.alertmanager.webhook import WebhookNotifier
from stanch.integrations.alertmanager.wording import read_words

__all__ = ["GLOBALS", "SENDS_RESOLVED", "Receivers", "WebhookNotifier", "check_webhook", "read_words"]
