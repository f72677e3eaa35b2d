"""Git: what was committed and tagged near an onset, with diffs and touched paths. Reads by the `git`
command; the one thing it writes is a branch that takes a commit back."""

from stanch.integrations.git.changes import GitChanges
from stanch.integrations.git.collector import GitCollector
from stanch.integrations.git.flagd import FlagdFile
from stanch.integrations.git.keeping import FileOnBranch
from stanch.integrations.git.repository import Blame, Commit, Repository, Tag
from stanch.integrations.git.revert import RevertActuator

__all__ = [
    "Blame",
    "Commit",
    "FileOnBranch",
    "FlagdFile",
    "GitChanges",
    "GitCollector",
    "Repository",
    "RevertActuator",
    "Tag",
]
