"""The kinds of causes, as data: how common each is, what speaks for and against it, the next test, what would help.

A prior is the log-odds of a kind among production incidents before anything is known. Surveys agree on the rough
order and on nothing finer: changes to what runs come first (Google's SRE book puts some 70 % of outages down to
changes in a live system, https://sre.google/sre-book/introduction/), then dependencies and capacity, then the rest.
A weight is a pair of likelihood ratios: P(clue | kind) / P(clue | another cause) when the clue holds, and the same
for its absence. They are judgement, each with its reason, and are calibrated by the drills; `rank.SHARE` allows for
clues of one incident not being independent.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stanch.ports.changes import ChangeKind


class Subject(StrEnum):
    """What a kind blames, and so which candidates are weighed for it."""

    CHANGE = "change"
    CALL = "call"
    POOL = "pool"
    RESOURCE = "resource"
    SERVICE = "service"
    SIGN = "sign"


@dataclass(frozen=True, kw_only=True)
class Weight:
    """How much a clue says about a kind: likelihood ratios when it holds and when it was looked for in vain."""

    clue: str
    holds: float
    absent: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of cause. `title`, `next_test` and `next_command` are filled with the candidate's words.

    `signs` are the signals without which a kind of the subject `sign` is not thought of at all.
    """

    name: str
    subject: Subject
    title: str
    prior: float
    weights: tuple[Weight, ...]
    next_test: str
    next_command: str
    mitigations: tuple[str, ...]
    changes: tuple[ChangeKind, ...] = ()
    signs: tuple[str, ...] = ()


MITIGATIONS: Final = (
    "rollback",
    "rollback_config",
    "rollback_migration",
    "flag_off",
    "restart",
    "scale_up",
    "circuit_breaker",
    "kill_queries",
    "read_replica",
    "failover",
    "revert",
    "investigate",
)
"""The words a kind may suggest, as the decision tree and the catalog's actions use them."""


