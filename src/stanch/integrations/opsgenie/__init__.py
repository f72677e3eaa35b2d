"""Opsgenie: the alert API as a sender uses it, and outgoing webhooks."""

from stanch.integrations.opsgenie.export import OpsgenieExport
from stanch.integrations.opsgenie.source import Opsgenie

__all__ = ["Opsgenie", "OpsgenieExport"]
