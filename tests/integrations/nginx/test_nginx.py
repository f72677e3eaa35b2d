"""A real nginx with a status page; and pages that are none."""

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.nginx import NginxSource
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import collect
from tests.support.needs import lacking
from tests.support.servers import free_port, listens, running

CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /stub_status {{ stub_status; }}
    location /denied {{ return 403; }}
    location /other {{ return 200 "hello"; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[str]:
    """Give the address of a running nginx."""
    binary = which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or which("nginx")
    if binary is None:
        lacking("nginx is not installed; `make setup-test` installs it on Debian as root")
    port = free_port()
    (tmp_path / "nginx.conf").write_text(CONFIG.format(folder=tmp_path, port=port))
    argv = [binary, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
    with running(argv, folder=tmp_path, is_ready=listens(port)):
        yield f"http://127.0.0.1:{port}"


def front(url: str) -> NginxSource:
    """Return the server at a URL as a configured system."""
    return NginxSource(SystemSpec(name="front", kind="nginx", url=url, services=("payments",)), fetch=HttpGet())


def test_the_status_page_is_read(nginx: str) -> None:
    """Connections and dropped ones are told; a calm server raises nothing."""
    found = collect(front(f"{nginx}/stub_status"))

    assert (True, False) == (
        found["connections"].summary.startswith("front: 1 connections: 0 being read, 1 being answered"),
        found["dropped"].signals[0].data["raised"],
    )


@pytest.mark.parametrize(("path", "status"), [("denied", FindingStatus.REFUSED), ("other", FindingStatus.FAILED)])
def test_another_page_is_told(nginx: str, path: str, status: FindingStatus) -> None:
    """A page that is denied is a refusal, one that is something else a failure."""
    assert {status} == {one.status for one in collect(front(f"{nginx}/{path}")).values()}
