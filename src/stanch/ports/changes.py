"""The changes port: what changed between two instants near these services."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from stanch.kernel.event import JSON


class ChangeKind(StrEnum):
    """What kind of thing changed."""

    DEPLOY = "deploy"
    COMMIT = "commit"
    TAG = "tag"
    CONFIG = "config"
    FLAG = "flag"
    MIGRATION = "migration"
    INFRASTRUCTURE = "infrastructure"
    TRAFFIC = "traffic"
    RESTART = "restart"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change. `id` is stable per source, so that reading twice records once; `at` is UTC."""

    id: str
    at: datetime
    kind: ChangeKind
    service: str = ""
    title: str = ""
    version: str = ""
    previous: str = ""
    commit: str = ""
    author: str = ""
    paths: tuple[str, ...] = ()
    source: str = ""
    url: str = ""
    diff: str = ""
    data: dict[str, JSON] = field(default_factory=dict)


class ChangeSource(Protocol):
    """Reads changes from somewhere. Raises `Unavailable` when it cannot look."""

    @property
    def name(self) -> str:
        """Return the source's name, e.g. `deploylog`."""
        ...

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the changes in the half-open window [start, end), oldest first; empty `services` means all."""
        ...


@runtime_checkable
class CompletingSource(Protocol):
    """What a change source may do besides: add to changes of other sources what it knows, as a repository does."""

    def complete(self, change: Change) -> Change:
        """Return `change` with its empty fields filled: `commit`, `paths`, `diff`, and `data["commits"]`.

        `data["commits"]` lists the commits it brought, oldest first, each with `commit`, `title`, `author`, `at` and
        `paths`. Returns the change as it is when the source does not know it. Raises `Unavailable`.
        """
        ...


@runtime_checkable
class ChangeCompleter(Protocol):
    """A source that knows more about changes told by others, e.g. a repository about the deploy of one of its tags."""

    def complete(self, change: Change) -> Change:
        """Return `change` with what is empty in it filled in, or as it is. Raises `Unavailable` when it cannot look.

        Fills `commit`, `paths` and `diff`, and `data["commits"]`: a list, oldest first, of objects with `commit`,
        `title`, `author`, `at` and `paths`.
        """
        ...
