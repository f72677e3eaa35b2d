"""The PromQL sampler against a real Prometheus, and against far ends that are none."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from stanch.integrations.promql import PromqlSampler
from stanch.ports.checks import PromqlCheck
from stanch.ports.sampler import Look
from tests.support.farend import Reply, drip_body, flood, hang, site, wire
from tests.support.metrics import dated
from tests.support.needs import require
from tests.support.servers import free_port, running

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAGE = """
# TYPE queue_depth gauge
queue_depth{queue="mail",shard="1"} 40
queue_depth{queue="mail",shard="2"} 90
queue_depth{queue="pdf",shard="1"} 7
"""
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: mail
    static_configs: [{{targets: ["{target}"]}}]
"""


def looked(url: str, settings: PromqlCheck, *, timeout_s: float = 20.0) -> Look:
    """Return one look."""
    return PromqlSampler(settings, timeout_s=timeout_s).look(service="mail", target=url, cursor={}, now=NOW)


def series(look: Look) -> dict[tuple[tuple[str, str], ...], float]:
    """Return what was found, by labels."""
    return {one.labels: one.value for one in look.samples}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a Prometheus that has scraped the page."""
    tool = require("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with site(lambda asked: Reply(body=dated(PAGE))) as far:
        (folder / "prometheus.yml").write_text(CONFIG.format(target=far.url.removeprefix("http://")))
        arguments = [
            tool,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with running(
            arguments, folder=folder, is_ready=lambda: len(series(looked(url, PromqlCheck(query="queue_depth")))) == 3
        ):
            yield url


def test_many_series(prometheus: str) -> None:
    """Each series of a vector is a sample with its labels, without its name."""
    found = series(looked(prometheus, PromqlCheck(query='queue_depth{queue="pdf"}', keep=("queue", "shard"))))

    assert {(("queue", "pdf"), ("shard", "1")): 7.0} == found


def test_kept_labels_give_the_worst(prometheus: str) -> None:
    """Series that are told apart by no kept label are one, with the largest value."""
    found = series(looked(prometheus, PromqlCheck(query="queue_depth", keep=("queue",))))

    assert {(("queue", "mail"),): 90.0, (("queue", "pdf"),): 7.0} == found


def test_one_series(prometheus: str) -> None:
    """A sum is one series without labels."""
    assert {(): 137.0} == series(looked(prometheus, PromqlCheck(query="sum(queue_depth)")))


def test_scalar(prometheus: str) -> None:
    """A scalar is a sample too."""
    assert {(): 42.0} == series(looked(prometheus, PromqlCheck(query="scalar(vector(42))")))


def test_nothing_found(prometheus: str) -> None:
    """An empty answer is a good look without samples."""
    look = looked(prometheus, PromqlCheck(query="queue_depth > 1000"))

    assert ({}, "") == (series(look), look.trouble)


@pytest.mark.parametrize(
    ("query", "said"),
    [("sum(", "parse error"), ("queue_depth[5m]", "must give an instant vector or a scalar")],
)
def test_wrong_query(prometheus: str, query: str, said: str) -> None:
    """What Prometheus does not understand is trouble, in its own words."""
    assert said in looked(prometheus, PromqlCheck(query=query)).trouble


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(body="<html>hello</html>"), "not that of a Prometheus"),
        (Reply(status=404, body="nothing"), "answered 404"),
        (Reply(body="[" * 100_000), "not that of a Prometheus"),
    ],
)
def test_no_prometheus(reply: Reply, said: str) -> None:
    """A server that is no Prometheus is told apart."""
    with site(lambda asked: reply) as far:
        assert said in looked(far.url, PromqlCheck(query="up")).trouble


@pytest.mark.parametrize("speak", [hang, flood, drip_body])
def test_bad_far_end(speak: Callable[..., None]) -> None:
    """A far end that hangs, floods or drips is left in time."""
    with wire(speak) as place:
        began = time.monotonic()
        look = looked(f"http://{place}", PromqlCheck(query="up"), timeout_s=0.5)
        took = time.monotonic() - began

    assert (True, True) == (took < 10, bool(look.trouble))


def test_too_many_series() -> None:
    """An answer with more series than are judged says so, and how many there are."""
    many = ",".join(f'{{"metric":{{"n":"{n}"}},"value":[1,"1"]}}' for n in range(300))
    body = f'{{"status":"success","data":{{"resultType":"vector","result":[{many}]}}}}'
    with site(lambda asked: Reply(body=body)) as far:
        assert "300 series" in looked(far.url, PromqlCheck(query="up")).trouble
