"""GitHub: what a repository tells about deployments, pushes, workflow runs and releases, as changes."""

from stanch.integrations.github.deployments import GitHubDeployments
from stanch.integrations.github.requests import GitHubRequests
from stanch.integrations.github.source import GitHub

__all__ = ["GitHub", "GitHubDeployments", "GitHubRequests"]
