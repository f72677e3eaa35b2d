"""Slack: pages as direct messages, and a room for every incident. The secret is a bot token (`xoxb-`).

For pages the address is a member id (`U012AB3CD`) and the token has the scopes `chat:write` and `im:write`; `channel`
says which ones rooms need.
"""

from stanch.integrations.slack.channel import SlackChannel
from stanch.integrations.slack.pager import SlackPager

__all__ = ["SlackChannel", "SlackPager"]
