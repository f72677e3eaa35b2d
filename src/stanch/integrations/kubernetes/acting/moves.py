"""What each action would change of an object, path by path. Pure: the object and what is near it in, a move out.

A move names the part of the object that it rests on. What else changes meanwhile (a pod that gets ready moves the
object's resource version on) does not matter to it.
"""

import copy
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stanch.integrations.kubernetes.acting.templates import Template, choose, current, own_template, said
from stanch.integrations.kubernetes.rows import Object, name_of, objects, part, text
from stanch.kernel.errors import Bug, Refused
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact

RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
CAUSE: Final = "kubernetes.io/change-cause"
CANARY: Final = "nginx.ingress.kubernetes.io/canary"
WEIGHT: Final = f"{CANARY}-weight"
_TOTAL: Final = f"{CANARY}-weight-total"
_MOST_REPLICAS: Final = 50
# What is kept in the log to bring a value back; a longer one is told to be kept by the person.
_LONGEST_KEPT: Final = 16 * 1024
_REPLICAS: Final = re.compile(r"([+-]?)(\d{1,4})")
_LABEL: Final = re.compile(r"(?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9][\w.-]{0,62}=(?:[A-Za-z0-9][\w.-]{0,62})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Near:
    """What was read beside the object: its history, newest first, and the pods that fit the new selector."""

    history: Sequence[Template] = ()
    pods: Sequence[Object] = ()
    now: str = ""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A change: what it does to the object, the part it rests on, the settings made exact, and how to go back.

    `operations` are those of a JSON Patch (RFC 6902): `add`, `replace` and `remove`.

    `undo` is the actuator and its settings that bring back what is there now, None when nothing does.
    """

    operations: tuple[Object, ...]
    rests_on: JSON
    exact: dict[str, JSON] = field(default_factory=dict)
    undo: tuple[str, dict[str, JSON]] | None = None
    warnings: tuple[str, ...] = ()

    def applied(self, item: Object) -> Object:
        """Return the object as it is after the change; `item` stays as it is."""
        changed = copy.deepcopy(item)
        for operation in self.operations:
            *way, last = (part.replace("~1", "/").replace("~0", "~") for part in str(operation["path"]).split("/")[1:])
            place: JSON = changed
            for name in way:
                place = (
                    place[int(name)] if isinstance(place, list) else place[name] if isinstance(place, dict) else None
                )
            _apply(place, last, operation)
        return changed

    def fingerprint(self, item: Object) -> str:
        """Return the object's identity and the state of the part that the move rests on."""
        state = hashlib.sha256(json.dumps(self.rests_on, sort_keys=True).encode()).hexdigest()[:16]
        return f"{text(part(item, 'metadata'), 'uid')}:{state}"


def _apply(place: JSON, last: str, operation: Object) -> None:
    removes = operation["op"] == "remove"
    match place:
        case dict() if removes:
            del place[last]
        case dict():
            place[last] = operation["value"]
        case list() if last == "-":
            place.append(operation["value"])
        case list() if removes:
            del place[int(last)]
        case list():
            place[int(last)] = operation["value"]
        case _:
            raise Bug(f"there is nothing at {operation['path']}")


def undo(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Set the pod template to one that ran before, named by image, tag or the name of its ReplicaSet."""
    _refuse_paused(item, "undo a roll-out of")
    there = own_template(item)
    wanted = choose(near.history, there, told.get("to", ""))
    if (sha := told.get("template")) and sha != wanted.sha:
        raise Refused(f"the template of {wanted.name} is another than the one that was chosen", reason="world_changed")
    now = current(near.history, there)
    same = [one.name for one in near.history if one.images == wanted.images and one.sha != wanted.sha and one != now]
    warnings = [f"other templates have the same image: {', '.join(same)}"] if same else []
    if now is None:
        warnings.append("the template that runs now is not in the history yet: there is no undo")
    title = f"Rolled back to {wanted.name} ({said(wanted)})"
    return Move(
        operations=(_set("/spec/template", wanted.template), *_annotated(item, CAUSE, title)),
        rests_on={"template": there, "paused": part(item, "spec").get("paused") is True},
        exact={"to": wanted.name, "template": wanted.sha},
        undo=("kubernetes.undo", {"to": now.name, "template": now.sha}) if now else None,
        warnings=tuple(warnings),
    )


def scale(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Set the number of replicas; `+2` counts from how many there are to be now."""
    have = part(item, "spec").get("replicas", 1)
    have = have if isinstance(have, int) else 1
    found = _REPLICAS.fullmatch(told.get("replicas", ""))
    if found is None:
        raise Refused(f"replicas cannot be {told.get('replicas', '')!r}", reason="not_taken")
    number = int(found[2])
    wanted = have + number if found[1] == "+" else have - number if found[1] == "-" else number
    most = int(told.get("most") or _MOST_REPLICAS)
    if not 0 <= wanted <= most:
        raise Refused(f"{wanted} replicas are outside of 0 to {most}", reason="out_of_bounds")
    if wanted == have:
        raise Refused(f"{name_of(item)} has {have} replicas already", reason="nothing_to_do")
    return Move(
        operations=(_set("/spec/replicas", wanted),),
        rests_on=have,
        exact={"replicas": str(wanted)},
        undo=("kubernetes.scale", {"replicas": str(have)}),
        warnings=("no replica is left: it answers nobody",) if wanted == 0 else (),
    )


def restart(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Have all pods replaced one after the other, as `kubectl rollout restart` does."""
    _refuse_paused(item, "restart")
    spec = part(item, "spec")
    warnings = []
    if spec.get("replicas") == 0:
        raise Refused(f"{name_of(item)} has no replicas: there is nothing to restart", reason="nothing_to_do")
    if text(part(spec, "strategy"), "type") == "Recreate":
        warnings.append("its strategy is Recreate: all pods end before new ones start")
    if text(part(spec, "updateStrategy"), "type") == "OnDelete":
        warnings.append("its strategy is OnDelete: no pod is restarted until somebody deletes it")
    at = told.get("at") or near.now
    return Move(
        operations=tuple(
            _annotated(item, RESTARTED, at, prefix="/spec/template/metadata", inside=_template_meta(item))
        ),
        rests_on={"template": own_template(item), "paused": spec.get("paused") is True},
        exact={"at": at},
        warnings=tuple(warnings),
    )


def env(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Set or remove an environment variable of a container; the pods are replaced."""
    containers = objects(part(part(part(item, "spec"), "template"), "spec"), "containers")
    wanted = told.get("container") or (text(containers[0], "name") if containers else "")
    number = next((place for place, one in enumerate(containers) if text(one, "name") == wanted), None)
    if number is None:
        raise Refused(f"{name_of(item)} has no container {wanted!r}", reason="not_found")
    variable, removed = told.get("variable", ""), told.get("remove") == "true"
    variables = objects(containers[number], "env")
    place = next((at for at, one in enumerate(variables) if text(one, "name") == variable), None)
    before = variables[place] if place is not None else None
    path = f"/spec/template/spec/containers/{number}/env"
    after: Object = {"name": variable, "value": told.get("value", "")}
    if removed and place is None:
        raise Refused(f"{wanted} has no variable {variable}", reason="nothing_to_do")
    if not removed and before == after:
        raise Refused(f"{variable} of {wanted} is that already", reason="nothing_to_do")
    if removed:
        operations: tuple[Object, ...] = ({"op": "remove", "path": f"{path}/{place}"},)
    elif place is not None:
        operations = ({"op": "replace", "path": f"{path}/{place}", "value": after},)
    elif variables:
        operations = (_set(f"{path}/-", after),)
    else:
        operations = (_set(path, [after]),)
    paused = part(item, "spec").get("paused") is True
    back = _env_back(before, variable, wanted) or _template_back(item, near)
    warnings = ["it is paused: nothing is rolled out until it is resumed"] if paused else []
    if back is None:
        warnings.append("what is there now comes from elsewhere or is a secret, and is not kept: there is no undo")
    return Move(
        operations=operations,
        rests_on={"template": own_template(item), "paused": paused},
        exact={"container": wanted},
        undo=back,
        warnings=tuple(warnings),
    )


def configmap(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Set or remove one key of a ConfigMap."""
    key, removed = told.get("key", ""), told.get("remove") == "true"
    data = part(item, "data")
    if item.get("immutable") is True:
        raise Refused(f"{name_of(item)} is immutable: make another and point to it", reason="immutable")
    if key in part(item, "binaryData"):
        raise Refused(f"{key} of {name_of(item)} is no text", reason="not_taken")
    before = data.get(key)
    if removed and before is None:
        raise Refused(f"{name_of(item)} has no key {key}", reason="nothing_to_do")
    if not removed and before == told.get("value", ""):
        raise Refused(f"{key} of {name_of(item)} is that already", reason="nothing_to_do")
    path = f"/data/{_escaped(key)}"
    operations: list[Object] = [] if isinstance(item.get("data"), dict) else [_set("/data", {})]
    operations.append({"op": "remove", "path": path} if removed else _set(path, told.get("value", "")))
    warnings = ["pods that take it as environment see it when they are restarted"]
    back: tuple[str, dict[str, JSON]] | None = ("kubernetes.configmap", {"key": key, "remove": "true"})
    if isinstance(before, str):
        back = ("kubernetes.configmap", {"key": key, "value": before})
        if redact(before) != before or len(before) > _LONGEST_KEPT:
            back = None
            warnings.append("what is there now holds a secret or is too long, and is not kept: there is no undo")
    return Move(operations=tuple(operations), rests_on=before, undo=back, warnings=tuple(warnings))


def pause(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Pause the roll-outs of a deployment, or resume them."""
    paused = part(item, "spec").get("paused") is True
    wanted = told.get("paused", "true") == "true"
    if paused == wanted:
        raise Refused(f"{name_of(item)} is {'paused' if paused else 'not paused'} already", reason="nothing_to_do")
    operation: Object = _set("/spec/paused", True) if wanted else {"op": "remove", "path": "/spec/paused"}
    return Move(
        operations=(operation,),
        rests_on={"paused": paused, "template": own_template(item)},
        exact={"paused": "true" if wanted else "false"},
        undo=("kubernetes.pause", {"paused": "true" if paused else "false"}),
        warnings=() if wanted else ("what was changed while it was paused is rolled out now",),
    )


def selector(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Point a Service to other pods. All of its selector is replaced: one that is merged may fit no pod at all."""
    wanted = labels_of(told.get("selector", ""))
    before = part(part(item, "spec"), "selector")
    if not before:
        raise Refused(f"{name_of(item)} has no selector: its end points are kept by hand", reason="not_taken")
    if before == wanted:
        raise Refused(f"{name_of(item)} points there already", reason="nothing_to_do")
    ready = [name_of(one) for one in near.pods if _is_ready(one)]
    if not ready:
        raise Refused(f"no pod that is ready has the labels {told.get('selector', '')}", reason="no_pods")
    return Move(
        operations=(_set("/spec/selector", wanted),),
        rests_on=before,
        undo=("kubernetes.traffic", {"selector": ",".join(f"{name}={value}" for name, value in before.items())}),
        warnings=(f"{len(ready)} ready pods would answer: {', '.join(sorted(ready)[:5])}",),
    )


def weight(item: Object, told: Mapping[str, str], near: Near) -> Move:
    """Give the canary Ingress another share of the requests."""
    annotations = part(part(item, "metadata"), "annotations")
    if annotations.get(CANARY) != "true":
        raise Refused(f"{name_of(item)} is no canary: it has no annotation {CANARY}", reason="not_taken")
    total = text(annotations, _TOTAL)
    most = int(total) if total.isdecimal() and len(total) < 7 else 100
    wanted = told.get("weight", "")
    if not wanted.isdecimal() or int(wanted) > most:
        raise Refused(f"the weight must be 0 to {most}, not {wanted!r}", reason="out_of_bounds")
    before = text(annotations, WEIGHT)
    if before == wanted:
        raise Refused(f"the weight of {name_of(item)} is {wanted} already", reason="nothing_to_do")
    return Move(
        operations=tuple(_annotated(item, WEIGHT, wanted)),
        rests_on={"weight": before, "total": total},
        undo=("kubernetes.traffic", {"weight": before or "0"}),
    )


def labels_of(written: str) -> dict[str, JSON]:
    """Return the labels of `app=pay,track=stable`. Raises `Refused` for anything else."""
    pieces = [piece.strip() for piece in written.split(",")]
    if not all(_LABEL.fullmatch(piece) for piece in pieces):
        raise Refused(f"{written!r} are no labels", reason="not_taken")
    return {name: value for name, _, value in (piece.partition("=") for piece in pieces)}


def _env_back(before: Object | None, variable: str, container: str) -> tuple[str, dict[str, JSON]] | None:
    told: dict[str, JSON] = {"container": container, "variable": variable}
    if before is None:
        return "kubernetes.env", {**told, "remove": "true"}
    value = before.get("value", "")
    pair = f"{variable}={value}"
    if "valueFrom" in before or not isinstance(value, str) or redact(pair) != pair:
        return None
    return "kubernetes.env", {**told, "value": value}


def _template_back(item: Object, near: Near) -> tuple[str, dict[str, JSON]] | None:
    """Return the way back to all of the template that runs now, which names it and holds none of its values."""
    now = current(near.history, own_template(item))
    return ("kubernetes.undo", {"to": now.name, "template": now.sha}) if now else None


def _refuse_paused(item: Object, what: str) -> None:
    if part(item, "spec").get("paused") is True:
        raise Refused(f"cannot {what} {name_of(item)}: it is paused; resume it first", reason="paused")


def _template_meta(item: Object) -> Object:
    return part(part(part(item, "spec"), "template"), "metadata")


def _annotated(
    item: Object, name: str, value: str, *, prefix: str = "/metadata", inside: Object | None = None
) -> list[Object]:
    metadata = part(item, "metadata") if inside is None else inside
    operations: list[Object] = []
    if not metadata:
        operations.append(_set(prefix, {}))
    if not isinstance(metadata.get("annotations"), dict):
        operations.append(_set(f"{prefix}/annotations", {}))
    operations.append(_set(f"{prefix}/annotations/{_escaped(name)}", value))
    return operations


def _set(path: str, value: JSON) -> Object:
    # It also replaces, and a number that is zero is left out of what the server answers.
    return {"op": "add", "path": path, "value": value}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _is_ready(pod: Object) -> bool:
    conditions = objects(part(pod, "status"), "conditions")
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
