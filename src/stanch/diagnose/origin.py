"""Where it starts: the deepest services whose trouble is not explained by those they call. Pure.

Self-excess: what a service fails (or takes longer) beyond what its troubled callees account for. With e the error
ratio above normal of a service s, and c that of its calls to t as s sees them (else t's own):

    explained(s) = min(1, max over troubled callees t of c(s, t) / e(s))

and the same with milliseconds of P95 latency when s is slow but does not fail. A service is an origin when it is in
trouble and at least half of it is unexplained. Worked value: checkout fails 45 %, its calls to payments fail 44 %:
44 / 45 = 0.98 is explained, so checkout is none; payments calls nothing that fails, so payments is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from stanch.diagnose.model import Fact
from stanch.diagnose.phrases import names
from stanch.diagnose.picture import Picture
from stanch.diagnose.wording import compared
from stanch.kernel.percentage import percent

_MOST_EXPLAINED = 0.5
_DOWN_EXCESS = 1.0
_SIGNS = (
    *("locks_waiting", "writes_refused", "queue_unconsumed", "queue_depth", "pods_cannot_start", "pods_unschedulable"),
    *("replicas_missing", "rollout_stuck", "check_failed", "rule_broken"),
)
"""What tells of trouble by itself, without a figure that could be compared."""
_TROUBLED_PAGES = ("major", "critical")


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is wrong with one service. `errors` is a ratio above normal, `slow_ms` P95 milliseconds above normal."""

    service: str
    errors: float = 0.0
    slow_ms: float = 0.0
    down: bool = False
    restarting: bool = False
    saturated: bool = False
    logged: float = 0.0
    facts: tuple[Fact, ...] = ()

    @property
    def excess(self) -> float:
        """Return how bad it is, to order by: failures first, then slowness (a second counts as a tenth)."""
        return (_DOWN_EXCESS if self.down or self.restarting else 0.0) + self.errors + min(1.0, self.slow_ms / 10_000)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A service in which trouble starts. `explained` is the share (0..1) its callees account for."""

    service: str
    trouble: Trouble
    explained: float
    explained_by: str
    external: bool
    text: str

    @property
    def findings(self) -> tuple[str, ...]:
        """Return the findings it rests on."""
        return tuple(dict.fromkeys(fact.finding for fact in self.trouble.facts))


@lru_cache(maxsize=4)
def troubles(picture: Picture) -> Mapping[str, Trouble]:
    """Return what is wrong with which service, by name; services without trouble are left out."""
    named = {fact.service for fact in picture.facts if fact.service}
    called = {
        fact.key for fact in picture.facts if fact.signal.name.startswith(("dependency_", "status_page")) and fact.key
    }
    found = {}
    for service in sorted(named | called):
        trouble = _external(picture, service) if _is_far(picture, service) else _own(picture, service)
        if trouble is not None:
            found[service] = trouble
    return found


@lru_cache(maxsize=4)
def origins(picture: Picture) -> tuple[Origin, ...]:
    """Return the services where trouble starts, the worst first; may be empty."""
    wrong = troubles(picture)
    found = []
    for service, trouble in wrong.items():
        explained, by = explained_share(picture, service, wrong)
        if explained >= _MOST_EXPLAINED:
            continue
        found.append(
            Origin(
                service=service,
                trouble=trouble,
                explained=explained,
                explained_by=by,
                external=_is_far(picture, service),
                text=_sentence(trouble, explained, by),
            )
        )
    return tuple(sorted(found, key=lambda origin: (-origin.trouble.excess, origin.service)))


def explained_share(picture: Picture, service: str, wrong: Mapping[str, Trouble]) -> tuple[float, str]:
    """Return which share (0..1) of a service's trouble its troubled callees explain, and the callee that does most."""
    trouble = wrong.get(service)
    if trouble is None or trouble.down or trouble.restarting:
        return 0.0, ""
    best, by = 0.0, ""
    for callee in _called(picture, service):
        if callee not in wrong or callee == service:
            continue
        share = _share(picture, trouble, callee, wrong[callee])
        if share > best:
            best, by = share, callee
    return best, by


def own_errors(picture: Picture, service: str) -> list[Fact]:
    """Return the raised error groups of a service that do not tell of a troubled callee, most frequent first."""
    wrong = troubles(picture)
    callees = [name for name in _called(picture, service) if name in wrong]
    groups = [fact for fact in picture.of("error_group", service) if fact.raised]
    return [fact for fact in groups if not any(names(fact.signal.text, callee) for callee in callees)]


