"""What is changed in a cluster: replicas, pods, variables, keys, roll-outs and traffic, each with its way back."""

from pathlib import Path

import pytest

from tests.integrations.kubernetes.acting import Cluster
from tests.integrations.kubernetes.apiserver import CORE, NETWORK, SCALING, serving, shop
from tests.support.needs import require

CONFIGMAP = f"{CORE}/configmaps/payments"
SERVICE = f"{CORE}/services/payments"
INGRESS = f"{NETWORK}/ingresses/payments-canary"


def test_an_autoscaler_that_owns_the_replicas_is_told(cluster: Cluster) -> None:
    """It overrides a scale by hand."""
    target = {"kind": "Deployment", "name": "payments"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 10}
    cluster.server.put(f"{SCALING}/horizontalpodautoscalers/payments", {"metadata": {}, "spec": spec})
    warnings = cluster.look("kubernetes.scale", replicas="+2").warnings

    assert [True] == [one.startswith("the HPA payments owns the number of replicas (2 to 10)") for one in warnings]


def test_that_autoscalers_cannot_be_read_is_told(cluster: Cluster) -> None:
    """Nothing read is not nothing there."""
    cluster.server.denied.add("list horizontalpodautoscalers")
    warnings = cluster.look("kubernetes.scale", replicas="3").warnings

    assert [True] == [
        one.startswith("whether an HPA owns the number of replicas could not be read") for one in warnings
    ]


def test_a_relative_scale_becomes_exact(cluster: Cluster) -> None:
    """`+2` of two is four; the way back is two."""
    outlook, result = cluster.do("kubernetes.scale", replicas="+2")
    assert outlook.undo is not None

    assert ("4", "2", 0, 4) == (
        outlook.step.data["replicas"],
        outlook.undo.data["replicas"],
        result.code,
        cluster.deployment["spec"]["replicas"],
    )


def test_scaling_from_nothing_and_to_nothing(cluster: Cluster) -> None:
    """Zero is left out of what the API answers."""
    outlook, down = cluster.do("kubernetes.scale", replicas="0")
    assert outlook.undo is not None
    up = cluster.run(outlook.undo)

    assert (0, 0, 2, ("no replica is left: it answers nobody",)) == (
        down.code,
        up.code,
        cluster.deployment["spec"]["replicas"],
        outlook.warnings,
    )


@pytest.mark.parametrize("replicas", ["500", "-3", "2"])
def test_replicas_have_bounds(cluster: Cluster, replicas: str) -> None:
    """Neither too many nor fewer than none, and not what there is."""
    assert "" != cluster.look("kubernetes.scale", replicas=replicas).refusal


def test_a_restart_replaces_the_pods(cluster: Cluster) -> None:
    """As `kubectl rollout restart` does; nothing takes it back."""
    outlook, result = cluster.do("kubernetes.restart")
    annotations = cluster.deployment["spec"]["template"]["metadata"]["annotations"]

    assert (0, None, outlook.step.data["at"]) == (
        result.code,
        outlook.undo,
        annotations["kubectl.kubernetes.io/restartedAt"],
    )


def test_a_variable_is_set_and_set_back(tmp_path: Path) -> None:
    """The undo holds the value that was there."""
    require("kubectl")
    with serving(shop(env=[{"name": "POOL_SIZE", "value": "10"}, {"name": "OTHER", "value": "x"}])) as server:
        cluster = Cluster(server, tmp_path)
        outlook, done = cluster.do("kubernetes.env", variable="POOL_SIZE", value="40")
        values = [one["value"] for one in cluster.deployment["spec"]["template"]["spec"]["containers"][0]["env"]]
        assert outlook.undo is not None
        back = cluster.run(outlook.undo)
        after = [one["value"] for one in cluster.deployment["spec"]["template"]["spec"]["containers"][0]["env"]]

    assert (0, ["40", "x"], 0, ["10", "x"]) == (done.code, values, back.code, after)


def test_a_variable_that_was_not_there_is_taken_away_again(cluster: Cluster) -> None:
    """Also the first one of a container."""
    outlook, _ = cluster.do("kubernetes.env", variable="BREAKER", value="open")
    assert outlook.undo is not None
    cluster.run(outlook.undo)

    assert ("true", []) == (
        outlook.undo.data["remove"],
        cluster.deployment["spec"]["template"]["spec"]["containers"][0]["env"],
    )


def test_a_secret_variable_goes_back_by_its_template(tmp_path: Path) -> None:
    """Its value is in no step and no preview; the way back names the ReplicaSet that holds it."""
    require("kubectl")
    with serving(shop(env=[{"name": "DB_PASSWORD", "value": "tr0ub4dor"}])) as server:
        outlook = Cluster(server, tmp_path).look("kubernetes.env", variable="DB_PASSWORD", value="correcthorse")
    assert outlook.undo is not None

    assert ("kubernetes.undo", "payments-003", False) == (
        outlook.undo.actuator,
        outlook.undo.data["to"],
        "tr0ub4dor" in repr(outlook) or "correcthorse" in repr(outlook.preview),
    )


