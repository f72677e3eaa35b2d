"""Objects of a cluster as rows: what a query pack may speak of. Pure; what is missing in an object is left empty."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from stanch.kernel.event import JSON
from stanch.ports.query import Row

Object = dict[str, JSON]
_UNITS: Final = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
_QUANTITY: Final = re.compile(r"([0-9.]+)([numkMGT]?i?)")
_APP_LABELS: Final = ("app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance")


def rows_of(item: Object, *, since: datetime) -> Iterator[Row]:
    """Yield the rows of one object: a container each of a pod, else one."""
    match item.get("kind"):
        case "Pod":
            yield from _pod(item, since=since)
        case "Event":
            if row := _event(item, since=since):
                yield row
        case "Deployment" | "StatefulSet" | "DaemonSet":
            yield _workload(item)
        case "Node":
            yield _node(item)
        case "HorizontalPodAutoscaler":
            yield _autoscaler(item)
        case "PersistentVolumeClaim":
            yield {
                "claim": name_of(item),
                "namespace": namespace_of(item),
                "phase": text(part(item, "status"), "phase"),
            }
        case _:
            yield {"kind": str(item.get("kind", "")), "name": name_of(item), "namespace": namespace_of(item)}


def top_rows(printed: str) -> Iterator[Row]:
    """Yield a row for each line that `kubectl top --no-headers` prints: name, CPU in thousandths, memory in bytes."""
    for line in printed.splitlines():
        words = line.split()
        if len(words) >= 3:
            cpu, memory = quantity(words[1]), quantity(words[2] if "%" not in words[2] else words[3])
            yield {
                "pod": words[0],
                "cpu_m": round(cpu * 1000) if cpu is not None else None,
                "memory_bytes": memory,
            }


def _pod(item: Object, *, since: datetime) -> Iterator[Row]:
    status, spec = part(item, "status"), part(item, "spec")
    limits = {
        text(one, "name"): quantity(text(part(part(one, "resources"), "limits"), "memory"))
        for one in objects(spec, "containers")
    }
    unscheduled = next(
        (
            condition
            for condition in objects(status, "conditions")
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        ),
        {},
    )
    base: Row = {
        "pod": name_of(item),
        "namespace": namespace_of(item),
        "app": app_of(item),
        "phase": text(status, "phase"),
        "node": text(spec, "nodeName"),
        "message": text(unscheduled, "message") or text(status, "message"),
        "reason": text(unscheduled, "reason") or text(status, "reason"),
    }
    states = objects(status, "initContainerStatuses") + objects(status, "containerStatuses")
    if not states:
        yield {**base, "container": "", "restarts": 0, "ready": "no"}
    for state in states:
        waiting = part(part(state, "state"), "waiting")
        last = part(part(state, "lastState"), "terminated") or part(part(state, "state"), "terminated")
        finished = instant(text(last, "finishedAt"))
        restarts = state.get("restartCount")
        yield {
            **base,
            "container": text(state, "name"),
            "image": text(state, "image"),
            "ready": "yes" if state.get("ready") is True else "no",
            "restarts": restarts if isinstance(restarts, int) else 0,
            "reason": text(waiting, "reason") or base["reason"],
            "message": text(waiting, "message") or base["message"],
            "last_reason": text(last, "reason"),
            "last_exit": last.get("exitCode"),
            "last_finished": finished.isoformat() if finished else "",
            "last_is_recent": "yes" if finished and finished >= since else "no",
            "memory_limit_bytes": limits.get(text(state, "name")),
        }


def _event(item: Object, *, since: datetime) -> Row | None:
    series = part(item, "series")
    # `lastTimestamp` is null in newer events.
    stamps = (text(series, "lastObservedTime"), text(item, "lastTimestamp"), text(item, "eventTime"))
    at = next((found for stamp in stamps if (found := instant(stamp))), None)
    if at is None or at < since:
        return None
    about = part(item, "involvedObject")
    count = series.get("count") or item.get("count")
    return {
        "object": f"{text(about, 'kind').lower()}/{text(about, 'name')}",
        "pod": text(about, "name"),
        "namespace": namespace_of(item),
        "type": text(item, "type"),
        "reason": text(item, "reason"),
        "message": text(item, "message"),
        "count": count if isinstance(count, int) else 1,
        "times": count if isinstance(count, int) else 1,
        "at": at.isoformat(),
    }


def _workload(item: Object) -> Row:
    spec, status = part(item, "spec"), part(item, "status")
    daemon = item.get("kind") == "DaemonSet"
    desired = status.get("desiredNumberScheduled") if daemon else spec.get("replicas", 1)
    ready = status.get("numberReady") if daemon else status.get("readyReplicas", 0)
    wanted, have = desired if isinstance(desired, int) else 0, ready if isinstance(ready, int) else 0
    stuck = next(
        (one for one in objects(status, "conditions") if one.get("reason") == "ProgressDeadlineExceeded"),
        {},
    )
    return {
        "deployment": name_of(item),
        "namespace": namespace_of(item),
        "app": app_of(item),
        "desired": wanted,
        "ready": have,
        "missing": max(0, wanted - have),
        "ready_share": round(have / wanted, 4) if wanted else None,
        "updated": status.get("updatedReplicas", 0),
        "stuck": int(bool(stuck)),
        "message": text(stuck, "message"),
        "image": image_of(item),
    }


def _node(item: Object) -> Row:
    conditions = objects(part(item, "status"), "conditions")
    by_type = {text(one, "type"): one for one in conditions}
    pressed = [name for name, one in by_type.items() if name.endswith("Pressure") and one.get("status") == "True"]
    ready = by_type.get("Ready", {}).get("status") == "True"
    return {
        "node": name_of(item),
        "ready": "yes" if ready else "no",
        "unready": int(not ready),
        "pressure": ", ".join(pressed) or "none",
        "in_trouble": int(not ready or bool(pressed)),
        "message": text(by_type.get("Ready", {}), "message"),
    }


def _autoscaler(item: Object) -> Row:
    spec, status = part(item, "spec"), part(item, "status")
    current, most = status.get("currentReplicas"), spec.get("maxReplicas")
    have, limit = current if isinstance(current, int) else 0, most if isinstance(most, int) else 0
    return {
        "autoscaler": name_of(item),
        "namespace": namespace_of(item),
        "deployment": text(part(spec, "scaleTargetRef"), "name"),
        "current": have,
        "most": limit,
        "used_share": round(have / limit, 4) if limit else None,
    }


def part(item: Object, name: str) -> Object:
    """Return an object inside, an empty one where there is none."""
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def objects(item: Object, name: str) -> list[Object]:
    """Return the objects of a list inside."""
    found = item.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(item: Object, name: str) -> str:
    """Return a text inside, an empty one where there is none."""
    found = item.get(name)
    return found if isinstance(found, str) else ""


def name_of(item: Object) -> str:
    """Return an object's name."""
    return text(part(item, "metadata"), "name")


def namespace_of(item: Object) -> str:
    """Return an object's namespace."""
    return text(part(item, "metadata"), "namespace")


def app_of(item: Object) -> str:
    """Return what an object belongs to, by the labels that are recommended for it and the usual ones."""
    labels = part(part(item, "metadata"), "labels")
    return next((text(labels, name) for name in _APP_LABELS if text(labels, name)), "")


def image_of(item: Object) -> str:
    """Return the image of a workload's first container."""
    template = part(part(part(item, "spec"), "template"), "spec")
    return next((text(one, "image") for one in objects(template, "containers")), "")


def instant(stamp: str) -> datetime | None:
    """Return an RFC 3339 instant, None for anything else."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def quantity(written: str) -> float | None:
    """Return a quantity as Kubernetes writes it: `250m` is 0.25, `128Mi` is 134,217,728."""
    found = _QUANTITY.fullmatch(written)
    if found is None or found.group(2) not in _UNITS:
        return None
    try:
        return float(found.group(1)) * _UNITS[found.group(2)]
    except ValueError:
        return None
