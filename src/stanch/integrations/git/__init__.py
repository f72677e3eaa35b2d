"""Git: what was committed and tagged near an onset, with diffs and touched paths, by the `git` command; and branches of
their own that take a commit back or take a fix over, with the request to merge them."""

from stanch.integrations.git.changes import GitChanges
from stanch.integrations.git.collector import GitCollector
from stanch.integrations.git.flagd import FlagdFile
from stanch.integrations.git.hotfix import HotfixActuator
from stanch.integrations.git.keeping import FileOnBranch
from stanch.integrations.git.repository import Blame, Commit, Repository, Tag
from stanch.integrations.git.request import RequestActuator
from stanch.integrations.git.revert import RevertActuator

__all__ = [
    "Blame",
    "Commit",
    "FileOnBranch",
    "FlagdFile",
    "GitChanges",
    "GitCollector",
    "HotfixActuator",
    "Repository",
    "RequestActuator",
    "RevertActuator",
    "Tag",
]
