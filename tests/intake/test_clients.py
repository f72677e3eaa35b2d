"""Prometheus and amtool as Debian ships them, pointed at a server and otherwise as they are."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from stanch.app.server import running
from stanch.catalog.model import Catalog
from tests.intake.hooks import Hooks, alerts_of
from tests.intake.live import Api
from tests.support.needs import require

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("intake_clients")]

_WITHIN_S: Final = 45.0
_CONFIG: Final = """
route: { receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
- name: team
  webhook_configs: [{ url: '{wh0}' }]
"""
_PROMETHEUS: Final = """
global: {{ scrape_interval: 250ms, evaluation_interval: 250ms, external_labels: {{ region: eu }} }}
rule_files: [ rules.yml ]
scrape_configs:
- {{ job_name: shop, static_configs: [ {{ targets: [ '127.0.0.1:{target}' ] }} ] }}
alerting:
  alertmanagers:
  - static_configs: [ {{ targets: [ '{server}' ] }} ]
"""
_RULES: Final = """
groups:
- name: shop
  rules:
  - alert: ShopBroken
    expr: shop_broken == 1
    labels: { severity: page }
    annotations: { summary: 'the shop says {{ $value }}' }
"""


class Clients:
    """A server on a port with one receiver, and the commands that ask it."""

    def __init__(self, url: str, hooks: Hooks) -> None:
        self.url = url
        self.hooks = hooks
        self.api = Api(url)

    def amtool(self, *arguments: str) -> str:
        """Return what amtool prints; fails when it does."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run amtool and return what became of it."""
        command = (require("amtool"), f"--alertmanager.url={self.url}", *arguments)
        # Without a home it reads no configuration of whoever runs the tests.
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={"HOME": "/nowhere"}
        )

    def names(self, *arguments: str) -> list[str]:
        """Return the names of the alerts that `amtool alert query` finds."""
        found = json.loads(self.amtool("alert", "query", "-o", "json", *arguments))
        return sorted(one["labels"]["alertname"] for one in found)

    def told(self, status: str) -> list[dict[str, object]]:
        """Return the alerts that the receiver was told with this status."""
        return [one for body in self.hooks.bodies() for one in alerts_of(body) if one["status"] == status]


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    """Serve with one receiver."""
    config = tmp_path / "alertmanager.yml"
    with Hooks() as hooks:
        config.write_text(hooks.filled(_CONFIG))
        with running(Catalog(root=str(tmp_path)), folder=tmp_path / "data", port=0, routing=str(config)) as server:
            yield Clients(server.url, hooks)


