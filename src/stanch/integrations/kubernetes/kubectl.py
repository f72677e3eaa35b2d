"""Runs kubectl: the context, the namespace and the time-out on every call, and what its complaints mean."""

import shlex
from collections.abc import Sequence
from typing import Final

import msgspec

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.readonly import check_kubectl
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

MOST_BYTES: Final = 8 * 1024 * 1024
_DENIED: Final = ("Forbidden", "forbidden", "Unauthorized", "must be logged in")
_ABSENT: Final = ("NotFound", "not found", "Metrics API not available", "doesn't have a resource type")


class Kubectl:
    """kubectl with the settings of one configured cluster. Its credentials are the kubeconfig's, and stay there."""

    def __init__(self, spec: SystemSpec, *, programs: Programs) -> None:
        self.spec = spec
        self.programs = programs
        self.environment = {"KUBECONFIG": path} if (path := spec.settings.get("kubeconfig")) else {}

    def argv(self, arguments: Sequence[str], *, timeout_s: float) -> list[str]:
        """Return the whole command. Raises `Refused` unless it only reads."""
        check_kubectl(arguments)
        context = self.spec.settings.get("context", "")
        return [
            "kubectl",
            *([f"--context={context}"] if context else []),
            f"--request-timeout={max(1, round(timeout_s))}s",
            *arguments,
        ]

    def shown(self, arguments: Sequence[str]) -> str:
        """Return the command as a person types it."""
        context = self.spec.settings.get("context", "")
        return shlex.join(["kubectl", *([f"--context={context}"] if context else []), *arguments])

    def text(self, arguments: Sequence[str], *, timeout_s: float) -> str:
        """Return what a call prints. Raises `NotFound`, `Refused` or `Unavailable` by what it complains of."""
        printed = self.programs.run(
            self.argv(arguments, timeout_s=timeout_s),
            timeout_s=timeout_s,
            most_bytes=MOST_BYTES,
            environment=self.environment,
        )
        if printed.cut:
            raise Unavailable(f"the answer is longer than {MOST_BYTES:,} bytes", retry=False)
        if printed.code:
            said = printed.complaint.removeprefix("error: ").splitlines()[-1:] or [f"exit code {printed.code}"]
            if any(word in printed.complaint for word in _DENIED):
                raise Refused(f"the cluster denies it: {said[0]}", reason="denied")
            if any(word in printed.complaint for word in _ABSENT):
                raise NotFound(f"the cluster does not have it: {said[0]}")
            raise Unavailable(f"kubectl failed: {said[0]}", retry=True)
        return printed.out.decode(errors="replace")

    def items(self, arguments: Sequence[str], *, timeout_s: float) -> list[dict[str, JSON]]:
        """Return the objects that a call prints as JSON, one or a list of them."""
        try:
            answer: JSON = msgspec.json.decode(self.text(arguments, timeout_s=timeout_s).encode())
        except (msgspec.DecodeError, RecursionError):
            raise Unavailable("kubectl printed something that is not JSON", retry=False) from None
        if not isinstance(answer, dict):
            raise Unavailable("kubectl printed no object", retry=False)
        found = answer.get("items", [answer])
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
