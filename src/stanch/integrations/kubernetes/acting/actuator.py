"""The actuators of Kubernetes: what an action needs to be told, what is read before it, how it is carried out.

Before anything is changed the API server is asked whether this account may, and what the object would become (a dry run
on the server). A change holds the resource version that was read, so that the server itself refuses it when somebody
was faster; then it is read again, and done only where the part it rests on is as it was.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from stanch.integrations.kubernetes.acting import moves
from stanch.integrations.kubernetes.acting.control import Control, Target, collection
from stanch.integrations.kubernetes.acting.moves import Move, Near, labels_of
from stanch.integrations.kubernetes.acting.owners import autoscalers_of, owner_warnings
from stanch.integrations.kubernetes.acting.preview import differences
from stanch.integrations.kubernetes.acting.standing import Standing, pods_in_trouble, standing
from stanch.integrations.kubernetes.acting.templates import kept_templates
from stanch.integrations.kubernetes.rows import Object, part, text
from stanch.kernel.errors import Conflict, Refused, StanchError, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.actuator import TIMED_OUT, Outlook, Say, Step, StepResult, carried_out
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    # kind: resource, group, kind as the API writes it
    "deployment": ("deployments", "apps", "Deployment"),
    "statefulset": ("statefulsets", "apps", "StatefulSet"),
    "daemonset": ("daemonsets", "apps", "DaemonSet"),
    "configmap": ("configmaps", "", "ConfigMap"),
    "service": ("services", "", "Service"),
    "ingress": ("ingresses", "networking.k8s.io", "Ingress"),
}
_WORKLOADS: Final = ("deployment", "statefulset", "daemonset")
_HISTORY: Final = {"deployment": "replicasets"}
# Every write by a controller (a pod that becomes ready) is a conflict; with nothing else changed it is tried again.
_TRIES: Final = 5
_MOST_PODS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Action:
    """One actuator: its name, the kinds it acts on (the first by default), and what makes the move.

    `own` are the settings it takes beside where the object is; a `subresource` is what the change goes to.
    """

    name: str
    kinds: tuple[str, ...]
    own: tuple[str, ...]
    subresource: str = ""
    needs_history: bool = False
    rolls_out: bool = True


ACTIONS: Final = (
    Action(name="kubernetes.undo", kinds=_WORKLOADS, own=("to", "template"), needs_history=True),
    Action(name="kubernetes.scale", kinds=_WORKLOADS[:2], own=("replicas", "most"), subresource="scale"),
    Action(name="kubernetes.restart", kinds=_WORKLOADS, own=("at",)),
    Action(
        name="kubernetes.env",
        kinds=_WORKLOADS,
        own=("container", "variable", "value", "remove"),
        needs_history=True,
    ),
    Action(name="kubernetes.configmap", kinds=("configmap",), own=("key", "value", "remove"), rolls_out=False),
    Action(name="kubernetes.pause", kinds=_WORKLOADS[:1], own=("paused",)),
    Action(name="kubernetes.traffic", kinds=("service", "ingress"), own=("selector", "weight"), rolls_out=False),
)
_MOVES: Final[Mapping[str, Callable[[Object, Mapping[str, str], Near], Move]]] = {
    "kubernetes.undo": moves.undo,
    "kubernetes.scale": moves.scale,
    "kubernetes.restart": moves.restart,
    "kubernetes.env": moves.env,
    "kubernetes.configmap": moves.configmap,
    "kubernetes.pause": moves.pause,
}
_WHERE: Final = ("on", "namespace", "kind", "name")
_ADDED: Final = ("fingerprint", "resource_version", "dry_run")


def kubernetes_actuators(
    clusters: Sequence[SystemSpec], *, programs: Programs, every_s: float = 1.0
) -> tuple["KubernetesActuator", ...]:
    """Return an actuator for each action; without a configured cluster kubectl's own settings count."""
    known = {spec.name: spec for spec in clusters}
    return tuple(KubernetesActuator(one, known, programs=programs, every_s=every_s) for one in ACTIONS)


