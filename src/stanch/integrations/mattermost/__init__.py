"""Mattermost: a channel for every incident. `url` is the server, `account` the team's id, the secret a bot's token."""

from stanch.integrations.mattermost.channel import MattermostChannel

__all__ = ["MattermostChannel"]