def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)). Worked value: 0.3 gives -0.847."""
    return math.log(probability / (1 - probability))


def _w(clue: str, holds: float, absent: float, why: str) -> Weight:
    return Weight(clue=clue, holds=holds, absent=absent, why=why)


_PLACE: Final = (
    _w("moved_first", 3.0, 0.5, "a cause precedes its effects; looks some seconds apart blur the order"),
    _w("stands_out", 2.5, 0.6, "ranked by their series alone, the culprit comes first in nine cases of ten"),
)
_TIMING: Final = (
    *_PLACE,
    _w("change_just_before", 15.0, 0.01, "a cause precedes its effect, and few changes fall into the same two minutes"),
    _w("change_at_origin", 8.0, 0.03, "what was changed is what breaks; elsewhere only through the path of calls"),
    _w("superseded", 0.3, 1.0, "what no longer runs can hardly cause it"),
)
_CODE: Final = (
    _w("errors_new_since_change", 8.0, 0.15, "new code makes new errors; an error that was there before is not new"),
    _w("errors_only_in_version", 4.0, 0.1, "the old version, beside it or before it, does not have the error"),
    _w("trace_in_change", 25.0, 0.4, "a trace rarely ends in a file of the change by chance: few files are touched"),
    _w("change_touches_no_code", 0.001, 1.0, "documentation and tests are not run"),
)
_MINOR: Final = _w("minor_trouble", 0.05, 1.0, "under load every call takes longer; what hurts most lies elsewhere")
_UNSEEN: Final = _w("target_not_looked_into", 0.005, 1.0, "a service of ours is down for a reason of its own")
_NO_CHANGE: Final = _w("no_change_near", 1.6, 0.5, "without a change the cause lies in load, data or what is called")

KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        name="bad_deploy",
        subject=Subject.CHANGE,
        changes=(ChangeKind.DEPLOY, ChangeKind.COMMIT, ChangeKind.TAG),
        title="Bad deploy: {change}",
        prior=log_odds(0.30),
        weights=(
            *_TIMING,
            *_CODE,
            _w("not_known_to_run", 0.3, 1.0, "a commit or tag alone changes nothing that runs"),
            _w("restarting", 1.5, 1.0, "a release that cannot start is one way to be bad"),
            _w("rollout_stuck", 6.0, 1.0, "new pods do not become ready: the release is what is new in them"),
            _w("memory_grows", 3.0, 1.0, "a leak that begins with a release came with it"),
        ),
        next_test="Compare the failing code with the release before",
        next_command="git diff {previous}..{version} -- {culprit_file}",
        mitigations=("rollback", "investigate"),
    ),
    Kind(
        name="bad_config",
        subject=Subject.CHANGE,
        changes=(ChangeKind.CONFIG,),
        title="Bad configuration: {change}",
        prior=log_odds(0.10),
        weights=(
            *_TIMING,
            _w("errors_new_since_change", 8.0, 0.15, "a wrong value makes errors that were never seen"),
            _w("restarting", 4.0, 0.8, "configuration is read at the start: a wrong value often ends the process"),
            _w("dies_of", 2.5, 1.0, "it stops over something it did not stop over before"),
        ),
        next_test="Compare the configuration with the revision before",
        next_command="git diff {previous}..{version}",
        mitigations=("rollback_config", "rollback", "investigate"),
    ),
    Kind(
        name="flag_change",
        subject=Subject.CHANGE,
        changes=(ChangeKind.FLAG,),
        title="Bad feature flag: {change}",
        prior=log_odds(0.05),
        weights=(
            *_TIMING,
            _w("errors_new_since_change", 8.0, 0.3, "the code behind a flag runs for the first time"),
            _w("memory_grows", 6.0, 1.0, "and may keep what it makes"),
        ),
        next_test="Turn the flag off for one instance and compare",
        next_command="",
        mitigations=("flag_off", "investigate"),
    ),
    Kind(
        name="migration",
        subject=Subject.CHANGE,
        changes=(ChangeKind.MIGRATION,),
        title="Schema migration: {change}",
        prior=log_odds(0.04),
        weights=(
            *_TIMING,
            _w("slow_by_itself", 4.0, 0.4, "a lost index or a lock shows as time spent inside the service"),
            _w("drops_index", 5.0, 0.8, "without its index a query reads the whole table"),
            _w("lock_errors", 4.0, 0.9, "a migration locks what it alters"),
            _w("query_errors", 3.0, 0.9, "plans change with the schema"),
            _w("errors_new_since_change", 3.0, 0.7, "code that does not fit the schema fails in a new way"),
        ),
        next_test="Explain the slowest query on the table that the migration altered",
        next_command="{repeat}",
        mitigations=("rollback_migration", "kill_queries", "investigate"),
    ),
    Kind(
        name="dependency_slow",
        subject=Subject.CALL,
        title="{target} is slow for {service}",
        prior=log_odds(0.07),
        weights=(
            *_PLACE,
            _MINOR,
            _UNSEEN,
            _w("call_slow", 20.0, 0.05, "it is what the kind means"),
            _w("call_explains", 6.0, 0.3, "the time is spent waiting for it, not here"),
            _w("target_down", 0.4, 1.3, "slow is not away"),
            _w("target_says_so", 2.0, 0.9, "status pages come late and are seldom wrong when they admit it"),
            _w("calls_time_out", 2.5, 0.8, "slowness ends in time-outs"),
            _w("calls_refused", 0.3, 1.0, "a refused connection is quick"),
            _w("call_failing", 1.2, 1.2, "slow calls may or may not fail"),
            _w("target_healthy_inside", 0.3, 1.2, "then the way there is slow, not the target"),
            _NO_CHANGE,
        ),
        next_test="Time {target} from where {service} runs",
        next_command="{repeat}",
        mitigations=("circuit_breaker", "failover", "investigate"),
    ),
    Kind(
        name="dependency_down",
        subject=Subject.CALL,
        title="{target} is down for {service}",
        prior=log_odds(0.07),
        weights=(
            *_PLACE,
            _MINOR,
            _UNSEEN,
            _w("call_failing", 12.0, 0.05, "it is what the kind means"),
            _w("call_explains", 6.0, 0.3, "the failures are those of the calls"),
            _w("target_down", 12.0, 0.25, "an independent look from here agrees"),
            _w("calls_refused", 5.0, 0.8, "nobody listens there"),
            _w("errors_name_target", 2.5, 0.6, "the errors say whom they were about"),
            _w("target_says_so", 2.0, 0.9, "status pages come late"),
            _w("call_slow", 0.7, 1.3, "a far end that is gone fails fast, unless packets vanish"),
            _w("target_healthy_inside", 0.1, 1.3, "then it is not down"),
            _NO_CHANGE,
        ),
        next_test="Ask {target} for its health from where {service} runs",
        next_command="{repeat}",
        mitigations=("circuit_breaker", "failover", "investigate"),
    ),
    Kind(
        name="third_party_outage",
        subject=Subject.CALL,
        title="Outage at {target}, which {service} needs",
        prior=log_odds(0.04),
        weights=(
            *_PLACE,
            _MINOR,
            _UNSEEN,
            _w("target_says_so", 25.0, 0.35, "they say so themselves; but often late"),
            _w("target_external", 1.5, 0.01, "third party means somebody else's"),
            _w("call_failing", 4.0, 0.5, "we notice it by failing calls"),
            _w("call_slow", 2.0, 0.9, "or by slow ones"),
            _w("call_explains", 5.0, 0.3, "and they account for our trouble"),
            _w("target_down", 4.0, 0.5, "an independent look from here agrees"),
            _NO_CHANGE,
        ),
        next_test="Read the status page of {target}",
        next_command="{repeat}",
        mitigations=("circuit_breaker", "failover", "investigate"),
    ),
    Kind(
        name="network",
        subject=Subject.CALL,
        title="The network between {service} and {target}",
        prior=log_odds(0.03),
        weights=(
            *_PLACE,
            _MINOR,
            _UNSEEN,
            _w("target_healthy_inside", 15.0, 0.08, "one side sees trouble, the other does not: it is between them"),
            _w("calls_break", 5.0, 0.6, "resets and names that do not resolve are the network's words"),
            _w("call_explains", 1.5, 0.8, "the failures are those of the calls"),
            _w("target_down", 2.0, 0.6, "it cannot be reached from here either"),
            _w("target_external", 0.4, 1.3, "an outage at the far end looks the same from here and is commoner"),
            _NO_CHANGE,
        ),
        next_test="Trace the way from {service} to {target}",
        next_command="mtr --report --report-cycles 20 {target}",
        mitigations=("failover", "investigate"),
    ),
    Kind(
        name="certificate_expired",
        subject=Subject.CALL,
        title="The certificate of {target} has expired",
        prior=log_odds(0.02),
        weights=(
            *_PLACE,
            _MINOR,
            _w("tls_expired", 500.0, 0.01, "an expired certificate is refused by every correct client"),
            _w("tls_errors", 60.0, 0.2, "the errors say so"),
            _w("call_failing", 1.5, 0.3, "every new connection fails"),
        ),
        next_test="Look at when the certificate of {target} expires",
        next_command="openssl s_client -connect {target}:443 </dev/null | openssl x509 -noout -dates",
        mitigations=("failover", "circuit_breaker", "investigate"),
    ),
    Kind(
        name="connection_leak",
        subject=Subject.POOL,
        title="{service} leaks {pool}",
        prior=log_odds(0.04),
        weights=(
            *_PLACE,
            _w("resource_full", 6.0, 0.1, "a leak ends with the pool full"),
            _w("clients_refused", 6.0, 1.0, "nobody gets in any more, whatever the load"),
            _w("filled_gradually", 6.0, 0.2, "each lost connection adds one; a burst fills the pool at once"),
            _w("filled_before_errors", 3.0, 0.7, "nothing fails until the last one is lost"),
            _w("pool_errors", 5.0, 0.4, "then every request waits in vain"),
            _w("load_raised", 0.3, 1.6, "the load does not explain it"),
            _w("calls_slow", 0.6, 1.2, "nor does slowness below"),
            _w("long_queries", 0.5, 1.1, "nor do queries that hold on to theirs"),
            _NO_CHANGE,
        ),
        next_test="Is the pool still full when the traffic falls? Then the connections are lost, not busy",
        next_command="{repeat}",
        mitigations=("restart", "scale_up", "investigate"),
    ),
    Kind(
        name="connection_pool_exhausted",
        subject=Subject.POOL,
        title="{service} runs out of {pool}",
        prior=log_odds(0.05),
        weights=(
            *_PLACE,
            _w("resource_full", 6.0, 0.1, "it is what the kind means"),
            _w("pool_errors", 6.0, 0.4, "requests wait for a connection in vain"),
            _w("clients_refused", 10.0, 1.0, "who asks for one from here is turned away as well"),
            _w("filled_gradually", 0.5, 1.6, "load and slow queries fill a pool at one stroke"),
            _w("load_raised", 3.0, 0.6, "more requests need more connections"),
            _w("calls_slow", 1.5, 0.9, "connections are held while something else is awaited"),
            _w("long_queries", 3.0, 0.8, "slow queries hold on to theirs"),
            _NO_CHANGE,
        ),
        next_test="Who holds the connections, and how long?",
        next_command="{repeat}",
        mitigations=("scale_up", "kill_queries", "restart", "investigate"),
    ),
    Kind(
        name="resource_exhausted",
        subject=Subject.RESOURCE,
        title="{service} runs out of {target}",
        prior=log_odds(0.07),
        weights=(
            *_PLACE,
            _w("resource_full", 12.0, 0.05, "it is what the kind means"),
            _w("exhaustion_errors", 6.0, 0.6, "the errors say what ran out"),
            _w("fills_by_waiting", 0.04, 1.3, "then the waiting is the symptom, and what is waited for the cause"),
            _w("writes_refused", 10.0, 0.8, "what is full says so itself"),
            _w("stalls", 3.0, 0.7, "the kernel counts the time that work stands still for want of it"),
            _w("is_origin", 2.0, 0.3, "what waits for a slow callee fills up too, as an effect"),
            _w("load_raised", 0.3, 1.2, "if load rose, the load is the cause"),
            _NO_CHANGE,
        ),
        next_test="Who uses {target} on the machine of {service}?",
        next_command="{repeat}",
        mitigations=("scale_up", "restart", "investigate"),
    ),
    Kind(
        name="traffic_spike",
        subject=Subject.SERVICE,
        title="More traffic than {service} can take",
        prior=log_odds(0.06),
        weights=(
            *_PLACE,
            _w("load_raised", 15.0, 0.03, "it is what the kind means"),
            _w("anything_full", 4.0, 0.6, "load hurts where something fills up"),
            _w("overload_errors", 4.0, 0.8, "people are turned away"),
            _w("is_origin", 2.0, 0.5, "it hurts where the narrow place is"),
            _NO_CHANGE,
        ),
        next_test="Compare the traffic with the same time yesterday, by route and by client",
        next_command="{repeat}",
        mitigations=("scale_up", "circuit_breaker", "investigate"),
    ),
    Kind(
        name="memory_leak",
        subject=Subject.SERVICE,
        title="{service} leaks memory",
        prior=log_odds(0.03),
        weights=(
            *_PLACE,
            _w("memory_grows", 15.0, 0.05, "it is what the kind means"),
            _w("out_of_memory", 8.0, 0.7, "it ends there"),
            _w("restarting", 1.5, 0.9, "the kernel or a limit ends the process, and it begins anew"),
            _w("load_raised", 0.5, 1.4, "more requests at once need more memory too"),
            _w("is_origin", 2.0, 0.3, "a leak hurts the service that leaks"),
            _w("no_change_near", 1.6, 0.15, "a leak that begins right after a change came with the change"),
        ),
        next_test="Is memory still high right after the traffic falls?",
        next_command="{repeat}",
        mitigations=("restart", "scale_up", "investigate"),
    ),
    Kind(
        name="slow_query",
        subject=Subject.SERVICE,
        title="A slow query of {service}",
        prior=log_odds(0.04),
        weights=(
            *_PLACE,
            _w("long_queries", 12.0, 0.2, "it is what the kind means"),
            _w("query_errors", 8.0, 0.8, "queries run into their limit"),
            _w("slow_by_itself", 3.0, 0.2, "the time is spent here, not in a called service"),
            _w("sequential_scans", 0.6, 1.2, "then what is missing is an index"),
            _w("latency_creeps", 1.5, 0.9, "tables grow slowly"),
            _NO_CHANGE,
        ),
        next_test="List the longest running queries",
        next_command='psql -c "SELECT pid, now() - query_start AS runs, left(query, 80) FROM pg_stat_activity'
        " WHERE state <> 'idle' ORDER BY 2 DESC LIMIT 10\"",
        mitigations=("kill_queries", "read_replica", "investigate"),
    ),
    Kind(
        name="lock_contention",
        subject=Subject.SERVICE,
        title="{service} waits for locks",
        prior=log_odds(0.03),
        weights=(
            *_PLACE,
            _w("locks_waiting", 20.0, 0.1, "it is what the kind means"),
            _w("lock_errors", 12.0, 0.6, "the errors say so"),
            _w("idle_in_transaction", 3.0, 0.9, "what is open and idle keeps its locks"),
            _w("slow_by_itself", 2.0, 0.4, "the wait happens inside"),
            _NO_CHANGE,
        ),
        next_test="Show who blocks whom",
        next_command='psql -c "SELECT pid, pg_blocking_pids(pid), left(query, 80) FROM pg_stat_activity'
        ' WHERE cardinality(pg_blocking_pids(pid)) > 0"',
        mitigations=("kill_queries", "investigate"),
    ),
    Kind(
        name="missing_index",
        subject=Subject.SERVICE,
        title="A query of {service} lacks an index",
        prior=log_odds(0.02),
        weights=(
            *_PLACE,
            _w("sequential_scans", 20.0, 0.2, "it is what the kind means"),
            _w("drops_index", 6.0, 0.8, "somebody took it away"),
            _w("slow_by_itself", 3.0, 0.2, "the time is spent here, not in a called service"),
            _w("long_queries", 3.0, 0.5, "such queries run long"),
            _w("latency_creeps", 2.0, 0.8, "it grows with the table"),
        ),
        next_test="Explain the slowest query: does it scan a whole table?",
        next_command='psql -c "SELECT relname, seq_scan FROM pg_stat_user_tables ORDER BY seq_tup_read DESC LIMIT 5"',
        mitigations=("rollback_migration", "kill_queries", "read_replica", "investigate"),
    ),
    Kind(
        name="crash_loop_bug",
        subject=Subject.SERVICE,
        title="{service} crashes again and again by a bug of its own",
        prior=log_odds(0.04),
        weights=(
            *_PLACE,
            _w("restarting", 20.0, 0.02, "it is what the kind means"),
            _w("dies_of", 3.0, 1.0, "it leaves word of what it died of"),
            _w("code_errors", 2.0, 0.8, "and that is a programming error"),
            _w("replicas_missing", 1.5, 0.8, "while one starts again the others are fewer"),
            _w("no_change_near", 2.5, 0.12, "with a change shortly before, the change is the cause"),
            _w("out_of_memory", 0.3, 1.1, "a process that runs out of memory has another disease"),
            _w("anything_full", 0.5, 1.1, "so has one that fills up"),
            _w("pool_errors", 0.3, 1.1, "or that waits for a connection in vain"),
        ),
        next_test="Read the last lines of {service} before it stops",
        next_command="{repeat}",
        mitigations=("restart", "investigate"),
    ),
    Kind(
        name="data_problem",
        subject=Subject.SERVICE,
        title="Data that {service} cannot handle",
        prior=log_odds(0.04),
        weights=(
            *_PLACE,
            _w("data_errors", 6.0, 0.2, "it stumbles over what it reads"),
            _w("no_change_near", 1.8, 0.15, "the code is as before, so its input is not"),
            _w("is_origin", 2.0, 0.2, "it starts here"),
            _w("restarting", 0.5, 1.1, "one bad record seldom ends a process"),
        ),
        next_test="Look at one failing request of {service} beside one that works",
        next_command="{repeat}",
        mitigations=("investigate",),
    ),
    Kind(
        name="queue_backlog",
        subject=Subject.SIGN,
        signs=("queue_depth", "queue_unconsumed"),
        title="Messages pile up in {target} of {service}",
        prior=log_odds(0.03),
        weights=(
            _w("queue_backlog", 12.0, 0.1, "it is what the kind means"),
            _w("queue_unconsumed", 12.0, 0.5, "without consumers every queue grows"),
            _w("load_raised", 1.5, 0.9, "or more comes in than they can take"),
            _NO_CHANGE,
        ),
        next_test="Do the consumers fail, are they slow, or are they away?",
        next_command="{repeat}",
        mitigations=("restart", "scale_up", "investigate"),
    ),
    Kind(
        name="pods_cannot_start",
        subject=Subject.SIGN,
        signs=("pods_cannot_start", "pods_unschedulable"),
        title="Pods of {service} cannot start",
        prior=log_odds(0.04),
        weights=(
            _w("pods_cannot_start", 15.0, 0.3, "an image or a configuration that is not there stops them for good"),
            _w("pods_unschedulable", 12.0, 0.5, "a cluster without room stops them too"),
            _w("replicas_missing", 2.0, 0.5, "the service is short of those that do not start"),
        ),
        next_test="What do the waiting pods of {service} wait for?",
        next_command="{repeat}",
        mitigations=("rollback", "rollback_config", "scale_up", "investigate"),
    ),
    Kind(
        name="node_failure",
        subject=Subject.SIGN,
        signs=("nodes_in_trouble",),
        title="A node that {service} runs on is in trouble",
        prior=log_odds(0.02),
        weights=(
            _w("nodes_in_trouble", 10.0, 0.1, "it is what the kind means"),
            _w("replicas_missing", 3.0, 0.5, "what ran there is missing"),
            _NO_CHANGE,
        ),
        next_test="Which pods run on the node, and is it reachable?",
        next_command="{repeat}",
        mitigations=("failover", "scale_up", "investigate"),
    ),
    Kind(
        name="replication_lag",
        subject=Subject.SIGN,
        signs=("replication_lag_s", "replication_broken"),
        title="Replicas that {service} reads from are behind",
        prior=log_odds(0.02),
        weights=(
            _w("replica_behind", 8.0, 0.1, "it is what the kind means"),
            _w("data_errors", 2.0, 0.9, "what was just written is not found"),
            _w("long_queries", 1.5, 0.9, "queries on a replica hold the replay back"),
            _NO_CHANGE,
        ),
        next_test="What holds the replay back: the network, the disk, or a query?",
        next_command="{repeat}",
        mitigations=("failover", "kill_queries", "investigate"),
    ),
)


def kind_named(name: str) -> Kind:
    """Return the kind `name`; raises KeyError when there is none."""
    return {kind.name: kind for kind in KINDS}[name]
