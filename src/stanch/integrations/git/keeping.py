"""A file on a branch of a remote: read there, and replaced by one commit that is pushed onto what was read.

Nothing of the clone is touched but its objects: the work is done in a tree of its own that is gone afterwards. When the
branch has moved in between, the remote refuses the push, and nothing has changed.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stanch.integrations.git.runner import Output, run_git
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.ports.keeping import KeptText, Moved

_NAME: Final = re.compile(r"(?!-)(?!.*\.\.)[\w./-]{1,200}", re.ASCII)
_WHO: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Stanch"), ("EMAIL", "stanch@localhost"))
}
_MOVED: Final = ("[rejected]", "[remote rejected]", "fetch first", "non-fast-forward", "cannot lock ref")


class FileOnBranch:
    """One file of one branch of a remote, by way of a clone on this machine."""

    def __init__(self, clone: Path, *, path: str, branch: str, remote: str, timeout_s: float = 30.0) -> None:
        for name in (path, branch, remote):
            if not _NAME.fullmatch(name):
                raise Refused(f"{name!r} is no name of a file, branch or remote", reason="unsafe_argument")
        self._clone, self._path, self._branch, self._remote = clone, path, branch, remote
        self._timeout_s = timeout_s

    @property
    def where(self) -> str:
        """Return file, branch and remote."""
        return f"{self._path} on {self._remote}/{self._branch}"

    def read(self) -> KeptText:
        """Return the file as the remote's branch has it now; its revision is the commit."""
        fetched = self._git("fetch", "--quiet", "--no-tags", self._remote, f"refs/heads/{self._branch}", remote=True)
        if fetched.code:
            raise Unavailable(f"{self.where} cannot be fetched: {fetched.complaint}", retry=True)
        commit = self._git("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}").text.strip()
        found = self._git("cat-file", "blob", f"{commit}:{self._path}")
        if found.code or found.cut:
            raise NotFound(f"{self.where} is not there, or too large")
        return KeptText(text=found.text, revision=commit)

    def replace(self, former: KeptText, text: str, *, why: str) -> None:
        """Commit `text` on top of the commit that was read, and push it; the remote refuses it when it has moved."""
        with self._tree(former.revision) as tree:
            (tree / self._path).write_text(text, encoding="utf-8")
            # `--` and a message of its own argument: neither a name nor a title becomes an option.
            done = run_git(tree, "commit", "--quiet", "--no-verify", "-m", why, "--", self._path, variables=_WHO)
            if done.code:
                raise Unavailable(f"git could not commit {self._path}: {done.complaint}", retry=False)
            commit = run_git(tree, "rev-parse", "HEAD").text.strip()
        pushed = self._git("push", "--porcelain", self._remote, f"{commit}:refs/heads/{self._branch}", remote=True)
        if pushed.code:
            said = f"{pushed.text} {pushed.complaint}".strip()
            if any(sign in said for sign in _MOVED):
                raise Moved(f"{self.where} has moved, or takes no pushes: {' '.join(said.split())[:300]}")
            raise Unavailable(f"{self.where} could not be pushed: {' '.join(said.split())[:300]}", retry=True)

    def _git(self, *arguments: str, remote: bool = False) -> Output:
        return run_git(self._clone, *arguments, timeout_s=self._timeout_s, remote=remote)

    @contextmanager
    def _tree(self, commit: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="stanch-flag-") as parent:
            folder = Path(parent) / "tree"
            made = self._git("worktree", "add", "--quiet", "--detach", str(folder), commit)
            if made.code:
                raise Unavailable(f"git could not check {commit[:10]} out: {made.complaint}", retry=False)
            try:
                if (folder / self._path).is_symlink() or not (folder / self._path).is_file():
                    raise Refused(f"{self._path} is no plain file", reason="unsafe_argument")
                yield folder
            finally:
                self._git("worktree", "remove", "--force", str(folder))
