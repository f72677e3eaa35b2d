"""The journal of systemd, by way of journalctl."""

from stanch.integrations.journald.source import Journal

__all__ = ["Journal"]
