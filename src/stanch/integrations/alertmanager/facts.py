"""What a template can say about a notice, and the words that are used where there is none.

The fields are those of https://prometheus.io/docs/alerting/latest/notifications/. The words are Stanch's own.
"""

from datetime import UTC, datetime
from typing import Final

from stanch.integrations.alertmanager.values import Alerts, Pairs, Record
from stanch.integrations.alertmanager.webhook import common
from stanch.ports.notifier import Notice, NoticeAlert

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LISTED: Final = 20
"""Alerts that a text lists; the others are counted. 20 of 150 letters are what a phone shows in a few swipes."""
_LONGEST_LINE: Final = 500


def data_of(notice: Notice) -> Record:
    """Return what templates see."""
    return Record(
        Receiver=notice.receiver,
        Status="firing" if notice.is_firing else "resolved",
        Alerts=Alerts(_alert(one) for one in notice.alerts),
        GroupLabels=Pairs(notice.group_labels),
        CommonLabels=Pairs(common([one.labels for one in notice.alerts])),
        CommonAnnotations=Pairs(common([one.annotations for one in notice.alerts])),
        ExternalURL=notice.external_url,
        GroupKey=notice.group_key,
        TruncatedAlerts=0,
    )


def _alert(alert: NoticeAlert) -> Record:
    return Record(
        Status="firing" if alert.ends_at is None else "resolved",
        Labels=Pairs(alert.labels),
        Annotations=Pairs(alert.annotations),
        StartsAt=alert.starts_at,
        EndsAt=alert.ends_at or _NEVER,
        GeneratorURL=alert.generator_url,
        Fingerprint=alert.fingerprint,
    )


def title_of(notice: Notice) -> str:
    """Return one line: what the group's state is, how many alerts, what they are about."""
    firing = sum(one.ends_at is None for one in notice.alerts)
    state = f"FIRING {firing}" if firing else "RESOLVED"
    labels = {**common([one.labels for one in notice.alerts]), **notice.group_labels}
    name = labels.pop("alertname", "") or f"{len(notice.alerts)} alerts"
    about = [labels[key] for key in ("service", "cluster", "namespace", "job", "instance") if labels.get(key)]
    said = f"{state}: {name}" + (f", {' '.join(dict.fromkeys(about))}" if about else "")
    return f"{said} ({labels['severity']})" if labels.get("severity") else said


def text_of_notice(notice: Notice) -> str:
    """Return a few lines for each alert, those that fire first, and where everything is."""
    ordered = sorted(notice.alerts, key=lambda one: one.ends_at is not None)
    blocks = [_block(one) for one in ordered[:_LISTED]]
    if len(ordered) > _LISTED:
        blocks.append(f"and {len(ordered) - _LISTED} more")
    blocks.append(f"All alerts: {alerts_page(notice)}")
    return "\n\n".join(blocks)


def alerts_page(notice: Notice) -> str:
    """Return the address of the list of alerts."""
    return f"{notice.external_url.rstrip('/')}/alerts"


def _block(alert: NoticeAlert) -> str:
    labels = {name: value for name, value in alert.labels.items() if name != "alertname"}
    state = "FIRING" if alert.ends_at is None else "RESOLVED"
    said = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    lines = [f"{state} {alert.labels.get('alertname', '')}".rstrip() + (f": {said}" if said else "")]
    lines += [f"  {' '.join(f'{name}={value}' for name, value in sorted(labels.items()))}"] if labels else []
    until = "" if alert.ends_at is None else f" until {alert.ends_at:%H:%M} UTC"
    lines.append(f"  since {alert.starts_at:%Y-%m-%d %H:%M} UTC{until}")
    lines += [f"  runbook: {alert.annotations['runbook_url']}"] if alert.annotations.get("runbook_url") else []
    lines += [f"  {alert.generator_url}"] if alert.generator_url else []
    return "\n".join(line[:_LONGEST_LINE] for line in lines)