class Shop:
    """A target that Prometheus scrapes; `broken` is what its one figure says."""

    def __init__(self) -> None:
        self.broken = True
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"shop_broken {int(shop.broken)}\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def prometheus(folder: Path, *, server: str, target: int) -> Iterator[None]:
    """Run Prometheus with the shop's rule while the block lasts."""
    folder.mkdir()
    (folder / "prometheus.yml").write_text(_PROMETHEUS.format(server=server.removeprefix("http://"), target=target))
    (folder / "rules.yml").write_text(_RULES)
    command = (
        require("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=tsdb",
        "--web.listen-address=127.0.0.1:0",
        "--rules.alert.resend-delay=1s",
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def until(found: Callable[[], Sequence[object]]) -> Sequence[object]:
    """Return what `found` finds as soon as it finds anything; what it finds in the end when that is nothing."""
    waiting = threading.Event()
    for _ in range(int(_WITHIN_S / 0.1)):
        if now := found():
            return now
        waiting.wait(0.1)
    return found()


def test_an_alert_of_prometheus_fires_and_resolves(clients: Clients, tmp_path: Path) -> None:
    """What a rule of Prometheus finds is told to the receiver, and that it is over as well."""
    require("prometheus")
    shop = Shop()
    try:
        with prometheus(tmp_path / "prometheus", server=clients.url, target=shop.port):
            fired = until(lambda: clients.told("firing"))
            shop.broken = False
            over = until(lambda: clients.told("resolved"))
    finally:
        shop.close()
    labels = {
        "alertname": "ShopBroken",
        "instance": f"127.0.0.1:{shop.port}",
        "job": "shop",
        "region": "eu",
        "severity": "page",
    }

    assert [labels] * 2 == [dict(one[0]["labels"]) for one in (fired, over)]  # type: ignore[index]  # JSON


def test_prometheus_names_what_it_says_and_where_from(clients: Clients, tmp_path: Path) -> None:
    """Annotations are filled in as Prometheus did, and the link leads back to it."""
    require("prometheus")
    shop = Shop()
    try:
        with prometheus(tmp_path / "prometheus", server=clients.url, target=shop.port):
            fired = until(lambda: clients.told("firing"))
    finally:
        shop.close()
    first = fired[0]
    assert isinstance(first, dict)

    assert ({"summary": "the shop says 1"}, True) == (first["annotations"], "/graph?g0.expr=" in first["generatorURL"])


def test_amtool_adds_an_alert(clients: Clients) -> None:
    """`amtool alert add` puts an alert with its labels and annotations."""
    clients.amtool("alert", "add", "alertname=DiskFull", "node=a", "--annotation=summary=95 %")
    found = json.loads(clients.amtool("alert", "query", "-o", "json"))

    assert [({"alertname": "DiskFull", "node": "a"}, {"summary": "95 %"})] == [
        (one["labels"], one["annotations"]) for one in found
    ]


@pytest.mark.parametrize(
    ("matchers", "names"),
    [
        (["severity=page"], ["DiskFull"]),
        (["severity!=page"], ["Slow"]),
        (['severity=~"pa.*|warn"', "node=b"], ["Slow"]),
        (["severity!~pa.*"], ["Slow"]),
        (["DiskFull"], ["DiskFull"]),
        (["node=c"], []),
        ([], ["DiskFull", "Slow"]),
        (["--receiver=team"], ["DiskFull", "Slow"]),
        (["--silenced"], []),
    ],
    ids=str,
)
def test_amtool_queries_with_matchers(both: Clients, matchers: list[str], names: list[str]) -> None:
    """`amtool alert query` finds what fits its matchers and nothing else."""
    assert names == both.names(*matchers)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Serve with two alerts there."""
    folder = tmp_path_factory.mktemp("both")
    config = folder / "alertmanager.yml"
    with Hooks() as hooks:
        config.write_text(hooks.filled(_CONFIG))
        with running(Catalog(root=str(folder)), folder=folder / "data", port=0, routing=str(config)) as server:
            found = Clients(server.url, hooks)
            found.amtool("alert", "add", "DiskFull", "node=a", "severity=page")
            found.amtool("alert", "add", "Slow", "node=b", "severity=warn")
            yield found


def test_amtool_says_what_is_wrong_with_a_matcher(both: Clients) -> None:
    """A matcher that is none is refused with words."""
    done = both.attempt("alert", "query", 'a=~"["')

    assert (1, True) == (done.returncode, "bad matcher format" in done.stderr)


def test_amtool_shows_the_configuration(both: Clients) -> None:
    """`amtool config routes show` draws the routes that hold."""
    assert "default-route  receiver: team" in " ".join(both.amtool("config", "routes", "show").split("\n"))


def test_amtool_shows_the_configuration_that_ships(tmp_path: Path) -> None:
    """Without an alertmanager.yml there is a route to show as well."""
    with Hooks() as hooks, running(Catalog(root=str(tmp_path)), folder=tmp_path / "data", port=0) as server:
        shown = Clients(server.url, hooks).amtool("config", "routes", "show")

    assert "receiver: default" in shown


def test_amtool_checks_a_configuration(tmp_path: Path) -> None:
    """What `amtool check-config` takes is what the server starts with."""
    config = tmp_path / "alertmanager.yml"
    with Hooks() as hooks:
        config.write_text(hooks.filled(_CONFIG))
        done = subprocess.run(
            (require("amtool"), "check-config", str(config)), capture_output=True, text=True, timeout=60, check=False
        )

    assert (0, True) == (done.returncode, "SUCCESS" in done.stdout)


def test_amtool_adds_a_silence(clients: Clients) -> None:
    """`amtool silence add` keeps an alert quiet, and the query says so."""
    clients.amtool("alert", "add", "DiskFull", "node=a")
    id = silenced(clients)
    (found,) = json.loads(clients.amtool("silence", "query", "-o", "json"))

    assert (id, "alice", "being replaced", ["DiskFull"], []) == (
        found["id"],
        found["createdBy"],
        found["comment"],
        clients.names("--silenced"),
        clients.names("--active"),
    )


def silenced(clients: Clients) -> str:
    """Put a silence and return its id."""
    return clients.amtool(
        "silence", "add", "-a", "alice", "-c", "being replaced", "-d", "1h", "alertname=DiskFull", "node=~a|b"
    ).strip()


def test_amtool_finds_a_silence_by_matchers(clients: Clients) -> None:
    """`amtool silence query` finds silences by their matchers."""
    id = silenced(clients)

    assert [id, ""] == [
        clients.amtool("silence", "query", "-q", "alertname=DiskFull").strip(),
        clients.amtool("silence", "query", "-q", "alertname=Slow").strip(),
    ]


def test_amtool_updates_a_silence(clients: Clients) -> None:
    """`amtool silence update` changes comment and end of the silence, which keeps its id."""
    id = silenced(clients)
    clients.amtool("silence", "update", "-d", "3h", "-c", "takes longer", id)
    (found,) = json.loads(clients.amtool("silence", "query", "-o", "json"))

    assert (id, "takes longer") == (found["id"], found["comment"])


def test_amtool_expires_a_silence(clients: Clients) -> None:
    """`amtool silence expire` ends a silence; it is then found among the expired ones alone."""
    clients.amtool("alert", "add", "DiskFull", "node=a")
    id = silenced(clients)
    clients.amtool("silence", "expire", id)

    assert ("", id, ["DiskFull"]) == (
        clients.amtool("silence", "query", "-q").strip(),
        clients.amtool("silence", "query", "-q", "--expired").strip(),
        clients.names("--active"),
    )


def test_amtool_brings_silences_from_elsewhere(clients: Clients, tmp_path: Path) -> None:
    """What `amtool silence query` wrote, `amtool silence import` reads."""
    silenced(clients)
    written = json.loads(clients.amtool("silence", "query", "-o", "json"))
    clients.amtool("silence", "expire", written[0]["id"])
    kept = tmp_path / "silences.json"
    kept.write_text(json.dumps([{key: value for key, value in one.items() if key != "id"} for one in written]))
    clients.amtool("silence", "import", os.fspath(kept))
    found = json.loads(clients.amtool("silence", "query", "-o", "json"))

    assert ["being replaced"] == [one["comment"] for one in found]
