"""How a cluster is changed: the real kubectl against an API server that keeps what it is told."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.integrations.kubernetes.acting import kubernetes_actuators
from stanch.integrations.kubernetes.acting.owners import owner_warnings
from stanch.integrations.program import LocalPrograms
from stanch.kernel.errors import Unavailable
from stanch.ports.actuator import Foreseeing, Step
from tests.integrations.kubernetes.acting import DEPLOYMENT, Cluster
from tests.integrations.kubernetes.apiserver import APPS, CORE, Object, kubeconfig, replicaset, template


def test_every_actuator_can_foresee(cluster: Cluster) -> None:
    """All seven of them."""
    made = kubernetes_actuators(cluster.specs, programs=LocalPrograms())

    assert [
        "kubernetes.undo",
        "kubernetes.scale",
        "kubernetes.restart",
        "kubernetes.env",
        "kubernetes.configmap",
        "kubernetes.pause",
        "kubernetes.traffic",
    ] == [one.name for one in made if isinstance(one, Foreseeing)]


def test_a_rollout_is_undone_to_the_template_before(cluster: Cluster) -> None:
    """The deployment gets the template of the newest ReplicaSet that does not run, and it is followed to its end."""
    _, result = cluster.do("kubernetes.undo")

    assert (0, "shop/payments:v3.2.0", "2 of 2 replicas updated, 2 available") == (
        result.code,
        cluster.image,
        result.output.splitlines()[-1],
    )


@pytest.mark.parametrize("to", ["v3.1.0", "3.1.0", "shop/payments:v3.1.0", "payments-001"])
def test_the_template_is_named(cluster: Cluster, to: str) -> None:
    """By its tag, its image or its ReplicaSet; never by a revision."""
    cluster.do("kubernetes.undo", to=to)

    assert "shop/payments:v3.1.0" == cluster.image


def test_the_undo_is_made_exact(cluster: Cluster) -> None:
    """The step says the ReplicaSet, the hash of its template and the resource version; the undo the one that runs."""
    outlook = cluster.look("kubernetes.undo")
    assert outlook.undo is not None

    assert ("payments-002", 16, cluster.deployment["metadata"]["resourceVersion"], "payments-003") == (
        outlook.step.data["to"],
        len(str(outlook.step.data["template"])),
        outlook.step.data["resource_version"],
        outlook.undo.data["to"],
    )


def test_looking_changes_nothing(cluster: Cluster) -> None:
    """What the server would make of it is asked as a dry run."""
    cluster.look("kubernetes.undo")

    assert [] == cluster.server.writes()


def test_the_preview_is_the_servers_difference(cluster: Cluster) -> None:
    """The request with its resource version, then what changes."""
    version = cluster.deployment["metadata"]["resourceVersion"]
    preview = cluster.look("kubernetes.undo").preview

    assert (
        f"PUT {DEPLOYMENT} at resourceVersion {version}",
        "+ metadata.annotations.kubernetes.io/change-cause: Rolled back to payments-002 (shop/payments:v3.2.0)",
        "spec.template.spec.containers[payments].image: shop/payments:v3.2.1 -> shop/payments:v3.2.0",
    ) == preview


def test_going_back_and_forth_ends_where_it_began(cluster: Cluster) -> None:
    """The undo of the undo names the template, although its revision number is another by then."""
    before = copy.deepcopy(cluster.deployment["spec"]["template"])
    outlook, _ = cluster.do("kubernetes.undo")
    assert outlook.undo is not None
    result = cluster.run(outlook.undo)

    assert (0, before) == (result.code, cluster.deployment["spec"]["template"])


def test_an_undo_of_a_paused_deployment_is_refused(cluster: Cluster) -> None:
    """It would wait until somebody resumes it."""
    cluster.server.touch(DEPLOYMENT, lambda item: item["spec"].update(paused=True))

    assert (
        "cannot undo a roll-out of payments: it is paused; resume it first" == cluster.look("kubernetes.undo").refusal
    )


def test_an_undo_to_what_runs_is_refused(cluster: Cluster) -> None:
    """There is nothing to do."""
    assert "it runs shop/payments:v3.2.1 already" == cluster.look("kubernetes.undo", to="v3.2.1").refusal


def test_a_template_that_was_never_there_is_refused(cluster: Cluster) -> None:
    """With those that are."""
    refusal = cluster.look("kubernetes.undo", to="v9").refusal

    assert "no former template is 'v9'; there are payments-002: shop/payments:v3.2.0; payments-001: " in refusal


def test_a_revision_of_another_deployment_is_not_taken(cluster: Cluster) -> None:
    """Only what this deployment controls, although the labels fit."""
    foreign = replicaset("other-9", owner="other", revision=9, template=template("shop/other:v1"))
    cluster.server.put(f"{APPS}/replicasets/other-9", foreign)

    assert "payments-002" == cluster.look("kubernetes.undo").step.data["to"]


def test_a_stateful_set_goes_back_to_a_controller_revision(cluster: Cluster) -> None:
    """Its history is kept elsewhere."""
    now = template("shop/orders:v2", app="orders")
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "orders"}}, "template": now}
    status = {"observedGeneration": 2, "updateRevision": "b", "currentRevision": "b", "readyReplicas": 1}
    cluster.server.put(f"{APPS}/statefulsets/orders", {"metadata": {}, "spec": spec, "status": status})
    owner = {"kind": "StatefulSet", "name": "orders", "uid": "uid-orders-statefulsets", "controller": True}
    for number, image in ((1, "shop/orders:v1"), (2, "shop/orders:v2")):
        kept = {"spec": {"template": {**template(image, app="orders"), "$patch": "replace"}}}
        metadata = {"labels": {"app": "orders"}, "ownerReferences": [owner]}
        made = {"metadata": metadata, "data": kept, "revision": number}
        cluster.server.put(f"{APPS}/controllerrevisions/orders-{number}", made)
    _, result = cluster.do("kubernetes.undo", name="orders", kind="statefulset")
    made_template = cluster.server.objects[f"{APPS}/statefulsets/orders"]["spec"]["template"]

    assert (0, template("shop/orders:v1", app="orders")) == (result.code, made_template)


def test_the_account_is_asked_for_first(cluster: Cluster) -> None:
    """Without the right it is refused with what the API server says, and nothing is tried."""
    cluster.server.denied.add("update deployments")
    refusal = cluster.look("kubernetes.undo").refusal

    assert ("this account may not update deployments in shop: no rule of RBAC allows it", set()) == (
        refusal,
        {method for method, _, _ in cluster.server.heard} & {"PUT"},
    )


def test_the_right_to_scale_alone_is_enough_to_scale(cluster: Cluster) -> None:
    """It is the subresource that is patched."""
    cluster.server.denied.add("update deployments")
    _, result = cluster.do("kubernetes.scale", replicas="3")

    assert (0, 3, [("PUT", f"{DEPLOYMENT}/scale")]) == (
        result.code,
        cluster.deployment["spec"]["replicas"],
        cluster.server.writes(),
    )


def test_what_the_server_does_not_take_is_refused_beforehand(cluster: Cluster) -> None:
    """Its own words come from the dry run."""
    cluster.server.touch(
        DEPLOYMENT, lambda item: item["spec"]["selector"].update(matchLabels={"app": "payments", "x": "y"})
    )
    cluster.server.touch(f"{APPS}/replicasets/payments-002", lambda item: item["metadata"]["labels"].update(x="y"))
    refusal = cluster.look("kubernetes.undo", to="payments-002").refusal

    assert "the cluster does not take it: " in refusal and "`selector` does not match template `labels`" in refusal


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/payments"}},
            "Argo CD (application shop)",
        ),
        ({"managedFields": [{"manager": "argocd-controller"}]}, "Argo CD owns it"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}, "Flux (Kustomization shop) owns it"),
        ({"managedFields": [{"manager": "helm-controller"}]}, "Flux owns it"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "Helm installed it"),
        ({"ownerReferences": [{"kind": "Shop", "name": "eu", "uid": "1", "controller": True}]}, "Shop eu controls it"),
    ],
)
def test_who_else_owns_it_is_known(metadata: Object, said: str) -> None:
    """By labels, annotations and who manages the fields."""
    assert [True] == [warning.startswith(said) for warning in owner_warnings({"metadata": metadata})]


def test_who_else_owns_it_is_told(cluster: Cluster) -> None:
    """What is changed by hand there is set back."""
    labels = {"kustomize.toolkit.fluxcd.io/name": "shop"}
    cluster.server.touch(DEPLOYMENT, lambda item: item["metadata"].update(labels=labels))

    assert [True] == [one.startswith("Flux") for one in cluster.look("kubernetes.restart").warnings]


def test_another_template_since_the_look_is_not_overwritten(cluster: Cluster) -> None:
    """Somebody deployed in between: the step is not carried out, and the fingerprint says so beforehand."""
    outlook = cluster.look("kubernetes.undo")
    cluster.server.touch(DEPLOYMENT, lambda item: item["spec"].update(template=template("shop/payments:v3.3.0")))
    again = cluster.look("kubernetes.undo")
    result = cluster.run(outlook.step)

    assert (False, 1, "shop/payments:v3.3.0", True) == (
        outlook.fingerprint == again.fingerprint,
        result.code,
        cluster.image,
        "has changed since it was looked at" in result.output,
    )


def test_a_race_is_refused_by_the_api(cluster: Cluster) -> None:
    """Somebody else is faster between reading and writing: the server says conflict, and theirs stays."""
    outlook = cluster.look("kubernetes.undo")
    theirs = template("shop/payments:v3.3.0")
    cluster.server.meanwhile.append(
        lambda: cluster.server.touch(DEPLOYMENT, lambda item: item["spec"].update(template=theirs))
    )
    result = cluster.run(outlook.step)

    assert (1, "shop/payments:v3.3.0", ["PUT"]) == (
        result.code,
        cluster.image,
        [method for method, _ in cluster.server.writes()],
    )


def test_a_pod_that_gets_ready_meanwhile_is_no_reason_to_stop(cluster: Cluster) -> None:
    """The resource version moves on with every status; the template it rests on is the same, so it is tried again."""
    outlook = cluster.look("kubernetes.undo")
    cluster.server.meanwhile.append(
        lambda: cluster.server.touch(DEPLOYMENT, lambda item: item["status"].update(availableReplicas=1))
    )
    result = cluster.run(outlook.step)

    assert (0, "shop/payments:v3.2.0", 2) == (result.code, cluster.image, len(cluster.server.writes()))


def test_a_rollout_that_does_not_come_forward_is_told(cluster: Cluster) -> None:
    """With the pods' own reasons, when the time is over; the change stays."""
    cluster.server.stuck = True
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    cluster.server.put(
        f"{CORE}/pods/payments-1",
        {"metadata": {"labels": {"app": "payments"}}, "status": {"containerStatuses": [{"state": waiting}]}},
    )
    result = cluster.run(replace(cluster.look("kubernetes.undo").step, timeout_s=2))

    assert (124, True, "payments-1: ImagePullBackOff, not found") == (
        result.code,
        result.timed_out,
        result.output.splitlines()[-1],
    )


