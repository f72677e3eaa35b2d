"""Discord through a webhook of a channel. Its URL is the secret."""

from stanch.integrations.discord.channel import DiscordChannel

__all__ = ["DiscordChannel"]
