"""A cluster as its API server tells it: discovery and lists, enough for the real kubectl."""

from datetime import UTC, datetime, timedelta

from stanch.kernel.event import JSON

NOW = datetime.now(UTC).replace(microsecond=0)
Object = dict[str, JSON]


def ago(minutes: float) -> str:
    """Return an instant this long ago as Kubernetes writes it."""
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def resources(group: str, *kinds: tuple[str, str, bool]) -> Object:
    """Return the discovery of a group: plural, kind, and whether it lives in a namespace."""
    listed: list[JSON] = [
        {"name": name, "singularName": "", "namespaced": inside, "kind": kind, "verbs": ["get", "list"]}
        for name, kind, inside in kinds
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": listed}


def group(name: str, version: str) -> Object:
    """Return a group of the discovery."""
    known: JSON = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [known], "preferredVersion": known}


def listed(kind: str, api: str, *items: Object) -> Object:
    """Return a list as the server gives it."""
    found: list[JSON] = [{**item, "kind": kind, "apiVersion": api} for item in items]
    return {"kind": f"{kind}List", "apiVersion": api, "metadata": {"resourceVersion": "1"}, "items": found}


def pod(
    name: str,
    *,
    app: str = "payments",
    state: Object | None = None,
    last: Object | None = None,
    restarts: int = 0,
    conditions: list[JSON] | None = None,
) -> Object:
    """Return a pod with one container in a state."""
    status: Object = {"phase": "Running", "conditions": conditions or []}
    if conditions is None:
        status["containerStatuses"] = [
            {
                "name": app,
                "image": f"shop/{app}:v3.2.1",
                "ready": state is None,
                "restartCount": restarts,
                "state": state or {"running": {"startedAt": ago(30)}},
                "lastState": last or {},
            }
        ]
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
        "spec": {
            "nodeName": "worker-1",
            "containers": [{"name": app, "image": f"shop/{app}:v3.2.1", "resources": {"limits": {"memory": "128Mi"}}}],
        },
        "status": status,
    }


def replicaset(name: str, *, revision: int, image: str, minutes_ago: float) -> Object:
    """Return a revision of the deployment payments."""
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": ago(minutes_ago),
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"kind": "Deployment", "name": "payments", "uid": "u1", "controller": True}],
        },
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "payments", "image": image}]}}},
    }


def deployment(*, ready: int = 2, stuck: bool = False, rolled_minutes_ago: float = 5, reads: str = "") -> Object:
    """Return the deployment payments, which wants two replicas; `reads` is a ConfigMap of its environment."""
    container: Object = {"name": "payments", "image": "shop/payments:v3.2.1"}
    if reads:
        container["envFrom"] = [{"configMapRef": {"name": reads}}]
    reason = "ProgressDeadlineExceeded" if stuck else "NewReplicaSetAvailable"
    return {
        "metadata": {"name": "payments", "namespace": "shop", "labels": {"app": "payments"}, "uid": "u1"},
        "spec": {
            "replicas": 2,
            "template": {"spec": {"containers": [container]}},
        },
        "status": {
            "readyReplicas": ready,
            "updatedReplicas": 2,
            "conditions": [{"type": "Progressing", "reason": reason, "lastUpdateTime": ago(rolled_minutes_ago)}],
        },
    }


def configmap(name: str, *, version: int, minutes_ago: float, data: dict[str, str], app: str = "") -> Object:
    """Return a ConfigMap that `kubectl-edit` wrote last, this long ago."""
    fields: list[JSON] = [
        {"manager": "helm", "operation": "Update", "time": ago(900)},
        {"manager": "kubectl-edit", "operation": "Update", "time": ago(minutes_ago)},
    ]
    metadata: Object = {
        "name": name,
        "namespace": "shop",
        "resourceVersion": str(version),
        "creationTimestamp": ago(900),
        "managedFields": fields,
        "labels": {"app": app} if app else {},
    }
    return {"metadata": metadata, "data": dict[str, JSON](data)}


def event(reason: str, about: str, *, minutes_ago: float, count: int) -> Object:
    """Return a warning about a pod."""
    return {
        "metadata": {"name": f"{about}.{reason}", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": about, "namespace": "shop"},
        "type": "Warning",
        "reason": reason,
        "message": "Back-off restarting failed container",
        "lastTimestamp": ago(minutes_ago),
        "count": count,
    }


def node(name: str, *, ready: bool = True, pressure: str = "") -> Object:
    """Return a node."""
    conditions: list[JSON] = [{"type": "Ready", "status": "True" if ready else "Unknown", "message": "kubelet stopped"}]
    if pressure:
        conditions.append({"type": pressure, "status": "True"})
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


def api(
    *,
    pods: tuple[Object, ...] = (),
    deployments: tuple[Object, ...] = (),
    replicasets: tuple[Object, ...] = (),
    events: tuple[Object, ...] = (),
    nodes: tuple[Object, ...] = (),
    configmaps: tuple[Object, ...] = (),
) -> dict[str, object]:
    """Return what the API server of such a cluster answers, by path."""
    shop = "namespaces/shop"
    return {
        "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group("apps", "v1"), group("autoscaling", "v2")],
        },
        "/api/v1": resources(
            "v1",
            ("pods", "Pod", True),
            ("events", "Event", True),
            ("nodes", "Node", False),
            ("configmaps", "ConfigMap", True),
        ),
        "/apis/apps/v1": resources(
            "apps/v1",
            ("deployments", "Deployment", True),
            ("replicasets", "ReplicaSet", True),
            ("statefulsets", "StatefulSet", True),
            ("daemonsets", "DaemonSet", True),
        ),
        "/apis/autoscaling/v2": resources(
            "autoscaling/v2", ("horizontalpodautoscalers", "HorizontalPodAutoscaler", True)
        ),
        f"/api/v1/{shop}/pods": listed("Pod", "v1", *pods),
        f"/api/v1/{shop}/events": listed("Event", "v1", *events),
        f"/api/v1/{shop}/configmaps": listed("ConfigMap", "v1", *configmaps),
        "/api/v1/nodes": listed("Node", "v1", *nodes),
        f"/apis/apps/v1/{shop}/deployments": listed("Deployment", "apps/v1", *deployments),
        f"/apis/apps/v1/{shop}/replicasets": listed("ReplicaSet", "apps/v1", *replicasets),
        f"/apis/apps/v1/{shop}/statefulsets": listed("StatefulSet", "apps/v1"),
        f"/apis/apps/v1/{shop}/daemonsets": listed("DaemonSet", "apps/v1"),
        f"/apis/autoscaling/v2/{shop}/horizontalpodautoscalers": listed("HorizontalPodAutoscaler", "autoscaling/v2"),
    }
