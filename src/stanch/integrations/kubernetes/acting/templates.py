"""Which pod templates a workload has had, and which of them is meant. Pure.

A template is named by its ReplicaSet (or ControllerRevision) and its hash, never by a number: a roll-back gives the old
one a new revision, and the old number is gone.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.integrations.kubernetes.rows import Object, name_of, objects, part, text
from stanch.kernel.errors import NotFound, Refused

_REVISION: Final = "deployment.kubernetes.io/revision"
_HASH: Final = "pod-template-hash"
_VERSION: Final = "app.kubernetes.io/version"
_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True)
class Template:
    """A pod template that is kept. `revision` only orders them."""

    name: str
    revision: int
    template: Object
    images: tuple[str, ...]

    @property
    def sha(self) -> str:
        """Return the first 16 digits of the SHA-256 of the template."""
        return hashlib.sha256(json.dumps(self.template, sort_keys=True).encode()).hexdigest()[:16]


def own_template(workload: Object) -> Object:
    """Return the template that a workload has now."""
    return _bare(part(part(workload, "spec"), "template"))


def kept_templates(workload: Object, items: Iterable[Object]) -> list[Template]:
    """Return the templates of the ReplicaSets or ControllerRevisions that the workload controls, newest first."""
    uid = text(part(workload, "metadata"), "uid")
    found = []
    for item in items:
        owners = objects(part(item, "metadata"), "ownerReferences")
        if not any(one.get("controller") is True and text(one, "uid") == uid for one in owners):
            continue
        if "data" in item:
            template, number = part(part(part(item, "data"), "spec"), "template"), item.get("revision")
        else:
            template = part(part(item, "spec"), "template")
            number = text(part(part(item, "metadata"), "annotations"), _REVISION)
        revision = int(number) if isinstance(number, int | str) and str(number).isdecimal() else 0
        bare = _bare(template)
        found.append(Template(name=name_of(item), revision=revision, template=bare, images=images_of(bare)))
    return sorted(found, key=lambda one: one.revision, reverse=True)


def current(history: Sequence[Template], there: Object) -> Template | None:
    """Return the one of the history that the workload has now."""
    return next((one for one in history if one.template == there), None)


def choose(history: Sequence[Template], there: Object, wanted: str) -> Template:
    """Return the template that is meant: by name, image, tag or version label; without any, the one before this.

    Of several the newest that does not run now counts. Raises `NotFound` when none fits, and `Refused`
    (`nothing_to_do`) when only the one that runs now does.
    """
    fitting = [one for one in history if not wanted or wanted in _names(one)]
    others = [one for one in fitting if one.template != there]
    if others:
        return others[0]
    if fitting and wanted:
        raise Refused(f"it runs {said(fitting[0])} already", reason="nothing_to_do")
    known = "; ".join(f"{one.name}: {said(one)}" for one in history[:_SHOWN] if one.template != there)
    which = f"no former template is {wanted!r}" if wanted else "no former template is kept"
    raise NotFound(f"{which}; there are {known}" if known else which)


def images_of(template: Object) -> tuple[str, ...]:
    """Return the images of a template's containers."""
    return tuple(text(one, "image") for one in objects(part(template, "spec"), "containers"))


def said(template: Template) -> str:
    """Return the images of a template as a text."""
    return ", ".join(template.images) or "no image"


def _names(one: Template) -> set[str]:
    labels = part(part(one.template, "metadata"), "labels")
    tags = {image.rpartition(":")[2] for image in one.images if ":" in image.rpartition("/")[2]}
    versions = tags | {text(labels, _VERSION)}
    # `v3.2.0` and `3.2.0` are one version, whichever of the two the deploy was announced with.
    versions |= {version[1:] if version[:1] == "v" else f"v{version}" for version in versions if version[-1:].isdigit()}
    return {one.name, *one.images, *versions} - {""}


def _bare(template: Object) -> Object:
    """Return a template without what the controller or the history adds to it."""
    metadata: Object = {name: value for name, value in part(template, "metadata").items() if value is not None}
    if isinstance(labels := metadata.get("labels"), dict):
        metadata["labels"] = {name: value for name, value in labels.items() if name != _HASH}
    bare: Object = {name: value for name, value in template.items() if name not in ("$patch", "metadata")}
    return {"metadata": metadata, **bare}
