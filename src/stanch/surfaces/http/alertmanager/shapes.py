"""The JSON of the v2 API, put together from texts that are JSON already: 100,000 alerts are 80 MB."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from stanch import __version__
from stanch.alerts.intake.listing import Shown
from stanch.alerts.intake.model import Group
from stanch.alerts.intake.routes import Receiver, Routing
from stanch.alerts.intake.silences import Silence

API_VERSION: Final = "0.34.0"
"""The release of Alertmanager whose API this is; tools choose what they ask by it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ACTIVE: Final = '{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}'

text = msgspec.json.encode


def instant(micros: int) -> str:
    """Return microseconds since 1970 as RFC 3339 with milliseconds, as Alertmanager writes them."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest // 1000:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def alerts_json(alerts: Iterable[Shown]) -> bytes:
    """Return alerts as a list, by fingerprint."""
    ordered = sorted(alerts, key=lambda one: one.fingerprint)
    return ("[" + ",".join(map(alert_json, ordered)) + "]").encode()


def alert_json(alert: Shown) -> str:
    """Return one alert."""
    row = alert.row
    status = _status(alert) if alert.is_suppressed else _ACTIVE
    return (
        f'{{"annotations":{row.annotations},"endsAt":"{instant(row.ends_at)}","fingerprint":"{alert.fingerprint}",'
        f'"receivers":{_receivers(alert.receivers)},"startsAt":"{instant(row.starts_at)}","status":{status},'
        f'"updatedAt":"{instant(row.updated_at)}","generatorURL":{_quoted(row.generator_url)},"labels":{row.labels}}}'
    )


def _status(alert: Shown) -> str:
    return text(
        {
            "inhibitedBy": alert.inhibited_by,
            "mutedBy": alert.muted_by,
            "silencedBy": alert.silenced_by,
            "state": "suppressed",
        }
    ).decode()


@lru_cache(maxsize=1024)
def _receivers(names: tuple[str, ...]) -> str:
    return text([{"name": name} for name in names]).decode()


@lru_cache(maxsize=1024)
def _quoted(url: str) -> str:
    return text(url).decode()


def groups_json(groups: Iterable[tuple[Group, list[Shown]]]) -> bytes:
    """Return groups with their alerts, by labels and receiver."""
    ordered = sorted(groups, key=lambda one: (_before(one[0].labels), one[0].receiver))
    return ("[" + ",".join(_group(group, alerts) for group, alerts in ordered) + "]").encode()


def _group(group: Group, alerts: list[Shown]) -> str:
    ordered = sorted(
        alerts, key=lambda one: (one.labels.get("job", ""), one.labels.get("instance", ""), _before(one.labels))
    )
    return (
        f'{{"alerts":[{",".join(map(alert_json, ordered))}],"labels":{text(group.labels).decode()},'
        f'"receiver":{text({"name": group.receiver}).decode()},"routeLabels":{{}}}}'
    )


def _before(labels: Mapping[str, str]) -> tuple[int, list[str], list[str]]:
    names = sorted(labels)
    return len(names), names, [labels[name] for name in names]


def silence_json(silence: Silence, *, now: datetime) -> dict[str, object]:
    """Return one silence."""
    return {
        "id": silence.id,
        "status": {"state": silence.state(now).value},
        "updatedAt": _at(silence.updated_at),
        "annotations": dict(silence.annotations),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": _at(silence.ends_at),
        "matchers": [
            {"isEqual": one.op.is_equal, "isRegex": one.op.is_regex, "name": one.name, "value": one.value}
            for one in silence.matchers
        ],
        "startsAt": _at(silence.starts_at),
    }


def _at(moment: datetime) -> str:
    return instant((moment - _EPOCH) // timedelta(microseconds=1))


def receiver_json(receiver: Receiver) -> dict[str, object]:
    """Return one receiver."""
    return {"name": receiver.name, **({"labels": dict(receiver.labels)} if receiver.labels else {})}


def status_json(routing: Routing, *, started_at: datetime, name: str) -> dict[str, object]:
    """Return the status; clients crash without `config` and `cluster`."""
    return {
        "cluster": {"name": name, "peers": [], "status": "disabled"},
        "config": {"original": routing.original},
        "uptime": _at(started_at),
        "versionInfo": {
            "branch": "stanch",
            "buildDate": "",
            "buildUser": "stanch",
            "goVersion": "",
            "revision": __version__,
            "version": API_VERSION,
        },
    }
