"""How far a roll-out has come, by what the workload itself says: the rules of `kubectl rollout status`. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stanch.integrations.kubernetes.rows import Object, name_of, objects, part, text


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether a roll-out is done or has failed, and the sentence that says how far it is."""

    line: str
    done: bool = False
    failed: bool = False


def standing(item: Object) -> Standing:
    """Return how far the workload has come: of a Deployment, a StatefulSet or a DaemonSet."""
    status, spec = part(item, "status"), part(item, "spec")
    if _number(part(item, "metadata"), "generation") > _number(status, "observedGeneration"):
        return Standing(line="the controller has not seen the change yet")
    match item.get("kind"):
        case "DaemonSet":
            wanted = _number(status, "desiredNumberScheduled")
            return _standing(wanted, _number(status, "updatedNumberScheduled"), _number(status, "numberAvailable"))
        case "StatefulSet":
            wanted = _number(spec, "replicas", 1)
            partition = _number(part(part(spec, "updateStrategy"), "rollingUpdate"), "partition")
            same = text(status, "updateRevision") == text(status, "currentRevision")
            updated = wanted if same else _number(status, "updatedReplicas") + min(partition, wanted)
            return _standing(wanted, updated, _number(status, "readyReplicas"))
        case _:
            return _deployment(status, _number(spec, "replicas", 1))


def _deployment(status: Object, wanted: int) -> Standing:
    for condition in objects(status, "conditions"):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Standing(line=f"the roll-out does not come forward: {text(condition, 'message')}", failed=True)
    updated = _number(status, "updatedReplicas")
    old = _number(status, "replicas") - updated
    if updated >= wanted and old > 0:
        return Standing(line=f"{old} old replicas are still ending")
    return _standing(wanted, updated, _number(status, "availableReplicas"))


def _standing(wanted: int, updated: int, available: int) -> Standing:
    line = f"{updated} of {wanted} replicas updated, {available} available"
    return Standing(line=line, done=updated >= wanted and available >= wanted)


def pods_in_trouble(pods: Iterable[Object]) -> Iterator[str]:
    """Yield a sentence for each pod with a container that waits for a reason, e.g. `CrashLoopBackOff`."""
    for pod in pods:
        for state in objects(part(pod, "status"), "containerStatuses"):
            waiting = part(part(state, "state"), "waiting")
            if reason := text(waiting, "reason"):
                message = text(waiting, "message")
                yield f"{name_of(pod)}: {reason}" + (f", {message}" if message else "")


def _number(item: Object, name: str, default: int = 0) -> int:
    found = item.get(name, default)
    return found if isinstance(found, int) else default
