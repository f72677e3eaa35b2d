"""Records of what alerts from outside lead to, as `stanch.toml` declares it. The keys are `alerting_keys`'."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """When an alert from outside is an incident: when any text of `declare_when` matches it; severities in lower case.

    `service_labels` are looked at in order for the service it is about. An alert flaps once it has changed
    `flapping_changes` times within `flapping_s` seconds, until it has been calm for as long.
    """

    declare_when: tuple[str, ...] = ("severity=critical", "severity=page", "severity=error")
    known_services_only: bool = True
    service_labels: tuple[str, ...] = (
        "service",
        "app",
        "application",
        "app_kubernetes_io_name",
        "component",
        "deployment",
        "container",
        "job",
        "project",
        "namespace",
    )
    flapping_changes: int = 10
    flapping_s: float = 900.0


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """Something that must be heard every `every_s` seconds; `grace_s` later its absence is an alert.

    It beats at `/heartbeat/<name>`, or by alerts that match `alert`. The secret is in the variable `secret_env`.
    """

    name: str
    every_s: float
    grace_s: float = 60.0
    alert: str = ""
    service: str = ""
    severity: str = "critical"
    summary: str = ""
    secret_env: str = ""
