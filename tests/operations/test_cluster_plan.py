"""A roll-back of a real plan: proposed, looked at, approved and run by the real kubectl against an API server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.catalog.model import ActionSpec
from stanch.incidents.state import ActionState
from stanch.integrations.kubernetes.acting import kubernetes_actuators
from stanch.integrations.program import LocalPrograms
from stanch.ports.query import SystemSpec
from tests.integrations.kubernetes.apiserver import APPS, ApiServer, kubeconfig, serving, shop, template
from tests.operations.desk import Desk
from tests.support.needs import require

DEPLOYMENT = f"{APPS}/deployments/payments"
PLAN = "back-payments"
BACK = ActionSpec(
    name="back",
    mitigation="rollback",
    title="Roll payments back",
    uses="kubernetes.undo",
    settings={"name": "{service}", "to": "{previous}"},
    risk="low",
)


@pytest.fixture
def cluster(desk: Desk, tmp_path: Path) -> Iterator[ApiServer]:
    """Give the cluster that payments runs in, where its owner declares that it may be rolled back."""
    require("kubectl")
    desk.world.catalog.services["payments"] = replace(desk.world.catalog.services["payments"], actions=(BACK,))
    with serving(shop()) as server:
        (tmp_path / "kubeconfig").write_text(kubeconfig(server.url))
        settings = {"namespace": "shop", "kubeconfig": str(tmp_path / "kubeconfig")}
        spec = SystemSpec(name="cluster", kind="kubernetes", services=(), settings=settings)
        made = kubernetes_actuators([spec], programs=LocalPrograms(), every_s=0.01)
        desk.world.actuators.update({one.name: one for one in made})
        yield server


@pytest.fixture
def number(desk: Desk, cluster: ApiServer) -> int:
    """Give an incident with the roll-back as its plan, looked at."""
    number = desk.diagnosed()
    desk.work()
    return number


def image(cluster: ApiServer) -> str:
    """Return the image that payments runs."""
    return str(cluster.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"])


def approve(desk: Desk, number: int) -> None:
    """Approve the plan as it is shown, and have it run."""
    desk.approve(number, PLAN)
    desk.work()


def test_the_plan_names_the_template_and_its_way_back(desk: Desk, number: int, cluster: ApiServer) -> None:
    """It is exact before anybody is asked for a yes, and nothing was changed for that."""
    plan = desk.state(number).actions[PLAN].plan

    assert ("payments-002", "payments-003", []) == (
        plan.steps[0].data["to"],
        plan.undo[0].data["to"],
        cluster.writes(),
    )


def test_an_approved_plan_rolls_back(desk: Desk, number: int, cluster: ApiServer) -> None:
    """One write, followed to the end of the roll-out."""
    approve(desk, number)

    assert ("shop/payments:v3.2.0", ActionState.SUCCEEDED, [("PUT", DEPLOYMENT)]) == (
        image(cluster),
        desk.state(number).actions[PLAN].state,
        cluster.writes(),
    )


def test_a_deploy_after_the_plan_was_made_is_not_overwritten(desk: Desk, number: int, cluster: ApiServer) -> None:
    """The yes was for another world: nothing runs."""
    cluster.touch(DEPLOYMENT, lambda item: item["spec"].update(template=template("shop/payments:v3.3.0")))
    approve(desk, number)

    assert ("shop/payments:v3.3.0", ActionState.STALE, []) == (
        image(cluster),
        desk.state(number).actions[PLAN].state,
        cluster.writes(),
    )


def test_pods_that_come_and_go_do_not_hold_up_the_plan(desk: Desk, number: int, cluster: ApiServer) -> None:
    """They move the resource version on while people make up their minds."""
    cluster.touch(DEPLOYMENT, lambda item: item["status"].update(availableReplicas=0))
    approve(desk, number)

    assert "shop/payments:v3.2.0" == image(cluster)
