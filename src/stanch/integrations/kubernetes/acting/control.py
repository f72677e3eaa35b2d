"""Runs the kubectl calls that an action is made of: one object read, one put back, and whether the account may.

All of them are requests to a path (`--raw`), which every kubectl has from 1.20 on: nothing else is asked first, and
what is sent is what stands here.

Arguments are a list and no shell reads them; a body goes by a file, so that no value is seen in the list of processes.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from stanch.integrations.kubernetes.rows import Object, objects, part, text
from stanch.kernel.errors import Conflict, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

_MOST_BYTES: Final = 8 * 1024 * 1024
_MANAGER: Final = "stanch"
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One object of the cluster. `group` is empty for the core; `subresource` is what a change goes to, if any."""

    resource: str
    name: str
    namespace: str
    group: str = ""
    version: str = "v1"
    subresource: str = ""

    @property
    def path(self) -> str:
        """Return its path on the API server, without the subresource."""
        return f"{collection(self.group, self.version, self.namespace, self.resource)}/{quote(self.name, safe='')}"

    @property
    def shown(self) -> str:
        """Return what people call it, e.g. `deployments/payments in shop`."""
        return f"{self.resource}/{self.name} in {self.namespace}"


def collection(group: str, version: str, namespace: str, resource: str) -> str:
    """Return the path of all objects of a resource in a namespace."""
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return f"{root}/namespaces/{quote(namespace, safe='')}/{resource}"


class Control:
    """kubectl with one cluster's settings. Its credentials are the kubeconfig's and stay there."""

    def __init__(self, spec: SystemSpec, *, programs: Programs, timeout_s: float = 10.0) -> None:
        self._context = spec.settings.get("context", "")
        self._environment = {"KUBECONFIG": path} if (path := spec.settings.get("kubeconfig")) else {}
        self._programs = programs
        self._timeout_s = timeout_s

    def read(self, path: str, *, labels: Mapping[str, str] | None = None) -> Object:
        """Return what is at a path. Raises `NotFound`, `Refused` (`denied`) or `Unavailable`."""
        if labels:
            path += "?" + urlencode({"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())})
        return self._run(["get", f"--raw={path}"])

    def items(self, path: str, *, labels: Mapping[str, str] | None = None) -> list[Object]:
        """Return the objects of a list, as `read` does; those of a list have no kind of their own."""
        return objects(self.read(path, labels=labels), "items")

    def denial(self, verb: str, target: Target) -> str:
        """Return why this account may not do `verb` to the target, empty when it may; it asks the API server."""
        attributes: Object = {
            "namespace": target.namespace,
            "verb": verb,
            "group": target.group,
            "resource": target.resource,
            "subresource": target.subresource,
            "name": target.name,
        }
        review: Object = {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": attributes},
        }
        # `kubectl auth can-i` says yes or no alone; the review also says why.
        with _file(review) as path:
            status = part(self._run(["create", f"--raw={_REVIEWS}", "-f", path]), "status")
        if status.get("allowed") is True:
            return ""
        what = f"{target.resource}/{target.subresource}" if target.subresource else target.resource
        reason = text(status, "reason") or text(status, "evaluationError")
        return f"this account may not {verb} {what} in {target.namespace}" + (f": {reason}" if reason else "")

    def put(self, target: Target, item: Object, *, dry: bool) -> Object:
        """Replace the object, or its subresource, and return it as it is then; with `dry` the server only tells.

        `item` holds the resource version that was read. Raises `Conflict` when it is another by now, and `Refused` when
        the server does not take it.
        """
        path = f"{target.path}/{target.subresource}" if target.subresource else target.path
        query = urlencode({"fieldManager": _MANAGER, **({"dryRun": "All"} if dry else {})})
        with _file(item) as body:
            # Without this an older kubectl reads the whole description of the API before; the server checks anyway.
            return self._run(["replace", f"--raw={path}?{query}", "--validate=false", "-f", body])

    def _run(self, arguments: Sequence[str]) -> Object:
        context = [f"--context={self._context}"] if self._context else []
        # kubectl gives up a little before it is killed, so that it says itself what it waited for.
        request = f"--request-timeout={max(1, round(self._timeout_s) - 2)}s"
        printed = self._programs.run(
            ["kubectl", *context, request, *arguments],
            timeout_s=self._timeout_s,
            most_bytes=_MOST_BYTES,
            environment=self._environment,
        )
        if printed.code:
            raise _complaint(printed.complaint, printed.code)
        try:
            answer: JSON = msgspec.json.decode(printed.out)
        except (msgspec.DecodeError, RecursionError):
            raise Unavailable("kubectl printed something that is not JSON", retry=False) from None
        if printed.cut or not isinstance(answer, dict):
            raise Unavailable("kubectl printed no object, or one that is too long", retry=False)
        return answer


def _complaint(complaint: str, code: int) -> Refused | Unavailable:
    """Return what kubectl's last line means."""
    lines = [line for line in complaint.splitlines() if line and not line.startswith("Warning:")]
    said = (lines[-1] if lines else f"kubectl ended with {code}").removeprefix("error: ")
    if "(Conflict)" in said:
        return Conflict(f"the cluster refuses it, since the object has changed: {said}", reason="world_changed")
    if "(NotFound)" in said:
        return NotFound(f"the cluster does not have it: {said}")
    if "(Forbidden)" in said or "(Unauthorized)" in said or "must be logged in" in said:
        return Refused(f"the cluster denies it: {said}", reason="denied")
    if "is invalid" in said or "denied the request" in said or "(BadRequest)" in said:
        return Refused(f"the cluster does not take it: {said}", reason="not_taken")
    return Unavailable(f"kubectl failed: {said}", retry=True)


@contextmanager
def _file(body: Object) -> Iterator[str]:
    """Give the path of a file with JSON, which only this account can read; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stanch-kubectl-") as folder:
        path = Path(folder) / "body.json"
        path.write_text(json.dumps(body))
        yield str(path)