def test_a_rollout_that_the_controller_gives_up_has_failed(cluster: Cluster) -> None:
    """Without waiting for the time-out."""
    cluster.server.stuck = True
    condition = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "timed out progressing"}
    cluster.server.touch(DEPLOYMENT, lambda item: item["status"].update(conditions=[condition]))
    _, result = cluster.do("kubernetes.undo")

    assert (1, "the roll-out does not come forward: timed out progressing") == (
        result.code,
        result.output.splitlines()[-1],
    )


def test_a_try_changes_nothing(cluster: Cluster) -> None:
    """A step that is only tried shows the preview."""
    step = Step(actuator="kubernetes.undo", data={"name": "payments", "dry_run": True})
    result = cluster.run(step)

    assert (0, [], "nothing was changed: this was a try") == (
        result.code,
        cluster.server.writes(),
        result.output.splitlines()[-1],
    )


@pytest.mark.parametrize("name", ["--all", "payments;reboot", "../secrets/x", "payments\n", "$(id)", ""])
def test_a_name_that_is_none_never_reaches_kubectl(cluster: Cluster, name: str) -> None:
    """Neither an option, nor a path, nor a shell's word."""
    outlook = cluster.look("kubernetes.restart", name=name)

    assert (True, []) == ("is no name of an object" in outlook.refusal, cluster.server.heard)


