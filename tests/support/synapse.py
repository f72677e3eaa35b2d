"""A real Matrix homeserver for tests: how it is started, and how its rooms are looked at.

Synapse needs an environment of its own (`python -m venv DIR; DIR/bin/pip install matrix-synapse`), which
STANCH_TEST_SYNAPSE names; without it, `.test/synapse` in the checkout is looked at.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx2

from tests.support.needs import lacking
from tests.support.servers import free_port, listens, running

_CHECKOUT = Path(__file__).parents[2]
_LIMITS = ("rc_message", "rc_registration", "rc_room_creation")


@dataclass(frozen=True)
class Homeserver:
    """A real one, with an account that posts and one that is invited."""

    url: str
    token: str
    guest: str

    def ask(self, path: str, *, token: str = "") -> dict[str, object]:
        """Read something with the client API."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        found: dict[str, object] = httpx2.get(f"{self.url}/_matrix/client/v3{path}", headers=headers, timeout=60).json()
        return found

    def tell(self, method: str, path: str, body: object) -> dict[str, object]:
        """Do something as alice."""
        headers = {"Authorization": f"Bearer {self.guest}"}
        answer = httpx2.request(method, f"{self.url}/_matrix/client/v3{path}", headers=headers, json=body, timeout=60)
        found: dict[str, object] = answer.raise_for_status().json()
        return found

    def messages(self, room: str) -> list[dict[str, object]]:
        """Return the messages of a room, oldest first."""
        found = self.ask(f"/rooms/{quote(room, safe='')}/messages?dir=f&limit=100")["chunk"]
        assert isinstance(found, list)
        return [one for one in found if one["type"] == "m.room.message"]


def find_synapse() -> Path | None:
    """Return the folder of Synapse's programs, None where there is none."""
    named = os.environ.get("STANCH_TEST_SYNAPSE", "")
    folders = (Path(named) if named else _CHECKOUT / ".test" / "synapse", _CHECKOUT / ".test" / "synapse")
    return next((folder / "bin" for folder in folders if (folder / "bin" / "synapse_homeserver").exists()), None)


def lacking_synapse() -> NoReturn:
    """Skip the test, or fail it where `CI=true`, for want of Synapse."""
    lacking("Synapse is not installed: STANCH_TEST_SYNAPSE names no environment with matrix-synapse")


@contextmanager
def homeserver_in(folder: Path, *, programs: Path) -> Iterator[Homeserver]:
    """Run a homeserver of this machine's own while the block lasts."""
    port = free_port()
    config = folder / "homeserver.yaml"
    limits = "\n".join(f"{name}: {{per_second: 1000, burst_count: 1000}}" for name in _LIMITS)
    config.write_text(
        f"""
server_name: localhost
pid_file: {folder}/pid
listeners: [{{port: {port}, tls: false, type: http, bind_addresses: ["127.0.0.1"],
  resources: [{{names: [client], compress: false}}]}}]
database: {{name: sqlite3, args: {{database: "{folder}/homeserver.db"}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
registration_shared_secret: only-for-this-test
macaroon_secret_key: only-for-this-test
form_secret: only-for-this-test
report_stats: false
trusted_key_servers: []
{limits}
rc_login: {{address: {{per_second: 1000, burst_count: 1000}}, account: {{per_second: 1000, burst_count: 1000}}}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}}}
rc_invites: {{per_room: {{per_second: 1000, burst_count: 1000}}, per_user: {{per_second: 1000, burst_count: 1000}}}}
"""
    )
    python = str(programs / "python")
    made = [python, "-m", "synapse.app.homeserver", "-c", str(config), "--generate-keys"]
    subprocess.run(made, check=True, cwd=folder, capture_output=True, timeout=60)
    argv = [python, "-m", "synapse.app.homeserver", "-c", str(config)]
    with running(argv, folder=folder, is_ready=listens(port)):
        url = f"http://127.0.0.1:{port}"
        for user in ("stanch", "alice"):
            register = [str(programs / "register_new_matrix_user"), "-c", str(config), "-u", user, "-p", "pw"]
            subprocess.run([*register, "--no-admin", url], check=True, capture_output=True, timeout=60)
        tokens = {}
        for user in ("stanch", "alice"):
            login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": "pw"}
            answer = httpx2.post(f"{url}/_matrix/client/v3/login", content=json.dumps(login), timeout=60)
            tokens[user] = answer.json()["access_token"]
        yield Homeserver(url=url, token=tokens["stanch"], guest=tokens["alice"])
