"""The real kubectl against an API server that speaks its calls: pods in trouble, roll-outs, logs. Nothing but GETs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.kubernetes import KubernetesLogs, KubernetesSource, Rollouts
from stanch.integrations.kubernetes.rows import quantity
from stanch.integrations.program import LocalPrograms
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.changes import Change
from stanch.ports.evidence import Finding, FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.kubernetes.cluster import (
    NOW,
    Object,
    ago,
    api,
    deployment,
    event,
    node,
    pod,
    replicaset,
)
from tests.integrations.systems.asked import ask, collect
from tests.support.answering import answering
from tests.support.needs import require

CONFIG = """\
apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: "{url}"}}}}]
users: [{{name: test, user: {{token: hunter2hunter2}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
"""
CRASHING: Object = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
ENDED: Object = {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": ago(1)}}
KILLED: Object = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(1)}}


def spec(folder: Path, url: str, **settings: str) -> SystemSpec:
    """Return the cluster at a URL as a configured system."""
    require("kubectl")
    (folder / "kubeconfig").write_text(CONFIG.format(url=url))
    given = {"namespace": "shop", "kubeconfig": str(folder / "kubeconfig"), "selector": "app={service}", **settings}
    return SystemSpec(name="cluster", kind="kubernetes", services=("payments",), settings=given, timeout_s=20)


def look(folder: Path, answers: Mapping[str, object]) -> dict[str, Finding]:
    """Return what is found in a cluster, by query; fails when anything but a GET was sent."""
    with answering(answers) as heard:
        found = collect(KubernetesSource(spec(folder, heard.url), programs=LocalPrograms()))
    assert {"GET"} == heard.methods
    return found


def raised(finding: Finding) -> list[tuple[str, str, float | None]]:
    """Return name, service and value of the signals that are raised."""
    return [(one.name, one.service, one.value) for one in finding.signals if one.data["raised"]]


def test_a_healthy_cluster_raises_nothing(tmp_path: Path) -> None:
    """With all pods ready nothing is out of the ordinary, and no query fails but those without a metrics server."""
    found = look(tmp_path, api(pods=(pod("payments-1"),), deployments=(deployment(),), nodes=(node("worker-1"),)))

    assert ([], {"top"}) == (
        [one for each in found.values() for one in raised(each)],
        {name for name, one in found.items() if one.status not in (FindingStatus.OK, FindingStatus.NO_DATA)} | {"top"},
    )


def test_a_crash_loop_is_raised_for_its_service(tmp_path: Path) -> None:
    """A container in CrashLoopBackOff is a restart signal of the service its label names, with its last exit."""
    crashing = pod("payments-7d9f-x", state=CRASHING, last=ENDED, restarts=7)
    found = look(tmp_path, api(pods=(crashing, pod("payments-2"))))["crash_loops"]

    assert ([("restarts", "payments", 7.0)], True) == (
        raised(found),
        "payments-7d9f-x is in CrashLoopBackOff after 7 restarts; it ended last with Error, exit code 1"
        in found.summary,
    )


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"])
def test_a_container_that_cannot_start_is_raised(tmp_path: Path, reason: str) -> None:
    """An image or a configuration that is not there is told with the pod."""
    waiting = pod("payments-1", state={"waiting": {"reason": reason, "message": "not found"}})

    assert [("pods_cannot_start", "payments", 1.0)] == raised(look(tmp_path, api(pods=(waiting,)))["cannot_start"])


def test_a_pod_that_fits_nowhere_is_raised(tmp_path: Path) -> None:
    """What the scheduler says is in the sentence."""
    message = "0/3 nodes are available: 3 Insufficient memory."
    conditions: list[object] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    ]
    found = look(tmp_path, api(pods=(pod("payments-1", conditions=conditions),)))["unschedulable"]  # type: ignore[arg-type]  # JSON

    assert ([("pods_unschedulable", "payments", 1.0)], True) == (raised(found), message in found.summary)


def test_a_container_ended_for_memory_is_raised(tmp_path: Path) -> None:
    """An OOM kill within the window is told with the limit."""
    killed = pod("payments-1", last=KILLED, restarts=1)
    found = look(tmp_path, api(pods=(killed,)))["oom_killed"]

    assert ([("oom_kills", "payments", 1.0)], True) == (raised(found), "memory limit of 134.2 MB" in found.summary)


def test_missing_replicas_and_a_stuck_rollout_are_raised(tmp_path: Path) -> None:
    """A deployment short of replicas says how many, and that its roll-out does not come forward."""
    found = look(tmp_path, api(deployments=(deployment(ready=0, stuck=True),)))

    assert ([("replicas_missing", "payments", 2.0)], [("rollout_stuck", "payments", 1.0)]) == (
        raised(found["missing_replicas"]),
        raised(found["stuck_rollouts"]),
    )


def test_warnings_of_the_window_are_told(tmp_path: Path) -> None:
    """The most frequent warning is told; one from before the window is not."""
    events = (
        event("BackOff", "payments-1", minutes_ago=1, count=12),
        event("Failed", "payments-2", minutes_ago=300, count=99),
    )
    found = look(tmp_path, api(events=events))["warnings"]

    assert "cluster: BackOff on pod/payments-1, 12 times: Back-off restarting failed container" == found.summary


def test_a_node_in_trouble_is_raised(tmp_path: Path) -> None:
    """A node that is not ready, or under pressure, is told by name."""
    found = look(
        tmp_path, api(nodes=(node("worker-1"), node("worker-2", ready=False), node("w3", pressure="DiskPressure")))
    )

    assert 2 == len(raised(found["nodes"]))


def test_a_cluster_that_denies_is_refused(tmp_path: Path) -> None:
    """Without the right to list pods the finding is a refusal that says so, and holds no token."""
    denied = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "message": "pods is forbidden", "code": 403}
    answers = {**api(), "/api/v1/namespaces/shop/pods": denied}
    with answering(answers, status={"/api/v1/namespaces/shop/pods": 403}) as heard:
        found = collect(KubernetesSource(spec(tmp_path, heard.url), programs=LocalPrograms()))

    # One finding stands for everything that the same refusal keeps from being asked.
    assert (True, False) == (FindingStatus.REFUSED in {one.status for one in found.values()}, "hunter2" in repr(found))


@pytest.mark.parametrize(
    "text",
    [
        "delete pod x",
        "apply -f x",
        "exec payments -- sh",
        "get secrets -n shop",
        "get pods,secret/x -n shop",
        "get pods --token=x",
        "get --raw=/api/v1/secrets",
        "rollout undo deployment/payments",
        "top --help",
    ],
)
def test_what_does_not_only_read_is_refused(tmp_path: Path, text: str) -> None:
    """A verb that changes something, and every way to secrets, is refused before kubectl is run."""
    with pytest.raises(Refused):
        ask(KubernetesSource(spec(tmp_path, "http://127.0.0.1:9"), programs=LocalPrograms()), text)


def rollouts(folder: Path, answers: Mapping[str, object]) -> list[Change]:
    """Return what was rolled out in the last hours."""
    with answering(answers) as heard:
        source = Rollouts(spec(folder, heard.url), programs=LocalPrograms())
        return source.changes(services=(), start=NOW - timedelta(hours=5), end=NOW + timedelta(minutes=1))


def test_revisions_are_deploys(tmp_path: Path) -> None:
    """Each revision is a deploy with its version and the one before, at the time its ReplicaSet was made."""
    answers = api(
        deployments=(deployment(),),
        replicasets=(
            replicaset("payments-a", revision=1, image="shop/payments:v3.2.0", minutes_ago=200),
            replicaset("payments-b", revision=2, image="shop/payments:v3.2.1", minutes_ago=5),
        ),
    )

    assert [("payments", "", "v3.2.0"), ("payments", "v3.2.0", "v3.2.1")] == [
        (one.service, one.previous, one.version) for one in rollouts(tmp_path, answers)
    ]


def test_a_roll_back_is_told_at_its_own_time(tmp_path: Path) -> None:
    """A revision that re-uses an old ReplicaSet happened when the deployment says, not when the set was made."""
    answers = api(
        deployments=(deployment(rolled_minutes_ago=3),),
        replicasets=(
            replicaset("payments-b", revision=2, image="shop/payments:v3.2.1", minutes_ago=20),
            replicaset("payments-a", revision=3, image="shop/payments:v3.2.0", minutes_ago=200),
        ),
    )
    last = rollouts(tmp_path, answers)[-1]

    assert (NOW - timedelta(minutes=3), "v3.2.0", "payments rolled back to v3.2.0 (revision 3)") == (
        last.at,
        last.version,
        last.title,
    )


def test_a_cluster_that_is_away_is_unavailable(tmp_path: Path) -> None:
    """Changes cannot be read where nobody answers, and that is said."""
    source = Rollouts(spec(tmp_path, "http://127.0.0.1:9"), programs=LocalPrograms())
    with pytest.raises(Unavailable, match="kubectl failed"):
        source.changes(services=(), start=NOW - timedelta(hours=1), end=NOW)


def test_logs_are_asked_for_by_selector(tmp_path: Path) -> None:
    """The command of a service's log names its label, all containers and since when."""
    source = KubernetesLogs(spec(tmp_path, "http://127.0.0.1:9"), programs=LocalPrograms())
    command = source.command("payments", start=datetime(2026, 11, 21, 14, 30, tzinfo=UTC))

    assert "kubectl logs --namespace=shop --selector=app=payments --all-containers=true" in command
    assert "--since-time=2026-11-21T14:30:00Z" in command


@pytest.mark.parametrize(
    ("written", "expected"),
    [("250m", 0.25), ("128Mi", 134217728.0), ("2", 2.0), ("12345678n", 0.012345678), ("x", None)],
)
def test_quantities_are_read(written: str, expected: float | None) -> None:
    """Thousandths, binary and decimal units."""
    assert expected == (None if (found := quantity(written)) is None else pytest.approx(found))
