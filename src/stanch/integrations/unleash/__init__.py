"""Unleash: who changed which feature flag, as changes."""

from stanch.integrations.unleash.events import UnleashFlags

__all__ = ["UnleashFlags"]