def felt_by(picture: Picture, target: str) -> tuple[str, ...]:
    """Return the services that see trouble with `target` in their calls, the one with most of it first."""
    seen: dict[str, float] = {}
    for name, scale in (("dependency_error_ratio", 1.0), ("dependency_latency_p95_ms", 1e-4)):
        for fact in picture.of(name, key=target):
            if fact.raised and fact.service:
                seen[fact.service] = seen.get(fact.service, 0.0) + scale * fact.excess
    ordered = sorted(seen, key=lambda service: (-seen[service], service))
    return tuple(ordered) or picture.graph.callers(target)


def _is_far(picture: Picture, service: str) -> bool:
    """Tell whether a service can be judged from outside only: an external one, or one nobody measures inside."""
    if service in picture.graph.external:
        return True
    inside = ("error_ratio", "latency_p95_ms", "up", "restarts", "error_group", "request_rate", "saturation", *_SIGNS)
    return not any(fact.service == service and fact.signal.name in inside for fact in picture.facts)


def _called(picture: Picture, service: str) -> tuple[str, ...]:
    seen = {
        fact.key
        for fact in picture.facts
        if fact.service == service and fact.signal.name.startswith("dependency_") and fact.key
    }
    return tuple(sorted({*seen, *picture.graph.callees(service)}))


def _own(picture: Picture, service: str) -> Trouble | None:
    errors, slow = picture.raised("error_ratio", service), picture.raised("latency_p95_ms", service)
    down, restarts = picture.raised("up", service), picture.raised("restarts", service)
    full = picture.raised("saturation", service)
    groups = [fact for fact in picture.of("error_group", service) if fact.raised]
    signs = [fact for name in _SIGNS if (fact := picture.raised(name, service)) is not None]
    facts = tuple(fact for fact in (errors, slow, down, restarts, full, *groups[:1], *signs[:2]) if fact is not None)
    if not facts:
        # Memory alone hurts nobody yet; beside other trouble it is more often an effect, of requests that pile up.
        facts = tuple(picture.of("memory_bytes", service)[:1]) if picture.raised("memory_bytes", service) else ()
    if not facts:
        return None
    return Trouble(
        service=service,
        errors=errors.excess if errors else 0.0,
        slow_ms=slow.excess if slow else 0.0,
        down=down is not None and down.value < 0.5,
        restarting=restarts is not None,
        saturated=full is not None,
        logged=sum(fact.value for fact in groups),
        facts=facts,
    )


def _external(picture: Picture, service: str) -> Trouble | None:
    failing = picture.raised("dependency_error_ratio", key=service)
    slow = picture.raised("dependency_latency_p95_ms", key=service)
    probe = picture.raised("dependency_up", key=service) or picture.raised("dns_ok", key=service)
    page = picture.raised("status_page", key=service)
    facts = tuple(fact for fact in (failing, slow, probe, page) if fact is not None)
    if not facts or (page is not None and len(facts) == 1 and page.signal.text not in _TROUBLED_PAGES):
        return None
    return Trouble(
        service=service,
        errors=failing.excess if failing else 0.0,
        slow_ms=slow.excess if slow else 0.0,
        down=probe is not None,
        facts=facts,
    )


def _share(picture: Picture, trouble: Trouble, callee: str, beyond: Trouble) -> float:
    service = trouble.service
    if trouble.errors > 0:
        edge = picture.raised("dependency_error_ratio", service, callee)
        failing = (
            edge.excess if edge is not None else (0.0 if _edge_measured(picture, service, callee) else beyond.errors)
        )
        return min(1.0, failing / trouble.errors)
    if trouble.slow_ms > 0:
        edge = picture.raised("dependency_latency_p95_ms", service, callee)
        waiting = (
            edge.excess if edge is not None else (0.0 if _edge_measured(picture, service, callee) else beyond.slow_ms)
        )
        return min(1.0, waiting / trouble.slow_ms)
    if trouble.logged > 0:
        groups = [fact for fact in picture.of("error_group", service) if fact.raised]
        return sum(fact.value for fact in groups if names(fact.signal.text, callee)) / trouble.logged
    return 0.0


def _edge_measured(picture: Picture, service: str, callee: str) -> bool:
    return bool(picture.of("dependency_error_ratio", service, callee))


def _sentence(trouble: Trouble, explained: float, by: str) -> str:
    said = "; ".join(compared(fact.signal) for fact in trouble.facts if fact.signal.name != "error_group")
    if not said:
        said = f"{trouble.logged:,.0f} new errors in its log" if trouble.logged else "in trouble"
    rest = f", {percent(explained)} of it explained by {by}" if by else ", nothing it calls explains it"
    return f"{trouble.service}: {said}{rest}"
