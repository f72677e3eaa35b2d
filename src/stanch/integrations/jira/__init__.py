"""Jira Cloud: issues of one project as tickets of action items."""

from stanch.integrations.jira.issues import JiraIssues

__all__ = ["JiraIssues"]
