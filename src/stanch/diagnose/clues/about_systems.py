"""Clues about what services stand on: databases, caches, queues, clusters, as their own look at themselves tells."""

from typing import Final

from stanch.diagnose.clues.clue import Clue, of_fact
from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.picture import Picture


def near(picture: Picture, candidate: Candidate, *names: str) -> Fact | None:
    """Return the fact about the service itself, else about what it calls, else about nobody in particular.

    A raised one comes first; so does the earlier of `names`.
    """
    places = (candidate.service, *picture.graph.callees(candidate.service))
    found = [fact for name in names for place in places if place for fact in picture.of(name, place)]
    found += [fact for name in names for fact in picture.of(name) if not fact.service]
    return next((fact for fact in found if fact.raised), found[0] if found else None)


def _idle_in_transaction(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "idle_in_transaction"))


def _writes_refused(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = near(picture, candidate, "writes_refused")
    # What is refused is refused for want of the resource that is weighed, and not of another.
    return of_fact(fact) if fact is not None and fact.key == candidate.target else None


def _clients_refused(picture: Picture, candidate: Candidate) -> Sighting | None:
    found = [fact for fact in picture.of("clients_refused", key=candidate.target) if fact.raised]
    return of_fact(found[0]) if found else None


def _backlog(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "queue_depth"))


def _unconsumed(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "queue_unconsumed"))


def _cannot_start(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "pods_cannot_start"))


def _unschedulable(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "pods_unschedulable"))


def _stuck(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "rollout_stuck"))


def _missing(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "replicas_missing"))


def _nodes(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "nodes_in_trouble"))


def _replica_behind(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(near(picture, candidate, "replication_lag_s", "replication_broken"))


def _stalls(picture: Picture, candidate: Candidate) -> Sighting | None:
    word = next((word for word in ("memory", "disk", "CPU") if candidate.target.startswith(word)), "")
    return of_fact(near(picture, candidate, f"{word.lower()}_stalls")) if word else None


CLUES: Final = (
    Clue(
        name="idle_in_transaction",
        look=_idle_in_transaction,
        says="a transaction is open and does nothing: {text}",
        denies="no transaction is open and idle",
        test="List transactions that are open and idle",
    ),
    Clue(
        name="writes_refused",
        look=_writes_refused,
        says="what is full refuses work: {text}",
        denies="nothing is refused for want of {target}",
    ),
    Clue(
        name="clients_refused",
        look=_clients_refused,
        says="it refuses us too: {text}",
        denies="",
    ),
    Clue(
        name="queue_backlog",
        look=_backlog,
        says="messages wait: {text}",
        denies="no queue is longer than it should be",
        test="Look at how many messages wait in the queues",
    ),
    Clue(
        name="queue_unconsumed",
        look=_unconsumed,
        says="nobody takes them: {text}",
        denies="every queue with messages has consumers",
        test="Count the consumers of the queue",
    ),
    Clue(
        name="pods_cannot_start",
        look=_cannot_start,
        says="pods cannot start: {text}",
        denies="every container could be started",
        test="Look at why the pods of {service} wait",
    ),
    Clue(
        name="pods_unschedulable",
        look=_unschedulable,
        says="no node takes them: {text}",
        denies="every pod has a node",
    ),
    Clue(
        name="rollout_stuck",
        look=_stuck,
        says="its roll-out does not come forward: {text}",
        denies="no roll-out is stuck",
    ),
    Clue(
        name="replicas_missing",
        look=_missing,
        says="replicas are missing: {text}",
        denies="all replicas of {service} are ready",
    ),
    Clue(
        name="nodes_in_trouble",
        look=_nodes,
        says="a node is in trouble: {text}",
        denies="all nodes are ready",
        test="Look at the nodes of the cluster",
    ),
    Clue(
        name="replica_behind",
        look=_replica_behind,
        says="a replica is behind: {text}",
        denies="no replica is behind",
        test="Look at how far the replicas are behind",
    ),
    Clue(
        name="stalls",
        look=_stalls,
        says="work stands still for want of it: {text}",
        denies="no work stands still for want of it",
    ),
)
