"""Grafana OnCall: what its HTTP API exports, for moving away from it."""

from stanch.integrations.grafanaoncall.export import GrafanaOnCallExport

__all__ = ["GrafanaOnCallExport"]
