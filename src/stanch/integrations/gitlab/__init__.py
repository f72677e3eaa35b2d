"""GitLab: what a project tells about deployments, pushes, tags and releases, as changes."""

from stanch.integrations.gitlab.deployments import GitLabDeployments
from stanch.integrations.gitlab.requests import GitLabRequests
from stanch.integrations.gitlab.source import GitLab

__all__ = ["GitLab", "GitLabDeployments", "GitLabRequests"]
