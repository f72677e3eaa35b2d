"""Notices to tell receivers about, and receivers made as a server makes them."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from stanch.integrations.alertmanager import Receivers
from stanch.ports.notifier import Notice, NoticeAlert, Notifier

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def alert(name: str = "DiskFull", *, over: bool = False, **labels: str) -> NoticeAlert:
    """Return an alert that fires since 03:00, or that was over at 04:00."""
    return NoticeAlert(
        labels={"alertname": name, "severity": "page", **labels},
        annotations={"summary": f"{name} <is> full"},
        starts_at=AT,
        ends_at=AT + timedelta(hours=1) if over else None,
        fingerprint="ab" * 8,
        generator_url="http://prometheus.example/graph",
    )


def notice(*alerts: NoticeAlert, id: str = "notice/1/0/slack[0]/1") -> Notice:
    """Return a notice about `alerts`, by default one that fires."""
    return Notice(
        id=id,
        receiver="team",
        group_key='{}:{alertname="DiskFull"}',
        group_labels={"alertname": "DiskFull"},
        alerts=alerts or (alert(instance="db1"),),
        external_url="http://stanch.example",
        seconds=5.0,
    )


def receiver(kind: str, settings: Mapping[str, object]) -> Notifier:
    """Return a receiver of `kind` after its settings were checked."""
    receivers = Receivers()
    receivers.checks()[kind](settings)
    return receivers.make(kind, settings)


def tell(kind: str, settings: Mapping[str, object], about: Notice) -> str:
    """Tell a receiver about one notice and return what the far end said."""
    with closing(receiver(kind, settings)) as one:
        return one.notify(about)
