"""The shipped runbooks for what runs on a machine against the real thing: Redis, a disk, a certificate, nginx."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from stanch.integrations.command import CommandActuator
from stanch.integrations.http import HttpSource
from stanch.integrations.program import LocalPrograms, ProgramSource
from stanch.integrations.redis import RedisSource
from stanch.integrations.redis.wire import Complaint, Wire
from stanch.ports.query import SystemSpec
from tests.integrations.tls.test_tls import Authority, signed
from tests.library.case import case
from tests.operations.desk import Desk
from tests.support.farend import Asked, Reply, site
from tests.support.needs import lacking, require
from tests.support.servers import free_port, listens, running

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
}}
"""


def test_redis_memory(desk: Desk, tmp_path: Path) -> None:
    """A Redis that is full refuses writes; the change lets go of what was used least lately, and writes go on."""
    binary, _ = require("redis-server"), require("redis-cli")
    port = free_port()
    argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    argv += ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]
    with running(argv, folder=tmp_path, is_ready=listens(port)):
        wire = Wire("127.0.0.1", port, timeout_s=5)
        spec = SystemSpec(name="cache", kind="redis", url=f"redis://127.0.0.1:{port}", services=("checkout",))
        one = case(
            desk, tmp_path, "redis-memory", systems=(RedisSource(spec),), actuators={"command": CommandActuator()}
        )
        answers = [wire.call(["SET", f"key-{number}", "x" * 10_000], timeout_s=5) for number in range(400)]
        refused = isinstance(answers[-1], Complaint)
        broken, failing = one.wrong(), one.wrong("verification")
        one.mend(4)
        again = wire.call(["SET", "another", "x" * 10_000], timeout_s=5)
        wire.close()

        assert (True, [1, 2], [5], "OK", []) == (refused, broken, failing, again, one.wrong("verification"))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a file system of 4 MB."""
    if os.geteuid() != 0:
        lacking("only root may mount a small file system to fill up")
    place = folder / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        lacking(f"no small file system can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_disk_full(desk: Desk, tmp_path: Path) -> None:
    """A file system without room is found by its mount point; with room again the checks hold."""
    with small_disk(tmp_path) as disk:
        here = ProgramSource(SystemSpec(name="here", kind="linux"), programs=LocalPrograms())
        one = case(desk, tmp_path, "disk-full", systems=(here,), labels={"mountpoint": str(disk)})
        calm = one.wrong()
        with pytest.raises(OSError, match="No space left"):
            (disk / "log").write_bytes(b"x" * 8_000_000)
        broken, failing = one.wrong(), one.wrong("verification")
        (disk / "log").unlink()

        assert ([], [1], [6], [], []) == (calm, broken, failing, one.wrong(), one.wrong("verification"))


@contextmanager
def secure(folder: Path, ca: Path, *, days: float) -> Iterator[str]:
    """Give the address of a server over TLS with a certificate of so many days."""
    own, signing = signed("Test CA", days=365, by=None)
    authority = Authority(certificate=own, key=signing, file=ca)
    certificate, key = signed("localhost", days=days, by=authority, names=("localhost",))
    ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    leaf = folder / "leaf.pem"
    leaf.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    port = free_port()
    argv = [
        require("openssl"),
        "s_server",
        "-accept",
        str(port),
        "-cert",
        str(leaf),
        "-key",
        str(leaf),
        "-www",
        "-quiet",
    ]
    with running(argv, folder=folder, is_ready=listens(port)):
        yield f"https://localhost:{port}"


@pytest.mark.parametrize(("days", "wrong"), [(3.0, [1]), (-1.0, [1]), (90.0, [])])
def test_certificate_expiring(desk: Desk, tmp_path: Path, days: float, wrong: list[int]) -> None:
    """One of three days is told, one that has expired too, one of ninety days is well."""
    ca = tmp_path / "ca.pem"
    with secure(tmp_path, ca, days=days) as url:
        spec = SystemSpec(name="edge", kind="http", url=url, services=("checkout",), settings={"ca_file": str(ca)})
        one = case(desk, tmp_path, "certificate-expiring", systems=(HttpSource(spec),))

        assert (wrong, bool(wrong)) == (one.wrong(), bool(one.wrong("verification")))


def test_nginx_bad_gateway(desk: Desk, tmp_path: Path) -> None:
    """Nobody stands behind nginx; when somebody does, it is well."""
    binary = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or require("nginx")
    port = free_port()

    def answer(asked: Asked) -> Reply:
        return Reply(body="well")

    with site(answer) as behind:
        config = tmp_path / "nginx.conf"
        gone = free_port()
        for place, wrong in ((str(gone), [1]), (behind.url.rpartition(":")[2], [])):
            config.write_text(NGINX.format(folder=tmp_path, port=port, behind=place))
            argv = [binary, "-p", str(tmp_path), "-c", str(config), "-e", str(tmp_path / "error.log")]
            with running(argv, folder=tmp_path, is_ready=listens(port)):
                spec = SystemSpec(name="checkout", kind="http", url=f"http://127.0.0.1:{port}", services=("checkout",))
                one = case(desk, tmp_path, "nginx-bad-gateway", endpoints=(HttpSource(spec),))

                assert (wrong, bool(wrong)) == (one.wrong(), bool(one.wrong("verification")))
