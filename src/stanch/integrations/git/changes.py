"""The changes port on a git repository: commits as they arrived, and tags with the commits they bring."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from stanch.integrations.git.repository import Commit, Repository, Tag
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind

_ALL_SERVICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
# Each diff costs one run of git, about 5 ms; the changes nearest to the end of the window are the ones looked at.
_MOST_DIFFS: Final = 20
_MOST_COMMITS: Final = 50
_MOST_PATHS: Final = 200


class GitChanges:
    """Reads changes from one repository.

    `services` maps each service whose code is here to its part of the repository, as paths of folders or files; no
    paths mean all of it. A commit counts for each service that it touches, and for none ("") where it touches none.
    """

    def __init__(
        self, folder: Path, *, services: Mapping[str, tuple[str, ...]] = _ALL_SERVICES, timeout_s: float = 10.0
    ) -> None:
        self.repository = Repository(folder, timeout_s=timeout_s)
        self.services = {name: tuple(map(_part, paths)) for name, paths in services.items()}

    @property
    def name(self) -> str:
        """Return `git:` and the repository's name."""
        return f"git:{self.repository.name}"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return commits and tags in [start, end), oldest first, of these services and of none in particular.

        The newest twenty come with their diff. Raises `Unavailable` when the folder is no readable repository.
        """
        self.repository.check()
        commits = self.repository.commits_in(start=start, end=end)
        tags = [tag for tag in self.repository.tags() if start <= tag.at < end]
        found = [change for commit in commits for change in self._of_commit(commit)]
        found += [self._of_tag(tag) for tag in tags]
        wanted = [change for change in found if not services or change.service in services or not change.service]
        # A tag made with its commit comes after it.
        ordered = sorted(wanted, key=lambda change: (change.at, change.kind is ChangeKind.TAG))
        bare, near = ordered[:-_MOST_DIFFS], ordered[-_MOST_DIFFS:]
        return [*bare, *(self._with_diff(change) for change in near)]

    def complete(self, change: Change) -> Change:
        """Add to a change from elsewhere, such as a deploy, what this repository knows of it.

        `version` (a tag or any revision) or `commit` say what is new, `previous` what was there before. Fills
        `commit`, `paths`, `diff` and `data["commits"]` (oldest first, each with `commit`, `title`, `author`, `at` and
        `paths`) where they are empty. Returns the change as it is when its service or revision is not here.
        """
        if self.services and change.service not in self.services:
            return change
        new = next((hash for name in (change.commit, change.version) if (hash := self.repository.resolve(name))), None)
        if new is None:
            return change
        old = self.repository.resolve(change.previous) or f"{new}^"
        paths = self.services.get(change.service, ())
        commits = self.repository.commits_between(old, new, paths=paths)
        return replace(
            change,
            commit=change.commit or new,
            paths=change.paths or _paths_of(commits),
            diff=change.diff or self.repository.diff(old, new, paths=paths),
            data={"commits": _told(commits), **change.data},
        )

    def _of_commit(self, commit: Commit) -> list[Change]:
        touched = self._touched(commit.paths)
        several = len(touched) > 1
        return [
            Change(
                id=f"git/{commit.hash}/{service}" if several else f"git/{commit.hash}",
                at=commit.at,
                kind=ChangeKind.COMMIT,
                service=service,
                title=commit.title,
                commit=commit.hash,
                author=commit.author,
                paths=self._within(service, commit.paths)[:_MOST_PATHS],
                source=self.name,
            )
            for service in touched or [""]
        ]

    def _of_tag(self, tag: Tag) -> Change:
        previous = self.repository.tag_before(tag)
        commits = self.repository.commits_between(previous, tag.commit) if previous else []
        touched = self._touched(path for commit in commits for path in commit.paths)
        return Change(
            id=f"git/tag/{tag.name}@{tag.commit[:12]}",
            at=tag.at,
            kind=ChangeKind.TAG,
            service=self._named(tag.name) or (touched[0] if len(touched) == 1 else ""),
            title=tag.title or tag.name,
            version=tag.name,
            previous=previous,
            commit=tag.commit,
            author=tag.author,
            paths=_paths_of(commits),
            source=self.name,
            data={"commits": _told(commits)} if commits else {},
        )

    def _with_diff(self, change: Change) -> Change:
        before = change.previous or f"{change.commit}^"
        return replace(
            change, diff=self.repository.diff(before, change.commit, paths=self.services.get(change.service, ()))
        )

    def _touched(self, paths: Iterable[str]) -> list[str]:
        known = list(paths)
        return [service for service in self.services if self._within(service, known)]

    def _within(self, service: str, paths: Iterable[str]) -> tuple[str, ...]:
        parts = self.services.get(service, ())
        return tuple(path for path in paths if not parts or any(_holds(part, path) for part in parts))

    def _named(self, tag: str) -> str:
        """Return the service that a tag such as `payments/v3.2.1` or `payments-3.2.1` names, or ""."""
        found = [name for name in self.services if tag.startswith((f"{name}/", f"{name}-", f"{name}@", f"{name}_"))]
        return max(found, key=len, default="")


def _part(path: str) -> str:
    return path.removeprefix("./").rstrip("/")


def _holds(part: str, path: str) -> bool:
    return part in ("", ".") or path == part or path.startswith(f"{part}/")


def _paths_of(commits: Iterable[Commit]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for commit in commits for path in commit.paths))[:_MOST_PATHS]


def _told(commits: list[Commit]) -> list[JSON]:
    return [
        {
            "commit": commit.hash,
            "title": commit.title,
            "author": commit.author,
            "at": commit.at.isoformat(),
            "paths": list[JSON](commit.paths[:_MOST_PATHS]),
        }
        for commit in commits[-_MOST_COMMITS:]
    ]
