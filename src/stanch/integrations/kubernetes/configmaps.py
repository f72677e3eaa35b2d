"""The changes port on ConfigMaps: one that was written is a configuration change of the workloads that read it.

When it was last written stands in its `managedFields`; what it said before is only known of what an earlier look has
seen, so a change that happened between two looks has a diff, and the first look has none. Secrets are not read.
"""

import difflib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.integrations.kubernetes.kubectl import Kubectl
from stanch.integrations.kubernetes.rows import Object, app_of, instant, name_of, objects, part, text
from stanch.kernel.errors import Refused, Unavailable
from stanch.kernel.redaction import redact
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

_LONGEST_VALUE: Final = 64 * 1024
_LONGEST_DIFF: Final = 8_000
_MOST_KEPT: Final = 500
# Written by the cluster, in every namespace, and read by everybody.
_OWN: Final = frozenset({"kube-root-ca.crt", "istio-ca-root-cert"})


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One version of a ConfigMap as a look saw it."""

    version: str
    data: Mapping[str, str]
    diff: str = ""
    keys: tuple[str, ...] = ()
    previous: str = ""


class ConfigMaps:
    """Reads the ConfigMaps of one namespace."""

    def __init__(self, spec: SystemSpec, *, programs: Programs, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._kubectl = Kubectl(spec, programs=programs)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    @property
    def name(self) -> str:
        """Return `configmaps:` and its name."""
        return f"configmaps:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return self._kubectl.shown(["get", "configmaps", "-n", self._namespace, "--show-managed-fields", "-o", "yaml"])

    @property
    def _namespace(self) -> str:
        return self._spec.settings.get("namespace", "default")

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the ConfigMaps last written in [start, end), oldest first. Raises `Unavailable`."""
        kinds = "configmaps,deployments,statefulsets,daemonsets"
        arguments = ["get", kinds, "-n", self._namespace, "--show-managed-fields", "-o", "json"]
        try:
            items = self._kubectl.items(arguments, timeout_s=self._timeout_s)
        except Refused as error:
            raise Unavailable(error.message, retry=False) from error
        workloads = [item for item in items if item.get("kind") != "ConfigMap"]
        found = [
            change
            for item in items
            if item.get("kind") == "ConfigMap" and name_of(item) not in _OWN
            for change in self._of(item, workloads)
            if start <= change.at < end and (not services or change.service in ("", *services))
        ]
        return sorted(found, key=lambda change: (change.at, change.id))

    def _of(self, item: Object, workloads: list[Object]) -> Iterator[Change]:
        name, metadata = name_of(item), part(item, "metadata")
        seen = self._note(name, text(metadata, "resourceVersion"), _data(item))
        at = _written(metadata)
        if at is None:
            return
        keys = f" ({', '.join(seen.keys)})" if seen.keys else ""
        for service in self._readers(item, workloads) or [""]:
            yield Change(
                id=f"kubernetes/{self._spec.name}/{self._namespace}/configmap/{name}/{seen.version}/{service}",
                at=at,
                kind=ChangeKind.CONFIG,
                service=service,
                title=f"ConfigMap {name} written{keys}",
                version=f"{name}@{seen.version}",
                previous=f"{name}@{seen.previous}" if seen.previous else "",
                author=_writer(metadata),
                paths=tuple(f"configmaps/{name}/{key}" for key in seen.keys),
                source=self.name,
                diff=seen.diff,
                data={"configmap": name, "namespace": self._namespace},
            )

    def _note(self, name: str, version: str, data: Mapping[str, str]) -> _Seen:
        """Return what is known of this version, with what it changed where the one before was seen."""
        with self._lock:
            before = self._seen.get(name)
            if before is not None and before.version == version:
                return before
            changed: tuple[str, ...] = ()
            if before is not None:
                changed = tuple(sorted(k for k in {*before.data, *data} if before.data.get(k) != data.get(k)))
            now = _Seen(
                version=version,
                data=data,
                keys=changed,
                diff=_diff(name, before.data, data, changed) if before is not None else "",
                previous=before.version if before is not None else "",
            )
            if len(self._seen) < _MOST_KEPT or name in self._seen:
                self._seen[name] = now
            return now

    def _readers(self, item: Object, workloads: list[Object]) -> list[str]:
        """Return the services whose workloads read a ConfigMap, else the one that its labels name."""
        name = name_of(item)
        known = self._spec.services
        found = []
        for workload in workloads:
            if name in _read_by(workload):
                app = app_of(workload) or name_of(workload)
                found.append(app if not known or app in known else name_of(workload))
        labelled = app_of(item)
        named = found or ([labelled] if labelled else [])
        return sorted({one for one in named if not known or one in known})


def _data(item: Object) -> dict[str, str]:
    given = item.get("data")
    return {key: str(value)[:_LONGEST_VALUE] for key, value in given.items()} if isinstance(given, dict) else {}


def _written(metadata: Object) -> datetime | None:
    """Return when it was last written, by whoever; when it was made where nobody says."""
    times = [at for one in objects(metadata, "managedFields") if (at := instant(text(one, "time"))) is not None]
    return max(times, default=instant(text(metadata, "creationTimestamp")))


def _writer(metadata: Object) -> str:
    """Return the program that wrote last, e.g. `kubectl-edit` or `argocd-controller`."""
    found = [(text(one, "time"), text(one, "manager")) for one in objects(metadata, "managedFields")]
    return max(found, default=("", ""))[1]


def _read_by(workload: Object) -> set[str]:
    """Return the ConfigMaps that a workload's pods read, by their environment or as files."""
    pod = part(part(part(workload, "spec"), "template"), "spec")
    names = [text(part(volume, "configMap"), "name") for volume in objects(pod, "volumes")]
    for volume in objects(pod, "volumes"):
        names += [text(part(one, "configMap"), "name") for one in objects(part(volume, "projected"), "sources")]
    for container in (*objects(pod, "containers"), *objects(pod, "initContainers")):
        names += [text(part(one, "configMapRef"), "name") for one in objects(container, "envFrom")]
        names += [text(part(part(one, "valueFrom"), "configMapKeyRef"), "name") for one in objects(container, "env")]
    return {name for name in names if name}


def _diff(name: str, old: Mapping[str, str], new: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """Return what changed as a diff, one file a key; what looks like a secret is not in it."""
    lines: list[str] = []
    for key in keys:
        before, after = (_lines(key, data.get(key)) for data in (old, new))
        path = f"configmaps/{name}/{key}"
        lines += [f"diff --git a/{path} b/{path}"]
        lines += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=1, lineterm="")
    return redact("\n".join(lines))[:_LONGEST_DIFF]


def _lines(key: str, value: str | None) -> list[str]:
    """Return a value as lines: a file as it is, a plain value with its key, as it would stand in a file."""
    if value is None:
        return []
    return value.splitlines() if "\n" in value else [f"{key}: {value}"]
