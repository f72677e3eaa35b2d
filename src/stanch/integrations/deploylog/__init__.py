"""A deploy log: one JSON object per line, written by any pipeline. See README.md for the keys."""

from stanch.integrations.deploylog.source import DeployLog

__all__ = ["DeployLog"]