def test_a_key_of_a_config_map_is_set_and_set_back(cluster: Cluster) -> None:
    """The other keys stay."""
    cluster.server.put(CONFIGMAP, {"data": {"limits.yaml": "rate: 100\nburst: 5\n", "other": "x"}})
    outlook, done = cluster.do("kubernetes.configmap", key="limits.yaml", value="rate: 10\nburst: 5\n")
    changed = dict(cluster.server.objects[CONFIGMAP]["data"])
    assert outlook.undo is not None
    cluster.run(outlook.undo)

    assert (
        0,
        {"limits.yaml": "rate: 10\nburst: 5\n", "other": "x"},
        {"limits.yaml": "rate: 100\nburst: 5\n", "other": "x"},
        ("data.limits.yaml:", "@@ -1,2 +1,2 @@", "-rate: 100", "+rate: 10", " burst: 5"),
    ) == (done.code, changed, cluster.server.objects[CONFIGMAP]["data"], outlook.preview[1:])


def test_a_config_map_that_is_immutable_is_refused(cluster: Cluster) -> None:
    """The API would refuse it too."""
    cluster.server.put(CONFIGMAP, {"data": {"a": "b"}, "immutable": True})

    assert "payments is immutable" in cluster.look("kubernetes.configmap", key="a", value="c").refusal


def test_a_secret_in_a_config_map_is_not_kept(cluster: Cluster) -> None:
    """Then there is no undo, and that is told."""
    cluster.server.put(CONFIGMAP, {"data": {"app.env": "password=tr0ub4dor"}})
    outlook = cluster.look("kubernetes.configmap", key="app.env", value="x")

    assert (None, True, False) == (
        outlook.undo,
        "there is no undo" in outlook.warnings[1],
        "tr0ub4dor" in repr(outlook),
    )


def test_rollouts_are_paused_and_resumed(cluster: Cluster) -> None:
    """The undo of one is the other."""
    outlook, _ = cluster.do("kubernetes.pause")
    paused = cluster.deployment["spec"]["paused"]
    assert outlook.undo is not None
    result = cluster.run(outlook.undo)

    assert (True, 0, False) == (paused, result.code, "paused" in cluster.deployment["spec"])


def with_pods(cluster: Cluster) -> None:
    """Put the Service of payments there, with a ready pod of each track."""
    cluster.server.put(SERVICE, {"spec": {"selector": {"app": "payments", "track": "canary"}}})
    for track in ("stable", "canary"):
        labels = {"app": "payments", "track": track}
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        cluster.server.put(f"{CORE}/pods/payments-{track}", {"metadata": {"labels": labels}, "status": ready})


def test_a_service_is_pointed_elsewhere(cluster: Cluster) -> None:
    """All of its selector is replaced, so that no label of before is left over."""
    with_pods(cluster)
    outlook, _ = cluster.do("kubernetes.traffic", selector="track=stable")
    changed = cluster.server.objects[SERVICE]["spec"]["selector"]
    assert outlook.undo is not None
    cluster.run(outlook.undo)

    assert ({"track": "stable"}, {"app": "payments", "track": "canary"}) == (
        changed,
        cluster.server.objects[SERVICE]["spec"]["selector"],
    )


def test_a_service_is_not_pointed_to_nobody(cluster: Cluster) -> None:
    """Where no pod that is ready fits, requests would find nobody."""
    with_pods(cluster)
    refusal = cluster.look("kubernetes.traffic", selector="app=payments,track=old").refusal

    assert "no pod that is ready has the labels app=payments,track=old" == refusal


def test_the_weight_of_a_canary_is_shifted(cluster: Cluster) -> None:
    """To the share that is told, and back."""
    annotations = {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "50"}
    cluster.server.put(INGRESS, {"metadata": {"annotations": annotations}, "spec": {}})
    outlook, _ = cluster.do("kubernetes.traffic", name="payments-canary", kind="ingress", weight="0")
    changed = cluster.server.objects[INGRESS]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"]
    assert outlook.undo is not None
    cluster.run(outlook.undo)

    assert ("0", annotations) == (changed, cluster.server.objects[INGRESS]["metadata"]["annotations"])


def test_an_ingress_that_is_no_canary_has_no_weight(cluster: Cluster) -> None:
    """The annotation would do nothing."""
    cluster.server.put(INGRESS, {"spec": {}})

    assert (
        "is no canary" in cluster.look("kubernetes.traffic", name="payments-canary", kind="ingress", weight="5").refusal
    )
