"""Makes alerts of alarms: those of one metric, composite ones, and the state changes that EventBridge tells."""

from typing import Final

from stanch.kernel.jsontext import JsonObject
from stanch.ports.signals import AlertSignal, SignalStatus

_FIRING: Final = "ALARM"
_OVER: Final = "OK"
NO_DATA: Final = "INSUFFICIENT_DATA"


def alarm_of(message: JsonObject) -> AlertSignal | None:
    """Return the alert of an alarm; None when it has too little data, which neither opens nor ends anything."""
    state = message.needed("NewStateValue").upper()
    if state not in (_FIRING, _OVER):
        return None
    trigger = message.object("Trigger")
    changed_at = message.instant("StateChangeTime")
    annotations = {
        "summary": message.text("AlarmName"),
        "description": message.text("AlarmDescription"),
        "reason": message.text("NewStateReason"),
        "metric": "/".join(part for part in (trigger.text("Namespace"), trigger.text("MetricName")) if part),
        "threshold": " ".join(part for part in (trigger.text("ComparisonOperator"), trigger.text("Threshold")) if part),
        "rule": message.text("AlarmRule"),
        **_dimensions(trigger),
    }
    labels = {
        "alertname": message.needed("AlarmName"),
        "account": message.text("AWSAccountId"),
        "region": _region(message.text("AlarmArn")) or message.text("Region"),
    }
    return _alert(labels, annotations, message, state, changed_at_of="StateChangeTime" if changed_at else "")


def event_of(message: JsonObject) -> AlertSignal | None:
    """Return the alert of a `CloudWatch Alarm State Change`; None when it has too little data."""
    detail = message.object("detail")
    now, before = detail.object("state"), detail.object("previousState")
    state = now.needed("value").upper()
    if state not in (_FIRING, _OVER):
        return None
    annotations = {
        "summary": detail.text("alarmName"),
        "description": detail.object("configuration").text("description"),
        "reason": now.text("reason"),
        "before": before.text("value"),
        "rule": detail.object("configuration").text("alarmRule"),
    }
    labels = {
        "alertname": detail.needed("alarmName"),
        "account": message.text("account"),
        "region": message.text("region"),
    }
    return _alert(labels, annotations, message, state, changed_at_of="time")


def _alert(
    labels: dict[str, str], annotations: dict[str, str], message: JsonObject, state: str, *, changed_at_of: str
) -> AlertSignal:
    over = state == _OVER
    changed_at = message.instant(changed_at_of) if changed_at_of else None
    return AlertSignal(
        labels={name: text for name, text in labels.items() if text},
        annotations={name: text for name, text in annotations.items() if text},
        status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
        starts_at=None if over else changed_at,
        ends_at=changed_at if over else None,
    )


def _dimensions(trigger: JsonObject) -> dict[str, str]:
    # In the template of a metric query there are none; a composite alarm has no trigger at all.
    return {f"dimension_{one.text('name')}": one.text("value") for one in trigger.objects("Dimensions")}


def _region(arn: str) -> str:
    """Return the region in an ARN: `Region` beside it is a name for people, such as `EU (Ireland)`."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
