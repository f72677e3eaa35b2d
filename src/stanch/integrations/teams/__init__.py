"""Microsoft Teams through a workflow "when a Teams webhook request is received". Its URL is the secret."""

from stanch.integrations.teams.channel import TeamsChannel

__all__ = ["TeamsChannel"]
