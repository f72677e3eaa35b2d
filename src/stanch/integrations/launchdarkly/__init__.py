"""LaunchDarkly: who turned which feature flag, as changes."""

from stanch.integrations.launchdarkly.audit import LaunchDarklyFlags

__all__ = ["LaunchDarklyFlags"]
