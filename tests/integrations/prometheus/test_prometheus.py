"""A real Prometheus that scrapes a page whose figures a test moves: ranges, normals, services by their labels."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.prometheus import PrometheusSource
from stanch.ports.evidence import Finding, FindingStatus, Question
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import collect
from tests.support.metrics import dated
from tests.support.needs import require
from tests.support.servers import free_port, listens, running, until

CONFIG = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: payments
    static_configs: [{{targets: ["127.0.0.1:{page}"]}}]
"""
PAGE = """\
# TYPE http_requests_total counter
http_requests_total{{status="200"}} {served}
http_requests_total{{status="500"}} {failed}
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{{le="0.1"}} {served}
http_request_duration_seconds_bucket{{le="1.0"}} {served}
http_request_duration_seconds_bucket{{le="+Inf"}} {served}
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.2e8
process_open_fds 900
process_max_fds 1000
python_info{{version="3.11"}} 1
python_gc_collections_total{{generation="2"}} 4
node_filesystem_avail_bytes{{mountpoint="/data",fstype="ext4"}} 2
node_filesystem_size_bytes{{mountpoint="/data",fstype="ext4"}} 100
node_memory_MemAvailable_bytes 50
node_memory_MemTotal_bytes 100
node_cpu_seconds_total{{mode="idle",cpu="0"}} {served}
node_filefd_allocated 10
node_filefd_maximum 1000
kube_pod_container_status_restarts_total{{namespace="shop",pod="payments-7d9f-x",container="payments"}} {failed}
kube_deployment_status_replicas_unavailable{{namespace="shop",deployment="payments"}} 2
container_memory_working_set_bytes{{namespace="shop",pod="payments-7d9f-x",container="payments"}} 97
container_spec_memory_limit_bytes{{namespace="shop",pod="payments-7d9f-x",container="payments"}} 100
pg_stat_activity_count{{state="active"}} 95
pg_settings_max_connections 100
redis_memory_used_bytes 99
redis_memory_max_bytes 100
redis_connected_clients 5
redis_config_maxclients 10000
nginx_http_requests_total {served}
nginx_connections_active 4
jvm_memory_used_bytes{{area="heap",id="old"}} 96
jvm_memory_max_bytes{{area="heap",id="old"}} 100
jvm_gc_pause_seconds_sum {failed}
hikaricp_connections_active{{pool="main"}} 10
hikaricp_connections_max{{pool="main"}} 10
jvm_threads_live_threads 40
"""


@dataclass
class Page:
    """A metrics page: counters go up with every look; once it is broken, half of the requests fail."""

    port: int
    looks: int = 0
    failed: int = 0
    broken: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self) -> str:
        """Return the page as it is now."""
        with self.lock:
            self.looks += 1
            self.failed += 5 if self.broken else 0
            return dated(PAGE.format(served=self.looks * 10, failed=self.failed))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Give a metrics page that is served."""
    made = Page(port=0)

    class Handler(http.server.BaseHTTPRequestHandler):
        """Serves the page."""

        def do_GET(self) -> None:
            """Answer any path with the page."""
            body = made.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Story:
    """A Prometheus that saw half a minute of normal life and then failures since `onset`."""

    url: str
    onset: datetime


@pytest.fixture(scope="module")
def story(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Give a Prometheus that has seen the page well and then broken."""
    binary = require("prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(CONFIG.format(page=page.port))
    argv = [binary, "--config.file=prometheus.yml", f"--storage.tsdb.path={folder / 'data'}"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with running(argv, folder=folder, is_ready=listens(port)):
        # Twenty seconds: a normal is told from three points, and points are five seconds apart.
        until(lambda: page.looks > 80, within_s=60)
        page.broken = True
        onset = datetime.now(UTC)
        begun = page.looks
        until(lambda: page.looks > begun + 48, within_s=60)
        yield Story(url=f"http://127.0.0.1:{port}", onset=onset)


@pytest.fixture(scope="module")
def found(story: Story) -> dict[str, Finding]:
    """Give what the collector finds in the story, by query."""
    now = datetime.now(UTC)
    start = story.onset - timedelta(minutes=2)
    asked = Question(incident=1, services=("payments",), start=start, end=now, onset=story.onset)
    return collect(metrics(story.url), about=asked)


def metrics(url: str, *, secret: str = "") -> PrometheusSource:
    """Return a Prometheus as a configured system."""
    return PrometheusSource(SystemSpec(name="metrics", kind="prometheus", url=url, secret=secret), fetch=HttpGet())


def raised(finding: Finding) -> list[tuple[str, str]]:
    """Return name and service of the signals that are raised."""
    return [(one.name, one.service) for one in finding.signals if one.data["raised"]]


def test_failing_requests_are_raised_for_their_service(found: dict[str, Finding]) -> None:
    """The error ratio of the job that is named as the service is out of the ordinary, with the normal beside it."""
    finding = found["error_ratio"]

    assert ([("error_ratio", "payments")], True) == (raised(finding), "normal 0 %" in finding.summary), finding.summary


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("open_files", ("saturation", "payments")),
        ("node_disk", ("saturation", "")),
        ("container_memory", ("saturation", "payments")),
        ("replicas_unavailable", ("replicas_missing", "payments")),
        ("restarts", ("restarts", "payments")),
        ("exported_connections", ("saturation", "payments")),
        ("exported_memory", ("saturation", "payments")),
        ("heap_used", ("saturation", "payments")),
        ("pool", ("saturation", "payments")),
    ],
)
def test_what_exporters_tell_is_raised(found: dict[str, Finding], query: str, expected: tuple[str, str]) -> None:
    """The defaults for common exporters find what is full or missing."""
    assert expected in raised(found[query])


@pytest.mark.parametrize("query", ["node_memory", "exported_clients", "node_descriptors"])
def test_what_has_room_is_not_raised(found: dict[str, Finding], query: str) -> None:
    """What is below its threshold is told and not raised."""
    assert (FindingStatus.OK, []) == (found[query].status, raised(found[query]))


def test_no_query_fails(found: dict[str, Finding]) -> None:
    """Every query of every pack is understood by the server."""
    assert [] == [one.summary for one in found.values() if one.status not in (FindingStatus.OK, FindingStatus.NO_DATA)]


def test_what_it_has_no_metrics_for_is_one_finding(found: dict[str, Finding]) -> None:
    """Queries without metrics are named together, as no data."""
    absent = found["absent"]

    assert (FindingStatus.NO_DATA, True) == (absent.status, "exported_deadlocks" in absent.summary)


def test_a_finding_has_a_chart_and_the_query(found: dict[str, Finding]) -> None:
    """The series, their times and the exact query are in the finding."""
    finding = found["error_ratio"]
    (series,) = finding.data["series"]  # type: ignore[misc]  # the test fails where it is no list of one

    assert (True, True) == (
        len(series["times"]) == len(series["values"]) > 3,
        finding.command.startswith("promtool query range --start="),
    )


def test_a_query_it_does_not_understand_fails_in_words(story: Story) -> None:
    """What the server says about a mistake is in the finding."""
    with httpx2.Client() as client:
        said = client.get(f"{story.url}/api/v1/query_range?query=rate(&start=1&end=2&step=1").json()["error"]

    assert "parse error" in said
