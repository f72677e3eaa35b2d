"""The API server of the tests, and the actuators that act on it."""

from pathlib import Path

from stanch.integrations.kubernetes.acting import KubernetesActuator, kubernetes_actuators
from stanch.integrations.program import LocalPrograms
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step, StepResult
from stanch.ports.query import SystemSpec
from tests.integrations.kubernetes.apiserver import APPS, ApiServer, Object, kubeconfig

DEPLOYMENT = f"{APPS}/deployments/payments"


class Cluster:
    """The API server, and the actuators that act on it."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        (folder / "kubeconfig").write_text(kubeconfig(server.url))
        settings = {"namespace": "shop", "kubeconfig": str(folder / "kubeconfig")}
        self.server = server
        self.specs = [SystemSpec(name="cluster", kind="kubernetes", services=(), settings=settings)]

    def actuator(self, name: str) -> KubernetesActuator:
        """Return an actuator that looks at a roll-out all the time."""
        made = kubernetes_actuators(self.specs, programs=LocalPrograms(), every_s=0.01)
        return {one.name: one for one in made}[name]

    def look(self, actuator: str, **data: JSON) -> Outlook:
        """Look at a step on payments."""
        return self.actuator(actuator).look(Step(actuator=actuator, data={"name": "payments", **data}, timeout_s=20))

    def run(self, step: Step) -> StepResult:
        """Carry out a step."""
        return self.actuator(step.actuator).run(step, emit=lambda _: None)

    def do(self, actuator: str, **data: JSON) -> tuple[Outlook, StepResult]:
        """Look at a step on payments, and carry it out."""
        outlook = self.look(actuator, **data)
        assert "" == outlook.refusal
        return outlook, self.run(outlook.step)

    @property
    def deployment(self) -> Object:
        """Return the deployment as it is now."""
        return self.server.objects[DEPLOYMENT]

    @property
    def image(self) -> str:
        """Return the image that the deployment runs."""
        return str(self.deployment["spec"]["template"]["spec"]["containers"][0]["image"])
