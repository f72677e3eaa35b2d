"""The decision tree as configuration: questions in order, when each is answered yes, what is done then. Shipped, too.

Owns records, keys and reading. How a question is answered for an incident is `stanch.mitigate.tree`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Problem

FILE: Final = "tree.toml"
"""The file beside `stanch.toml` that may hold the tree instead of it."""

CAUSES: Final = (
    "bad_deploy",
    "bad_config",
    "flag_change",
    "migration",
    "dependency_slow",
    "dependency_down",
    "third_party_outage",
    "network",
    "certificate_expired",
    "connection_leak",
    "connection_pool_exhausted",
    "resource_exhausted",
    "traffic_spike",
    "memory_leak",
    "slow_query",
    "lock_contention",
    "missing_index",
    "crash_loop_bug",
    "data_problem",
    "queue_backlog",
    "pods_cannot_start",
    "node_failure",
    "replication_lag",
)
"""The kinds of causes; a test compares them with those that are diagnosed."""

BRANCH: Final = (
    Key(name="question", type=Type.TEXT, doc="The question, as people read it.", required=True),
    Key(name="when", type=Type.TABLE, doc="When the answer is yes, `when.kinds = [...]`.", required=True),
    Key(name="mitigations", type=Type.TEXTS, doc="What helps then, best first: words of actions.", required=True),
    Key(name="advice", type=Type.TEXT, doc="What to do by hand where no action is declared for it."),
)
WHEN: Final = (
    Key(name="kinds", type=Type.TEXTS, doc="The leading cause is of one of these kinds."),
    Key(name="score", type=Type.RATIO, doc="... and at least so likely.", low=0, high=1),
    Key(name="services", type=Type.TEXTS, doc="It is about one of these services."),
    Key(name="teams", type=Type.TEXTS, doc="... a service of one of these teams."),
    Key(name="environments", type=Type.TEXTS, doc="... a service in one of these environments."),
    Key(name="tier", type=Type.INTEGER, doc="... a service of this tier, or a more critical one.", low=1, high=4),
    Key(name="words", type=Type.TEXTS, doc="One of these words stands in a finding or in the error."),
    Key(name="signals", type=Type.TEXTS, doc="A finding holds one of these signals, e.g. `oom_killed`."),
)


@dataclass(frozen=True, kw_only=True)
class When:
    """When a question is answered yes: everything that is given must hold."""

    kinds: tuple[str, ...] = ()
    score: float = 0.5
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    tier: int | None = None
    words: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One question; when it is answered yes, these mitigations help, best first."""

    question: str
    when: When = field(default_factory=When)
    mitigations: tuple[str, ...] = ()
    advice: str = ""


SHIPPED_TREE: Final[tuple[Branch, ...]] = (
    Branch(
        question="Did a recent deploy or change cause it?",
        when=When(kinds=("bad_deploy", "bad_config", "flag_change", "migration")),
        mitigations=("rollback", "rollback_config", "flag_off", "rollback_migration", "revert"),
        advice="undo the change",
    ),
    Branch(
        question="Is a resource exhausted?",
        when=When(
            kinds=(
                "connection_leak",
                "connection_pool_exhausted",
                "memory_leak",
                "resource_exhausted",
                "traffic_spike",
                "crash_loop_bug",
                "queue_backlog",
            )
        ),
        mitigations=("restart", "scale_up", "raise_pool"),
        advice="free it or add to it",
    ),
    Branch(
        question="Is a dependency failing?",
        when=When(kinds=("dependency_slow", "dependency_down", "third_party_outage", "network")),
        mitigations=("circuit_breaker", "failover", "serve_cached"),
        advice="stop waiting for it",
    ),
    Branch(
        question="Is the database overloaded?",
        when=When(kinds=("slow_query", "lock_contention", "missing_index", "replication_lag")),
        mitigations=("kill_queries", "rollback_migration", "read_replica", "scale_up"),
        advice="take load off it",
    ),
)


def read_tree(
    top: Reader,
    problems: list[Problem],
    *,
    mitigations: Sequence[str],
    services: Sequence[str],
    teams: Sequence[str],
) -> list[dict[str, object]] | None:
    """Return the branches that are configured, None where none are, so that the shipped ones hold."""
    tables = top.tables("tree")
    if not tables:
        return None
    known = {"kinds": tuple(CAUSES), "services": tuple(services), "teams": tuple(teams)}
    found = []
    for number, table in enumerate(tables):
        branch = top.inner(table, at=f"tree.{number}", keys=BRANCH)
        when = Reader(branch.table("when"), at=f"tree.{number}.when", keys=WHEN, problems=problems)
        if not when.written - {"score"} and branch.table("when") is not None and "when" in branch.written:
            branch.complain("when", f"says nothing: give at least one of {', '.join(key.name for key in WHEN)}")
        for key, names in known.items():
            for name in when.texts(key):
                if name not in names:
                    when.complain(key, f"{name!r} is none of those there are{did_you_mean(name, names)}")
        for word in branch.texts("mitigations"):
            if word not in mitigations:
                branch.complain("mitigations", f"{word!r} is no mitigation{did_you_mean(word, mitigations)}")
        found.append({**branch.given(), "when": when.given()})
    return found
