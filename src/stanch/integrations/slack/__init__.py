"""Slack: pages as direct messages. The address is a member id (`U012AB3CD`), the secret a bot token (`xoxb-`) with the
scopes `chat:write` and `im:write`."""

from stanch.integrations.slack.pager import SlackPager

__all__ = ["SlackPager"]
