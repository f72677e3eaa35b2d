"""Alertmanager: its webhook receiver, version 4."""

from stanch.integrations.alertmanagerhook.source import AlertmanagerHook

__all__ = ["AlertmanagerHook"]
