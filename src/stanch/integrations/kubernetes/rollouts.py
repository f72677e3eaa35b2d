"""The changes port on a cluster: each revision of a deployment is a deploy, with its image and the one before.

A roll-back re-uses the old ReplicaSet under a new revision number, so its time is not that of the ReplicaSet: it is
taken from the deployment's own condition `Progressing`.
"""

from datetime import datetime
from typing import Final

from stanch.integrations.kubernetes.kubectl import Kubectl
from stanch.integrations.kubernetes.rows import Object, app_of, image_of, instant, name_of, objects, part, text
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

_REVISION: Final = "deployment.kubernetes.io/revision"
_CAUSE: Final = "kubernetes.io/change-cause"


class Rollouts:
    """Reads what was rolled out in one namespace."""

    def __init__(self, spec: SystemSpec, *, programs: Programs, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._kubectl = Kubectl(spec, programs=programs)
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `kubernetes:` and its name."""
        return f"kubernetes:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return self._kubectl.shown(["rollout", "history", "deployment", "-n", self._namespace])

    @property
    def _namespace(self) -> str:
        return self._spec.settings.get("namespace", "default")

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the revisions rolled out in [start, end), oldest first. Raises `Unavailable`."""
        arguments = ["get", "deployments,replicasets", "-n", self._namespace, "-o", "json"]
        try:
            items = self._kubectl.items(arguments, timeout_s=self._timeout_s)
        except Refused as error:
            raise Unavailable(error.message, retry=False) from error
        deployments = {name_of(item): item for item in items if item.get("kind") == "Deployment"}
        found = [
            change
            for name, deployment in deployments.items()
            for change in self._of(deployment, _owned(items, name))
            if start <= change.at < end and (not services or change.service in services)
        ]
        return sorted(found, key=lambda change: (change.at, change.id))

    def _of(self, deployment: Object, owned: list[tuple[int, Object]]) -> list[Change]:
        name = name_of(deployment)
        service = app_of(deployment) or name
        known = self._spec.services
        service = service if not known or service in known else name
        rolled = _progressed(deployment)
        changes = []
        for place, (revision, item) in enumerate(owned):
            made = instant(text(part(item, "metadata"), "creationTimestamp"))
            newest = place == len(owned) - 1
            undone = newest and any(_made(other) > _made(item) for _, other in owned[:-1])
            at = rolled if undone and rolled is not None else made
            if at is None:
                continue
            image, before = image_of(item), image_of(owned[place - 1][1]) if place else ""
            cause = text(part(part(item, "metadata"), "annotations"), _CAUSE)
            done = "rolled back to" if undone else "rolled out"
            changes.append(
                Change(
                    id=f"kubernetes/{self._spec.name}/{self._namespace}/{name}/{revision}",
                    at=at,
                    kind=ChangeKind.DEPLOY,
                    service=service,
                    title=f"{service} {done} {_tag(image)} (revision {revision})" + (f": {cause}" if cause else ""),
                    version=_tag(image),
                    previous=_tag(before),
                    source=self.name,
                    data={"revision": revision, "image": image, "previous_image": before, "deployment": name},
                )
            )
        return changes


def _owned(items: list[Object], deployment: str) -> list[tuple[int, Object]]:
    """Return the ReplicaSets that a deployment controls with their revisions, oldest revision first."""
    found = []
    for item in items:
        if item.get("kind") != "ReplicaSet":
            continue
        metadata = part(item, "metadata")
        owners = [one for one in objects(metadata, "ownerReferences") if one.get("controller") is True]
        revision = text(part(metadata, "annotations"), _REVISION)
        if any(text(owner, "name") == deployment for owner in owners) and revision.isdigit():
            found.append((int(revision), item))
    return sorted(found, key=lambda pair: pair[0])


def _progressed(deployment: Object) -> datetime | None:
    conditions = objects(part(deployment, "status"), "conditions")
    found = next((one for one in conditions if one.get("type") == "Progressing"), {})
    return instant(text(found, "lastUpdateTime"))


def _made(item: Object) -> str:
    return text(part(item, "metadata"), "creationTimestamp")


def _tag(image: str) -> str:
    """Return what tells versions of an image apart: its tag, else its digest, else all of it."""
    if "@sha256:" in image:
        return image.partition("@sha256:")[2][:12]
    name, colon, tag = image.rpartition(":")
    return tag if colon and "/" not in tag else (name or image)
