"""The notifier port: tell one integration of a receiver about a group of alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class NoticeAlert:
    """An alert in a notice. `ends_at` (UTC) is None while it fires; `fingerprint` is the one Prometheus shows."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    fingerprint: str
    generator_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is told about a group. `id` is stable over retries and is the idempotency key."""

    id: str
    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[NoticeAlert, ...]
    external_url: str
    reason: str = ""
    seconds: float = field(default=10.0)

    @property
    def is_firing(self) -> bool:
        """Tell whether any of the alerts fires."""
        return any(alert.ends_at is None for alert in self.alerts)


class Notifier(Protocol):
    """Tells one place. Raises `Unavailable(retry=...)` when it was not taken."""

    def notify(self, notice: Notice) -> str:
        """Hand `notice` over within `notice.seconds`; return what the far end said, for the record."""
        ...

    def close(self) -> None:
        """Give connections back; nothing is handed over after it."""
        ...
