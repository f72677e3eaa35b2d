"""Hand-built findings: the evidence that defines each kind of cause, and rankings of it."""

from stanch.incidents.events import HypothesesRanked
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, Signal
from tests.diagnose.scene import TYPE_ERROR, change, error, failing, finding, ranked, reading, upstream_errors

SERVICES = ("gateway", "checkout", "payments")
STEADY_LOAD = tuple(reading("request_rate", service, 20, 20) for service in SERVICES)

BUG = error(
    "payments",
    TYPE_ERROR,
    1247,
    after=-2,
    versions=["v3.2.1"],
    culprit="payments/validation.py:31 in card_of",
    files=["shoplib/server.py", "payments/service.py", "payments/validation.py"],
)
DEPLOY = change(
    ChangeKind.DEPLOY,
    "payments",
    "v3.2.1",
    40,
    previous="v3.2.0",
    commit="c0ffee2",
    paths=("payments/validation.py", "gateway/texts.py"),
    data={
        "commits": [
            {"commit": "c0ffee1", "paths": ["payments/validation.py"]},
            {"commit": "c0ffee2", "paths": ["gateway/texts.py"]},
        ]
    },
)
DOCS = change(ChangeKind.DEPLOY, "gateway", "v3.2.0+docs1", 15, previous="v3.2.0", paths=("docs/metrics.md",))
CONFIG = change(ChangeKind.CONFIG, "payments", "c42", 12, previous="c41")


def bad_deploy(*decoys: Change) -> HypothesesRanked:
    """Rank a bad release of payments, with harmless changes beside it."""
    logs = finding("f1-logs-1", BUG, *upstream_errors(["v3.2.0+docs1"]))
    return ranked([finding("f1-metrics-1", *failing()), logs], [DEPLOY, *decoys])


def slow_acquirer(*extra: Finding, changes: tuple[Change, ...] = ()) -> HypothesesRanked:
    """Rank an acquirer that became slow."""
    slow = (
        reading("latency_p95_ms", "payments", 2300, 60),
        reading("latency_p95_ms", "checkout", 2400, 90),
        reading("latency_p95_ms", "gateway", 2450, 110),
        reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
        reading("dependency_latency_p95_ms", "checkout", 2310, 62, target="payments"),
        reading("dependency_latency_p95_ms", "gateway", 2410, 92, target="checkout"),
        reading("dependency_error_ratio", "payments", 0.01, 0.001, target="acquirer"),
        reading("error_ratio", "payments", 0.01, 0.002),
    )
    return ranked([finding("f1-metrics-1", *slow, *STEADY_LOAD), *extra], changes)


def crash_loop(*changes: Change) -> HypothesesRanked:
    """Rank payments starting again and again."""
    metrics = (
        reading("restarts", "payments", 6, 0),
        reading("up", "payments", 0.4, 1),
        reading("error_ratio", "checkout", 0.6, 0.001),
        reading("error_ratio", "gateway", 0.6, 0.001),
        reading("dependency_error_ratio", "checkout", 0.6, 0.001, target="payments"),
        reading("dependency_error_ratio", "gateway", 0.6, 0.001, target="checkout"),
    )
    died = error("payments", "KeyError: 'batch'", 6, level="fatal", culprit="payments/settlement.py:27 in _run")
    return ranked([finding("f1-metrics-1", *metrics), finding("f1-logs-1", died)], changes)


def leak(**shape: float) -> HypothesesRanked:
    """Rank a pool that is full, after it filled as `shape` says."""
    pool = reading("saturation", "payments", 1.0, 0.15, resource="db_pool", **shape)
    text = "PoolTimeout: connection pool timeout: 20 of 20 connections in use, none free after 2 s"
    logs = finding("f1-logs-1", error("payments", text, 300), *upstream_errors())
    return ranked([finding("f1-metrics-1", *failing(0.3), pool), logs])


def overloaded(*, load: float) -> HypothesesRanked:
    """Rank a checkout whose workers are all busy, under this many requests a second instead of 20."""
    metrics = (
        *(reading("request_rate", service, load, 20) for service in SERVICES),
        reading("error_ratio", "checkout", 0.4, 0.001),
        reading("error_ratio", "gateway", 0.4, 0.001),
        reading("dependency_error_ratio", "gateway", 0.4, 0.001, target="checkout"),
        reading("saturation", "checkout", 1.0, 0.3, resource="worker_slots"),
    )
    turned_away = error("checkout", "HttpError: overloaded: no pricing worker free within 1 s, 2 busy", 300)
    return ranked([finding("f1-metrics-1", *metrics), finding("f1-logs-1", turned_away)])


def slow_payments(*changes: Change) -> HypothesesRanked:
    """Rank payments being slow by itself."""
    metrics = (
        reading("latency_p95_ms", "payments", 1800, 60),
        reading("latency_p95_ms", "checkout", 1900, 90),
        reading("dependency_latency_p95_ms", "checkout", 1810, 62, target="payments"),
        reading("dependency_latency_p95_ms", "payments", 47, 46, target="acquirer"),
    )
    return ranked([finding("f1-metrics-1", *metrics, *STEADY_LOAD)], changes)


