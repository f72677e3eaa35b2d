"""The program port: run one program to read, without a shell, bounded in time and output."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What a program printed, at most as much as was asked for (`cut` when there was more), and how it ended."""

    out: bytes
    code: int
    complaint: str = ""
    cut: bool = False


class Programs(Protocol):
    """Runs programs. Arguments are a list; no shell reads them; standard input is empty."""

    def run(
        self, argv: Sequence[str], *, timeout_s: float, most_bytes: int = ..., environment: Mapping[str, str] = ...
    ) -> Printed:
        """Run a program to its end. Raises `Unavailable` when it is not there or takes longer than `timeout_s`."""
        ...

    def lines(
        self, argv: Sequence[str], *, timeout_s: float, most_bytes: int = ..., environment: Mapping[str, str] = ...
    ) -> Iterator[bytes]:
        """Yield the lines a program prints; it is ended at the limits. Raises `Unavailable` as `run` does."""
        ...
