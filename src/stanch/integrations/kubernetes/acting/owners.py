"""Who else has a hand on an object: what scales it, what applies it, what made it. Pure; each is a sentence to show."""

from collections.abc import Iterable, Iterator
from typing import Final

from stanch.integrations.kubernetes.rows import Object, name_of, objects, part, text

_ARGO: Final = "argocd.argoproj.io/"
_ARGO_MANAGERS: Final = frozenset({"argocd-controller", "argocd-application-controller"})
_FLUX: Final = {
    "kustomize.toolkit.fluxcd.io/name": "Kustomization",
    "helm.toolkit.fluxcd.io/name": "HelmRelease",
}
_FLUX_MANAGERS: Final = frozenset({"kustomize-controller", "helm-controller"})
_INSTANCE: Final = "app.kubernetes.io/instance"
_BY: Final = "app.kubernetes.io/managed-by"


def owner_warnings(item: Object) -> Iterator[str]:
    """Yield a sentence for each that would set the object back: Argo CD, Flux, Helm, a controller of its own."""
    metadata = part(item, "metadata")
    labels, annotations = part(metadata, "labels"), part(metadata, "annotations")
    names = [*labels, *annotations]
    managers = {text(one, "manager") for one in objects(metadata, "managedFields")}
    if any(name.startswith(_ARGO) for name in names) or managers & _ARGO_MANAGERS:
        application = text(annotations, f"{_ARGO}tracking-id").partition(":")[0] or text(labels, f"{_ARGO}instance")
        which = application or text(labels, _INSTANCE)
        yield (
            f"Argo CD{f' (application {which})' if which else ''} owns it and may set it back when it syncs: "
            "stop its automatic sync first, and change what it reads from as well"
        )
    flux = [f"{kind} {text(labels, label)}" for label, kind in _FLUX.items() if label in labels]
    if flux or managers & _FLUX_MANAGERS:
        yield (
            f"Flux{f' ({flux[0]})' if flux else ''} owns it and sets it back at its next reconciliation: "
            "suspend it first, and change what it reads from as well"
        )
    elif labels.get(_BY) == "Helm":
        yield "Helm installed it: the next upgrade brings its own values back"
    for owner in objects(metadata, "ownerReferences"):
        if owner.get("controller") is True:
            yield f"{text(owner, 'kind')} {text(owner, 'name')} controls it and may set it back"


def autoscalers_of(kind: str, name: str, items: Iterable[Object]) -> Iterator[str]:
    """Yield a sentence for each HorizontalPodAutoscaler that owns the number of replicas of a workload."""
    for item in items:
        spec = part(item, "spec")
        target = part(spec, "scaleTargetRef")
        if text(target, "kind") == kind and text(target, "name") == name:
            least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", "?")
            yield (
                f"the HPA {name_of(item)} owns the number of replicas ({least} to {most}) and sets it back within "
                "seconds: change its bounds instead"
            )