def unreachable_acquirer(text: str, *extra: Signal) -> HypothesesRanked:
    """Rank payments failing because nearly all calls to the acquirer do."""
    calls = [signal for signal in failing(0.95) if signal.data.get("target") != "acquirer"]
    edge = reading("dependency_error_ratio", "payments", 0.95, 0.001, target="acquirer")
    logs = finding("f1-logs-1", error("payments", text, 500))
    return ranked([finding("f1-metrics-1", *calls, edge), logs, finding("f1-dependencies-1", *extra)])


REFUSED = "UpstreamError: acquirer refused the connection at 192.0.2.1:443"

RIGHT = {
    "bad_deploy": bad_deploy(),
    "dependency_slow": slow_acquirer(),
    "connection_leak": leak(rise_s=85, after=-90),
    "connection_pool_exhausted": ranked(
        [
            finding(
                "f1-metrics-1",
                *(signal for signal in failing(0.3) if signal.name != "request_rate"),
                reading("request_rate", "payments", 60, 20),
                reading("saturation", "payments", 1.0, 0.15, resource="db_pool", rise_s=2, after=0),
                reading("long_queries", "payments", 18, 0),
            ),
            finding("f1-logs-1", error("payments", "TimeoutError: QueuePool limit of size 20 reached", 300)),
        ]
    ),
    "bad_config": crash_loop(CONFIG),
    "crash_loop_bug": crash_loop(),
    "flag_change": slow_payments(change(ChangeKind.FLAG, "payments", "receipt_preview", 20, previous="off")),
    "migration": slow_payments(
        change(ChangeKind.MIGRATION, "payments", "0003", 60, previous="0002", diff="DROP INDEX payments_by_card;")
    ),
    "traffic_spike": overloaded(load=80),
    "resource_exhausted": overloaded(load=20),
    "dependency_down": unreachable_acquirer(REFUSED, reading("dependency_up", "", 0, target="acquirer")),
    "third_party_outage": slow_acquirer(
        finding("f1-dependencies-1", Signal(name="status_page", text="critical", data={"target": "acquirer"})),
        finding("f1-dependencies-2", reading("dependency_up", "", 0, target="acquirer")),
        finding("f1-metrics-2", reading("dependency_error_ratio", "payments", 0.6, 0.001, target="acquirer")),
    ),
    "certificate_expired": unreachable_acquirer(
        "SSLError: certificate verify failed: certificate has expired",
        reading("tls_expires_s", "", -3600, target="acquirer"),
    ),
    "network": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("error_ratio", "checkout", 0.5, 0.001),
                reading("dependency_error_ratio", "checkout", 0.5, 0.001, target="payments"),
                reading("error_ratio", "payments", 0.002, 0.002),
                reading("latency_p95_ms", "payments", 60, 60),
            ),
            finding("f1-logs-1", error("checkout", "the connection to payments broke during POST /payments", 400)),
        ]
    ),
    "memory_leak": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("memory_bytes", "checkout", 900e6, 200e6, trend="gradual increase"),
                reading("latency_p95_ms", "checkout", 900, 90),
                *STEADY_LOAD,
            ),
            finding("f1-logs-1", error("checkout", "MemoryError: out of memory", 12)),
        ]
    ),
    "slow_query": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 5200, 60),
                reading("long_queries", "payments", 14, 0),
                reading("dependency_latency_p95_ms", "payments", 47, 46, target="acquirer"),
            ),
            finding("f1-logs-1", error("payments", "QueryCanceled: canceling statement due to statement timeout", 90)),
        ]
    ),
    "lock_contention": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 5200, 60),
                reading("locks_waiting", "payments", 25, 0),
            ),
            finding("f1-logs-1", error("payments", "OperationalError: database is locked", 90)),
        ]
    ),
    "missing_index": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 2200, 60, trend="gradual increase"),
                reading("sequential_scans", "payments", 4000, 10),
                reading("long_queries", "payments", 5, 0),
            ),
        ],
        [
            change(ChangeKind.INFRASTRUCTURE, "mailer", "disk", 7200),
        ],
    ),
    "data_problem": ranked(
        [
            finding("f1-metrics-1", *failing(0.1), reading("restarts", "payments", 0, 0)),
            finding(
                "f1-logs-1", error("payments", "JSONDecodeError: unexpected token in feed", 200), *upstream_errors()
            ),
        ],
        [change(ChangeKind.TRAFFIC, "mailer", "campaign", 7200)],
    ),
    "queue_backlog": ranked(
        [
            finding(
                "f1-rabbitmq-1",
                reading("queue_depth", "payments", 41_000, resource="queue of settlements", raised=True),
                reading("queue_unconsumed", "payments", 41_000, resource="queue of settlements", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "pods_cannot_start": ranked(
        [
            finding(
                "f1-kubernetes-1",
                reading("pods_cannot_start", "payments", 2, resource="payments-7d9f-x", raised=True),
                reading("replicas_missing", "payments", 2, resource="payments", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "node_failure": ranked(
        [
            finding(
                "f1-kubernetes-1",
                reading("nodes_in_trouble", "payments", 1, resource="worker-3", raised=True),
                reading("replicas_missing", "payments", 2, resource="payments", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "replication_lag": ranked(
        [
            finding(
                "f1-postgresql-1",
                reading("replication_lag_s", "payments", 900, resource="orders-db", raised=True),
                reading("long_queries", "payments", 0, 0, raised=False),
            ),
            finding("f1-metrics-1", *failing(0.1), reading("restarts", "payments", 0, 0)),
            finding("f1-logs-1", *upstream_errors()),
        ]
    ),
}
