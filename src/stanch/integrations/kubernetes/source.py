"""The query port on a cluster: what `kubectl get` and `kubectl top` print, as rows."""

import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stanch.integrations.kubernetes.kubectl import Kubectl
from stanch.integrations.kubernetes.rows import Object, rows_of, top_rows
from stanch.kernel.errors import StanchError
from stanch.ports.program import Programs
from stanch.ports.query import Ask, ConfiguredSource, Reply, SystemSpec


class KubernetesSource(ConfiguredSource):
    """One namespace of a cluster, or the nodes of all of it."""

    def __init__(self, spec: SystemSpec, *, programs: Programs) -> None:
        super().__init__(spec)
        self._kubectl = Kubectl(spec, programs=programs)

    @property
    def system(self) -> str:
        """Return `kubernetes`."""
        return "kubernetes"

    @property
    def where(self) -> str:
        """Return context and namespace."""
        context = self._spec.settings.get("context", "") or "the kubeconfig's context"
        return f"{context}, namespace {self._spec.settings.get('namespace', '')}"

    @property
    def side_by_side(self) -> int:
        """Return 4: each call starts a process of some 50 MB."""
        return 4

    @contextmanager
    def open(self) -> Iterator["_Session"]:
        """Give a session that asks for the same list once."""
        yield _Session(self._kubectl)


class _Session:
    """One look: several queries speak of the same pods, which are asked for once."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._known: dict[str, list[Object] | StanchError] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def ask(self, ask: Ask) -> Reply:
        """Run one call and return its objects as rows."""
        arguments = shlex.split(ask.text)
        command = self._kubectl.shown(arguments)
        if arguments[:1] == ["top"]:
            rows = list(top_rows(self._kubectl.text(arguments, timeout_s=ask.timeout_s)))
        else:
            rows = [row for item in self._items(arguments, ask) for row in rows_of(item, since=ask.start)]
        return Reply(command=command, rows=tuple(rows[: ask.most_rows]), cut=len(rows) > ask.most_rows)

    def _items(self, arguments: list[str], ask: Ask) -> list[Object]:
        with self._lock:
            lock = self._locks.setdefault(ask.text, threading.Lock())
        with lock:
            if ask.text not in self._known:
                given = [*arguments, "-o", "json"] if "-o" not in arguments else arguments
                try:
                    self._known[ask.text] = self._kubectl.items(given, timeout_s=ask.timeout_s)
                except StanchError as error:
                    # The next query that speaks of the same list must not wait for the same time-out again.
                    self._known[ask.text] = error
        found = self._known[ask.text]
        if isinstance(found, StanchError):
            raise found
        return found
