"""Sentry: its webhooks, and releases as they are posted to us; its issues, spans and deploys as we ask for them."""

from stanch.integrations.sentry.collector import SentryCollector
from stanch.integrations.sentry.deploys import SentryDeploys
from stanch.integrations.sentry.source import Sentry
from stanch.integrations.sentry.tracker import SentryTracker
from stanch.integrations.sentry.writeback import SentryDesk

__all__ = ["Sentry", "SentryCollector", "SentryDeploys", "SentryDesk", "SentryTracker"]
