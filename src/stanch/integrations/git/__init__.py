"""Git: what was committed and tagged near an onset, with diffs and touched paths. Reads by the `git` command only."""

from stanch.integrations.git.changes import GitChanges
from stanch.integrations.git.collector import GitCollector
from stanch.integrations.git.repository import Blame, Commit, Repository, Tag

__all__ = ["Blame", "Commit", "GitChanges", "GitCollector", "Repository", "Tag"]
