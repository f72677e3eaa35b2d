"""Which causes are weighed at all: for each kind, what in the picture it could point at. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stanch.diagnose.kinds import Kind, Subject
from stanch.diagnose.model import Candidate
from stanch.diagnose.origin import felt_by, origins, troubles
from stanch.diagnose.phrases import Family, family_of
from stanch.diagnose.picture import Picture, is_running

_MOST_CHANGES = 12
"""Changes of one kind that are weighed, nearest to the onset first; a busy repository has hundreds of commits."""
_MOST_PLACES = 4
_POOLS = ("pool", "connection")


def candidates(kinds: Sequence[Kind], picture: Picture) -> list[tuple[Kind, Candidate]]:
    """Return every kind with each thing it could point at; rivals of one kind share its prior."""
    found: list[tuple[Kind, Candidate]] = []
    for kind in kinds:
        own = list(_FOR[kind.subject](kind, picture))
        found += [(kind, replace(candidate, rivals=max(1, len(own)))) for candidate in own]
    return found


def places(picture: Picture) -> tuple[str, ...]:
    """Return our services that a cause may lie in: where trouble starts, else whoever feels a far end, else those asked
    about."""
    ours: list[str] = []
    for origin in origins(picture):
        ours += [origin.service] if not origin.external else list(felt_by(picture, origin.service)[:1])
    return tuple(dict.fromkeys(ours or picture.services))[:_MOST_PLACES]


def _of_changes(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    fitting = [change for change in picture.changes if change.kind in kind.changes]
    # A commit or tag stands for a deploy only where nobody records deploys.
    kept = [change for change in fitting if is_running(change) or not _is_deployed(picture, change.service)]
    kept.sort(key=lambda change: (picture.after_onset(change), abs(picture.lead(change)), change.id))
    for change in kept[:_MOST_CHANGES]:
        yield Candidate(kind=kind.name, service=change.service or _first(picture), change=change)


def _of_calls(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    edges = {
        (fact.service, fact.key)
        for fact in picture.facts
        if fact.signal.name.startswith("dependency_") and fact.raised and fact.service and fact.key
    }
    looked = {
        fact.key
        for fact in picture.facts
        if fact.raised and fact.key and fact.signal.name in ("dependency_up", "dns_ok", "status_page", "tls_expires_s")
    }
    edges |= {(caller, target) for target in looked for caller in (felt_by(picture, target) or picture.services)[:1]}
    wrong = troubles(picture)
    for service, target in sorted(edges):
        # A service of ours that is in trouble itself is the cause by its own kinds, not as somebody's dependency.
        if target in wrong and not _is_far(picture, target) and kind.name != "certificate_expired":
            continue
        if kind.name == "certificate_expired" and not _tells_of_certificates(picture, service, target):
            continue
        yield Candidate(kind=kind.name, service=service, target=target)


def _of_pools(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    for fact in picture.of("saturation"):
        if _is_pool(fact.key) and fact.service and (fact.raised or fact.service in places(picture)):
            yield Candidate(kind=kind.name, service=fact.service, target=fact.key)
    told = {fact.service for fact in picture.of("saturation") if _is_pool(fact.key)}
    for place in places(picture):
        if place not in told:
            yield Candidate(kind=kind.name, service=place, target="its connection pool")


def _of_resources(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    fallback = _first(picture)
    for fact in picture.of("saturation"):
        if fact.raised and not _is_pool(fact.key):
            yield Candidate(kind=kind.name, service=fact.service or fallback, target=fact.key or "a resource")


def _of_services(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    for place in places(picture):
        yield Candidate(kind=kind.name, service=place)


def _of_signs(kind: Kind, picture: Picture) -> Iterator[Candidate]:
    """Yield a candidate for each service that a sign of the kind is raised about; the worst of each."""
    seen: set[str] = set()
    for name in kind.signs:
        for fact in picture.of(name):
            service = fact.service or _first(picture)
            if fact.raised and service not in seen:
                seen.add(service)
                yield Candidate(kind=kind.name, service=service, target=fact.key)


def _is_deployed(picture: Picture, service: str) -> bool:
    return service in picture.deployed or (not service and bool(picture.deployed))


def _tells_of_certificates(picture: Picture, service: str, target: str) -> bool:
    if picture.of("tls_expires_s", key=target):
        return True
    return any(family_of(fact.signal.text) is Family.TLS for fact in picture.of("error_group", service) if fact.raised)


def _is_pool(resource: str) -> bool:
    return any(word in resource.lower() for word in _POOLS)


def _is_far(picture: Picture, service: str) -> bool:
    found = next((origin for origin in origins(picture) if origin.service == service), None)
    return service in picture.graph.external or (found is not None and found.external)


def _first(picture: Picture) -> str:
    found = places(picture)
    return found[0] if found else ""


_FOR = {
    Subject.CHANGE: _of_changes,
    Subject.CALL: _of_calls,
    Subject.POOL: _of_pools,
    Subject.RESOURCE: _of_resources,
    Subject.SERVICE: _of_services,
    Subject.SIGN: _of_signs,
}
