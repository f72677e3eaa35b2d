"""The log source port on a cluster: `kubectl logs` of the pods that a selector names."""

from collections.abc import Iterator
from datetime import UTC, datetime

from stanch.integrations.kubernetes.kubectl import Kubectl
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec


class KubernetesLogs:
    """Logs of services whose pods carry a label with their name."""

    def __init__(self, spec: SystemSpec, *, programs: Programs) -> None:
        self._spec = spec
        self._kubectl = Kubectl(spec, programs=programs)

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        return self._spec.name

    @property
    def where(self) -> str:
        """Return where the lines come from."""
        return f"kubectl logs, namespace {self._spec.settings.get('namespace', '')}"

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services that run there."""
        return self._spec.services

    def command(self, service: str, *, start: datetime) -> str:
        """Return the command that shows the lines of `service` since `start` (UTC)."""
        return self._kubectl.shown(self._arguments(service, start=start))

    def lines(
        self, service: str, *, start: datetime, end: datetime, timeout_s: float, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines of `service` since `start`, pod after pod. Raises `Unavailable`, `Refused`."""
        arguments = [*self._arguments(service, start=start), f"--limit-bytes={most_bytes}"]
        argv = self._kubectl.argv(arguments, timeout_s=timeout_s)
        return self._kubectl.programs.lines(
            argv, timeout_s=timeout_s, most_bytes=most_bytes, environment=self._kubectl.environment
        )

    def _arguments(self, service: str, *, start: datetime) -> list[str]:
        settings = self._spec.settings
        return [
            "logs",
            f"--namespace={settings.get('namespace', 'default')}",
            f"--selector={settings.get('selector', 'app={service}').replace('{service}', service)}",
            "--all-containers=true",
            "--ignore-errors=true",
            "--max-log-requests=20",
            "--tail=-1",
            f"--since-time={start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        ]