@pytest.mark.parametrize(
    "value",
    ["$(reboot)", "'; drop table x; --", "--dry-run=none", '"}}],"x":[{"a":"', "<script>alert(1)</script>", "a\nb: c"],
)
def test_a_hostile_value_stays_a_value(cluster: Cluster, value: str) -> None:
    """It is one JSON string of what is sent, and nothing else changes."""
    before = copy.deepcopy(cluster.deployment["spec"]["template"])
    cluster.do("kubernetes.env", variable="NOTE", value=value)
    before["spec"]["containers"][0]["env"] = [{"name": "NOTE", "value": value}]

    assert before == cluster.deployment["spec"]["template"]


def test_an_object_that_is_not_there_is_refused(cluster: Cluster) -> None:
    """In the API's words."""
    assert 'deployments.apps "nowhere" not found' in cluster.look("kubernetes.restart", name="nowhere").refusal


def test_with_several_clusters_one_must_be_meant(cluster: Cluster) -> None:
    """Otherwise the wrong one might be changed."""
    cluster.specs.append(replace(cluster.specs[0], name="other"))
    refusals = (cluster.look("kubernetes.restart").refusal, cluster.look("kubernetes.restart", on="other").refusal)

    assert ("say with `on` which cluster is meant", "") == refusals


def test_a_cluster_that_does_not_answer_is_no_refusal(cluster: Cluster, tmp_path: Path) -> None:
    """It raises, since nothing is known."""
    (tmp_path / "kubeconfig").write_text(kubeconfig("http://127.0.0.1:9"))

    with pytest.raises(Unavailable):
        cluster.look("kubernetes.restart")


@pytest.mark.parametrize(
    ("arguments", "image", "replicas"),
    [
        (("rollout", "undo", "deployment/payments"), "shop/payments:v3.2.0", 2),
        (("rollout", "undo", "deployment/payments", "--to-revision=1"), "shop/payments:v3.1.0", 2),
        (("scale", "deployment/payments", "--replicas=5"), "shop/payments:v3.2.1", 5),
        (("set", "image", "deployment/payments", "payments=shop/payments:v4"), "shop/payments:v4", 2),
    ],
)
def test_the_server_does_what_kubectls_own_verbs_ask(
    cluster: Cluster, arguments: tuple[str, ...], image: str, replicas: int
) -> None:
    """So it speaks as the real one, not as Stanch wishes."""
    config = cluster.specs[0].settings["kubeconfig"]
    argv = ["kubectl", f"--kubeconfig={config}", "--namespace=shop", *arguments]
    printed = LocalPrograms().run(argv, timeout_s=20)

    assert (0, "", image, replicas) == (
        printed.code,
        printed.complaint,
        cluster.image,
        cluster.deployment["spec"]["replicas"],
    )
