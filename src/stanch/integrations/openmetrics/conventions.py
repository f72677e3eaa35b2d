"""How requests, errors, durations and pools are usually named and labelled. Owns the words; no arithmetic.

Sources: the RED method's naming in https://prometheus.io/docs/practices/naming/, the semantic conventions of
OpenTelemetry (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/) as Prometheus shows them, Micrometer,
and the gRPC libraries.
"""

import re
from collections.abc import Mapping
from typing import Final

STATUS_LABELS: Final = (
    "status",
    "code",
    "status_code",
    "http_status",
    "http_status_code",
    "http_response_status_code",
    "grpc_code",
    "outcome",
)
TARGET_LABELS: Final = ("target", "peer", "peer_service", "upstream", "destination", "server_address", "host")
_CERTAIN_TARGETS: Final = ("target", "peer", "peer_service", "upstream", "destination")
_ROUTE_LABELS: Final = ("route", "http_route", "path", "handler", "endpoint", "uri", "url")
VERSION_LABELS: Final = ("version", "release", "revision")

# Requests that monitoring itself makes: they are many, fast, and never fail.
_OWN_ROUTES: Final = frozenset(
    {
        "/metrics",
        "/health",
        "/healthz",
        "/health/live",
        "/health/ready",
        "/livez",
        "/live",
        "/readyz",
        "/ready",
        "/ping",
        "/-/healthy",
        "/-/ready",
        "/actuator/health",
        "/actuator/prometheus",
    }
)
# The page's own library counts who reads the page.
_OTHERS: Final = re.compile(r"promhttp_|prometheus_|scrape_")
_COUNTER: Final = re.compile(r"(?:.*_)?(?:requests|handled)_total")
_DURATION: Final = re.compile(
    r"(?:.*_)?(?:requests?|response|handling)(?:_duration|_latency|_time)?_(seconds|milliseconds|ms)_(bucket|count)"
)
_CLIENT: Final = re.compile(r"(?:^|_)(?:client|upstream|outgoing|outbound)(?:_|$)")
_BUILD_INFO: Final = re.compile(r"(?:.*_)?build_info")
_LIBRARY_BUILD_INFO: Final = re.compile(r"(?:go|python|prometheus|grafana|alertmanager|node_exporter)_build_info")
_USED: Final = re.compile(r"(.+)_(?:in_use|used|active|busy)(_bytes)?")
_LIMIT: Final = re.compile(r"(.+)_(?:max|size|limit|capacity)(_bytes)?")
_FAILED: Final = re.compile(
    r"error|fail|timeout|timed|refused|exception|unavailable|internal|abort|reset", re.IGNORECASE
)
_FAILED_GRPC: Final = frozenset({"Unknown", "DeadlineExceeded", "DataLoss", "ResourceExhausted", "Unimplemented"})

PROCESS_START: Final = "process_start_time_seconds"
RESIDENT_MEMORY: Final = "process_resident_memory_bytes"
MEMORY_LIMITS: Final = (
    "process_memory_limit_bytes",
    "container_memory_limit_bytes",
    "container_spec_memory_limit_bytes",
)

# What an application calls its requests most often comes first; between others the busiest is taken.
PREFERRED: Final = (
    "http_requests_total",
    "http_server_requests_total",
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_server_requests_seconds",
)


def is_wanted(name: str) -> bool:
    """Tell whether a series of this name is read at all."""
    if _OTHERS.match(name):
        return False
    return bool(
        name in (PROCESS_START, RESIDENT_MEMORY, *MEMORY_LIMITS)
        or is_counter(name)
        or duration_of(name)
        or is_build_info(name)
        or used_stem(name)
        or limit_stem(name)
    )


def is_counter(name: str) -> bool:
    """Tell whether the name is that of a counter of requests."""
    return _COUNTER.fullmatch(name) is not None


def duration_of(name: str) -> tuple[str, str, float] | None:
    """Return family, part (`bucket` or `count`) and milliseconds per unit of a histogram of request durations."""
    found = _DURATION.fullmatch(name)
    if found is None:
        return None
    return name.rsplit("_", 1)[0], found.group(2), 1000.0 if found.group(1) == "seconds" else 1.0


def is_client(name: str, labels: Mapping[str, str]) -> bool:
    """Tell whether a series is about calls to another service."""
    return _CLIENT.search(name) is not None or any(label in labels for label in _CERTAIN_TARGETS)


def target_of(labels: Mapping[str, str]) -> str:
    """Return the service that is called, empty where the labels do not say."""
    return next((labels[label] for label in TARGET_LABELS if labels.get(label)), "")


def status_of(labels: Mapping[str, str]) -> str | None:
    """Return how requests of this series ended, None where the labels do not say."""
    return next((labels[label] for label in STATUS_LABELS if label in labels), None)


def is_outcome(label: str) -> bool:
    """Tell whether a label says how a request ended, or which bucket it fell into: it tells no kinds apart."""
    return label in STATUS_LABELS or label in ("le", "quantile", "exception", "error", "error_type")


def is_failure(status: str) -> bool:
    """Tell whether a status is the server's failure: 5xx, `5xx`, gRPC's, or a word such as `timeout` or `error`.

    What the client did wrong (4xx, InvalidArgument) is none.
    """
    if status[:1].isdigit():
        return status.startswith("5") and len(status) == 3
    return status in _FAILED_GRPC or ("CLIENT" not in status and _FAILED.search(status) is not None)


def is_own_traffic(labels: Mapping[str, str]) -> bool:
    """Tell whether a series counts the requests of monitoring itself."""
    return any(labels.get(label) in _OWN_ROUTES for label in _ROUTE_LABELS)


def is_build_info(name: str) -> bool:
    """Tell whether the name says which release runs; libraries' own are left out."""
    return _BUILD_INFO.fullmatch(name) is not None and _LIBRARY_BUILD_INFO.fullmatch(name) is None


def used_stem(name: str) -> str:
    """Return what a gauge of something in use is about, e.g. `db_pool_connections`, empty for other names."""
    found = _USED.fullmatch(name)
    return found.group(1) if found else ""


def limit_stem(name: str) -> str:
    """Return what a gauge of a limit is about, empty for other names."""
    found = _LIMIT.fullmatch(name)
    return found.group(1) if found else ""


def resource_of(stem: str) -> str:
    """Return the resource to show: `db_pool_connections` is `db_pool`."""
    return stem.removesuffix("_connections") or stem