class KubernetesActuator:
    """Carries out one action. `every_s` is how often a roll-out is looked at."""

    def __init__(
        self, action: Action, clusters: Mapping[str, SystemSpec], *, programs: Programs, every_s: float = 1.0
    ) -> None:
        self._action = action
        self._clusters = clusters
        self._programs = programs
        self._every_s = every_s

    @property
    def name(self) -> str:
        """Return the actuator's name, e.g. `kubernetes.undo`."""
        return self._action.name

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it cannot be carried out whatever the cluster says: a setting or a name that cannot be."""
        told = _texts(step)
        known = (*_WHERE, *self._action.own)
        found = [
            f"{name!r} is no setting: there are {', '.join(known)}"
            for name in sorted(step.data.keys() - {*known, *_ADDED})
        ]
        kind = told.get("kind") or self._action.kinds[0]
        if kind not in self._action.kinds:
            found.append(f"kind must be one of {', '.join(self._action.kinds)}")
        if not _NAME.fullmatch(told.get("name", "")):
            found.append(f"{told.get('name', '')!r} is no name of an object")
        if (spec := self._cluster(told)) is None:
            found.append(
                f"{told['on']!r} is no configured cluster" if "on" in told else "say with `on` which cluster is meant"
            )
        elif not _NAME.fullmatch(_namespace(told, spec)):
            found.append(f"{_namespace(told, spec)!r} is no name of a namespace")
        return tuple(found)

    def look(self, step: Step) -> Outlook:
        """Ask whether this account may, and what the object would become; raises `Unavailable`."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        control, target = self._far_end(step)
        try:
            if denial := control.denial("update", target):
                return Outlook(step=step, refusal=denial)
            item = control.read(target.path)
            move = self._move(control, target, item, step)
            after = control.put(target, _body(target, move, item), dry=True)
        except Refused as refusal:
            return Outlook(step=step, refusal=redact(refusal.message))
        metadata = part(item, "metadata")
        version = text(metadata, "resourceVersion")
        fingerprint = move.fingerprint(item)
        exact = {**step.data, **move.exact, "namespace": target.namespace}
        before = item if not target.subresource else {**after, "spec": {"replicas": part(item, "spec").get("replicas")}}
        way = f"PUT {target.path}{f'/{target.subresource}' if target.subresource else ''} at resourceVersion {version}"
        return Outlook(
            step=replace(step, data={**exact, "fingerprint": fingerprint, "resource_version": version}),
            undo=_undo_of(step, exact, move),
            fingerprint=fingerprint,
            warnings=(*move.warnings, *owner_warnings(item), *self._scaled_by(control, target, item)),
            preview=(way, *(differences(before, after) or ("the server would change nothing",))),
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Change the object where it is as it was looked at, and follow the roll-out to its end or the time-out."""
        until = time.monotonic() + step.timeout_s
        return carried_out(lambda say: self._run(step, say, until=until), emit=emit, refused="nothing was changed: ")

    def _run(self, step: Step, say: Say, *, until: float) -> int:
        dry = step.data.get("dry_run") is True
        if dry or "fingerprint" not in step.data:
            outlook = self.look(step)
            for line in (*(outlook.preview if dry else ()), *(f"note: {one}" for one in outlook.warnings)):
                say(line)
            if outlook.refusal:
                say(outlook.refusal)
                return 1
            if dry:
                say("nothing was changed: this was a try")
                return 0
            step = outlook.step
        if found := self.problems(step):
            raise Refused("; ".join(found))
        control, target = self._far_end(step)
        version = self._change(control, target, step, say)
        say(f"{target.shown} changed, resourceVersion {version}")
        if not self._action.rolls_out or _texts(step).get("paused") == "true":
            return 0
        return self._follow(control, target, say, until=until)

    def _change(self, control: Control, target: Target, step: Step, say: Say) -> str:
        """Change the object and return its new version. Raises `Refused` when it is not as it was looked at."""
        for _ in range(_TRIES):
            item = control.read(target.path)
            move = self._move(control, target, item, step)
            if move.fingerprint(item) != step.data["fingerprint"]:
                raise Conflict(f"{target.shown} has changed since it was looked at", reason="world_changed")
            try:
                after = control.put(target, _body(target, move, item), dry=False)
            except Conflict:
                say("somebody else changed the object at the same moment: it is looked at again")
                continue
            except Unavailable as silence:
                raise Unavailable(f"{silence.message}; whether it was changed is not known", retry=False) from None
            return text(part(after, "metadata"), "resourceVersion")
        raise Conflict(f"{target.shown} is changed by somebody else all the time", reason="world_changed")

    def _follow(self, control: Control, target: Target, say: Say, *, until: float) -> int:
        told = ""
        item: Object = {}
        while True:
            try:
                item = control.read(target.path)
                found = standing(item)
            except StanchError as error:
                # The change is made; whoever cannot be asked now may be asked the next time.
                found = Standing(line=error.message)
            if found.line != told:
                say(found.line)
                told = found.line
            if found.done:
                return 0
            if found.failed or time.monotonic() + self._every_s > until:
                if not found.failed:
                    say("it was not done in time; the roll-out goes on")
                self._say_trouble(control, target, item, say)
                return 1 if found.failed else TIMED_OUT
            time.sleep(self._every_s)

    def _say_trouble(self, control: Control, target: Target, item: Object, say: Say) -> None:
        path = collection("", "v1", target.namespace, "pods")
        try:
            pods = control.items(path, labels=_selector(item))
        except StanchError as error:
            say(f"its pods could not be read: {error.message}")
            return
        for line in list(pods_in_trouble(pods))[:_MOST_PODS]:
            say(line)

    def _move(self, control: Control, target: Target, item: Object, step: Step) -> Move:
        told = _texts(step)
        near = Near(now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if self._action.needs_history:
            kept = _HISTORY.get(told.get("kind") or self._action.kinds[0], "controllerrevisions")
            items = control.items(collection("apps", "v1", target.namespace, kept), labels=_selector(item))
            near = replace(near, history=kept_templates(item, items))
        if self._action.name != "kubernetes.traffic":
            return _MOVES[self._action.name](item, told, near)
        if target.resource == "ingresses":
            return moves.weight(item, told, near)
        labels = {name: str(value) for name, value in labels_of(told.get("selector", "")).items()}
        pods = control.items(collection("", "v1", target.namespace, "pods"), labels=labels)
        return moves.selector(item, told, replace(near, pods=pods))

    def _scaled_by(self, control: Control, target: Target, item: Object) -> tuple[str, ...]:
        """Return who owns the number of replicas; that it could not be read is told too."""
        if self._action.name != "kubernetes.scale":
            return ()
        try:
            items = control.items(collection("autoscaling", "v2", target.namespace, "horizontalpodautoscalers"))
        except Refused as refusal:
            return (f"whether an HPA owns the number of replicas could not be read: {redact(refusal.message)}",)
        kind = next(kind for resource, _, kind in _KINDS.values() if resource == target.resource)
        return tuple(autoscalers_of(kind, target.name, items))

    def _cluster(self, told: Mapping[str, str]) -> SystemSpec | None:
        if "on" in told:
            return self._clusters.get(told["on"])
        if len(self._clusters) > 1:
            return None
        return next(iter(self._clusters.values()), SystemSpec(name="", kind="kubernetes"))

    def _far_end(self, step: Step) -> tuple[Control, Target]:
        told = _texts(step)
        spec = self._cluster(told)
        if spec is None:
            raise Refused("no cluster is meant")
        resource, group, _ = _KINDS[told.get("kind") or self._action.kinds[0]]
        target = Target(
            resource=resource,
            group=group,
            name=told["name"],
            namespace=_namespace(told, spec),
            subresource=self._action.subresource,
        )
        return Control(spec, programs=self._programs), target


def _body(target: Target, move: Move, item: Object) -> Object:
    """Return what is put: the object as it was read, with the change and its version; of a scale only the number."""
    changed = move.applied(item)
    if target.subresource != "scale":
        return changed
    metadata = part(item, "metadata")
    named: Object = {
        name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion") if name in metadata
    }
    replicas: Object = {"replicas": part(changed, "spec").get("replicas", 0)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": named, "spec": replicas}


def _undo_of(step: Step, exact: Mapping[str, JSON], move: Move) -> Step | None:
    if move.undo is None:
        return None
    actuator, told = move.undo
    where = {name: exact[name] for name in _WHERE if name in exact}
    return replace(step, actuator=actuator, data={**where, **told}, describe=f"Undo: {step.describe}".strip())


def _namespace(told: Mapping[str, str], spec: SystemSpec) -> str:
    return told.get("namespace") or spec.settings.get("namespace") or "default"


def _selector(workload: Object) -> dict[str, str]:
    """Return the labels of a workload's pods; none where it selects them by expressions."""
    selector = part(part(workload, "spec"), "selector")
    if selector.get("matchExpressions"):
        return {}
    return {name: str(value) for name, value in part(selector, "matchLabels").items()}


def _texts(step: Step) -> dict[str, str]:
    return {name: value for name, value in step.data.items() if isinstance(value, str)}
