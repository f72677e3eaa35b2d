"""What the routes of one process share, and how an operation is called from a request."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from stanch.kernel.actor import Actor, Via
from stanch.kernel.errors import StanchError
from stanch.operations import registry
from stanch.operations.registry import Effect, Operation
from stanch.operations.world import Call, World
from stanch.surfaces.asgi.figures import Figures
from stanch.surfaces.asgi.identity import caller, require_somebody
from stanch.surfaces.asgi.live import Live

KEY_HEADER: Final = "idempotency-key"
"""The same call of an agent under the same key is done once in 24 hours."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """The world and its operations, the live view of the log, and the figures."""

    world: World
    operations: Mapping[str, Operation[object, object]]
    live: Live
    figures: Figures = field(default_factory=Figures)

    @classmethod
    def of(cls, world: World, operations: Mapping[str, Operation[object, object]] | None = None) -> "Front":
        """Return the front of `world`, by default with every operation registered so far."""
        figures = Figures()
        return cls(
            world=world,
            operations=registry.registered() if operations is None else operations,
            live=Live(world.store, followers=figures.followers),
            figures=figures,
        )

    async def ask(self, request: HTTPConnection, name: str, body: Mapping[str, object], *, via: Via) -> object:
        """Call the operation `name` for whoever sent `request`, in a thread, and return its answer.

        Raises what the operation raises, `Invalid` when the body does not fit, and `Forbidden` when nobody in
        particular would change something.
        """
        entry = self.operations[name]
        actor = caller(request, self.world)
        if entry.effect is not Effect.READ:
            require_somebody(actor)
        decoded = registry.decode(entry, body)
        return await run_in_threadpool(self._timed, entry, decoded, actor, via, request.headers.get(KEY_HEADER, ""))

    def call(self, name: str, body: Mapping[str, object], *, actor: Actor, via: Via, key: str = "") -> object:
        """Call the operation `name` for `actor`, in this thread, and return its answer. Raises as `ask` does."""
        entry = self.operations[name]
        return self._timed(entry, registry.decode(entry, body), actor, via, key)

    def _timed(self, entry: Operation[object, object], decoded: object, actor: Actor, via: Via, key: str) -> object:
        started, outcome = time.perf_counter(), "bug"
        try:
            answer = registry.call(entry, Call(world=self.world, actor=actor, via=via, key=key), decoded)
            outcome = "ok"
        except StanchError as error:
            outcome = error.code
            raise
        finally:
            self.figures.operations.labels(operation=entry.name, via=via.value, outcome=outcome).inc()
            self.figures.seconds.labels(operation=entry.name).observe(time.perf_counter() - started)
        return answer
