"""The fetch port: one bounded GET. Integrations that read HTTP are given one, which keeps the bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer: its status, its body up to the limit (`cut` when there was more), how long it took in seconds.

    `headers` have their names in lower case.
    """

    status: int
    body: bytes
    took_s: float
    cut: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Fetch(Protocol):
    """GETs a URL, within a time-out for all of it."""

    def __call__(
        self, url: str, *, headers: Mapping[str, str] = ..., timeout_s: float = ..., most_bytes: int = ...
    ) -> Got:
        """Return what was answered, whatever its status. Raises `Unavailable` when nothing was."""
        ...
