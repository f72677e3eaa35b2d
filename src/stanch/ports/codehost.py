"""The code host port: a pull or merge request is found, opened and closed, where a repository lives."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A request to merge `source` into `target` of a project (`owner/name`). `body` is Markdown."""

    project: str
    source: str
    target: str
    title: str = ""
    body: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A pull or merge request as it is there."""

    number: int
    url: str
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the API is and how to get in: its URL, empty for the provider's own, and the token, shown nowhere."""

    url: str
    token: str
    timeout_s: float = 15.0


class CodeHost(Protocol):
    """One provider. Each method raises `Unavailable` when it does not answer and `Refused` when it says no."""

    @property
    def name(self) -> str:
        """Return the provider's name, e.g. `github`."""
        ...

    @property
    def token_env(self) -> str:
        """Return the variable that the token is read from by default."""
        ...

    def find(self, proposal: Proposal, access: Access) -> Request | None:
        """Return the newest request from the source branch to the target, an open one first."""
        ...

    def open(self, proposal: Proposal, access: Access) -> tuple[Request, str]:
        """Open it and return it, with what did not work out afterwards (its label), empty when all did."""
        ...

    def close(self, proposal: Proposal, request: Request, access: Access) -> None:
        """Close it without merging."""
        ...

    def opening(self, proposal: Proposal, access: Access) -> tuple[str, str]:
        """Return the URL and the JSON body that `open` sends."""
        ...

    def by_hand(self, proposal: Proposal) -> str:
        """Return the command with which a person opens it; every value is one argument."""
        ...
