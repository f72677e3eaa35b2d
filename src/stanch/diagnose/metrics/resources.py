"""Evidence of resources: CPU, saturation and memory of a service that rose more than its load did. Pure."""

from collections.abc import Collection

from stanch.diagnose.metrics.deviation import Movement
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import MetricFrame, Role, SeriesKey, role_of

_KINDS = {
    Role.CPU: EvidenceKind.CPU,
    Role.SATURATION: EvidenceKind.CPU,
    Role.MEMORY: EvidenceKind.MEMORY,
}


def resource_evidence(
    frame: MetricFrame, moved: dict[SeriesKey, Movement], services: Collection[str]
) -> list[Evidence]:
    """Return the resources that rose, one finding per series.

    A service that does more because it is asked more is not at fault for it: the deviation of its load is taken off
    that of its resources. Worked: CPU 46 spreads up while requests are 2 up leaves 44.
    """
    asked: dict[str, float] = {}
    for key, movement in moved.items():
        if role_of(key.metric) is Role.LOAD:
            asked[key.service] = max(asked.get(key.service, 0.0), movement.deviation)
    found = []
    for key in sorted(frame.keys):
        kind = _KINDS.get(role_of(key.metric))
        left = moved[key].deviation - asked.get(key.service, 0.0)
        if kind is None or left <= 0 or key.service not in services:
            continue
        found.append(
            Evidence(
                kind=kind,
                service=key.service,
                subject=key.metric,
                strength=strength_of(kind, left),
                deviation=left,
                before=moved[key].before,
                after=moved[key].after,
            )
        )
    return found
