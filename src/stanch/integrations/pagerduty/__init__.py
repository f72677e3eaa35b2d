"""PagerDuty: the Events API v2 and change events as a sender uses them, and the v3 webhooks of an account."""

from stanch.integrations.pagerduty.events import PagerDutyEvents
from stanch.integrations.pagerduty.export import PagerDutyExport
from stanch.integrations.pagerduty.webhooks import PagerDutyWebhooks

__all__ = ["PagerDutyEvents", "PagerDutyExport", "PagerDutyWebhooks"]
