"""The sample shop as one thing: start it in a folder, ask whether it is well, operate it, stop it.

Everything it starts ends with the process that started it, see `lifeline`.
"""

import http.client
import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from stanch.gameday.shop.companion import Companion
from stanch.gameday.shop.history import GOOD_CONFIGURATION, PRIYA, STORED_TAG, WEI
from stanch.gameday.shop.migrations import make_ledger
from stanch.gameday.shop.places import HOST, SERVICES, Places, Ports, ShopError
from stanch.gameday.shop.record import ChangeKind, record_change
from stanch.gameday.shop.repository import build_configuration, build_repository, commit_of
from stanch.gameday.shop.state import ServiceState, write_state

PACKAGE = "stanch.gameday.shop"
DEFAULT_RATE = 20.0
# A second or two on an idle machine. A process of its own that ends is noticed at once, so this is for a busy one.
HEALTHY_WITHIN_S = 60.0
# When the shop's past deploys were made, in hours before it is started.
RELEASED_HOURS_AGO = {"payments": 46.9, "checkout": 46.6, "gateway": 46.4}
CONFIGURED_HOURS_AGO = 51.2


class Shop:
    """A running sample shop."""

    def __init__(self, *, places: Places, ports: Ports, rate: float, seed: int) -> None:
        self._places = places
        self.ports = ports
        self.rate = rate
        self._seed = str(seed)
        self._companions: dict[str, Companion] = {}

    @classmethod
    def start(cls, root: Path, *, ports: Ports | None = None, rate: float = DEFAULT_RATE, seed: int = 1) -> "Shop":
        """Start a shop at v3.2.0 in a folder that is empty or held a shop before; return when it is healthy.

        Without `ports` it takes free ones; `rate` is the customers' requests a second, 0 for none. Raises ShopError
        when a port is taken, the folder holds something else, or the shop does not become healthy.
        """
        ports = ports or Ports.free()
        ports.check_free()
        places = Places(root.resolve())
        _prepare(places, now=datetime.now(UTC))
        shop = cls(places=places, ports=ports, rate=rate, seed=seed)
        try:
            shop._start()
        except BaseException:
            shop.stop()
            raise
        return shop

    def _start(self) -> None:
        ports = self.ports
        status = ("--status-port", str(ports.acquirer_status))
        self._acquirer = self._companion("acquirer", "--port", str(ports.acquirer), *status, "--seed", self._seed)
        self._supervisor = self._companion("supervisor", "--root", str(self.root), "--ports", str(ports))
        give_up_at = time.monotonic() + HEALTHY_WITHIN_S
        while not self.is_healthy():
            if time.monotonic() > give_up_at or not (self._supervisor.running and self._acquirer.running):
                raise ShopError(f"the sample shop did not become healthy: {self._last_words()}")
            time.sleep(0.05)
        if self.rate:
            self._traffic = self._companion(
                "traffic", "--gateway", ports.url("gateway"), "--rate", str(self.rate), "--seed", self._seed
            )

    def _companion(self, name: str, *arguments: str) -> Companion:
        companion = Companion(f"{PACKAGE}.{name}", *arguments, output=self._places.output(name))
        self._companions[name] = companion
        return companion

    def stop(self) -> None:
        """Stop every process, customers first; may be called again."""
        while self._companions:
            self._companions.popitem()[1].stop()

    def __enter__(self) -> "Shop":
        """Return the shop, which is stopped at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the shop."""
        self.stop()

    @property
    def root(self) -> Path:
        """The folder of the shop."""
        return self._places.root

    @property
    def repository(self) -> Path:
        """The git repository of the shop's code."""
        return self._places.repository

    @property
    def configuration(self) -> Path:
        """The git repository of the shop's configuration."""
        return self._places.configuration

    @property
    def deploys_path(self) -> Path:
        """The record of deploys and other changes, one JSON object per line."""
        return self._places.deploys

    @property
    def database_path(self) -> Path:
        """The ledger of payments, an SQLite file."""
        return self._places.database

    def log_path(self, service: str) -> Path:
        """Return the JSON log of a service."""
        return self._places.log(service)

    def pid_path(self, service: str) -> Path:
        """Return the file with the process id of a service."""
        return self._places.pid(service)

    def health_url(self, service: str) -> str:
        """Return the health end point of a service, of the `supervisor` or of the `acquirer`."""
        return self.ports.url(service, "/health")

    def metrics_url(self, service: str) -> str:
        """Return the OpenMetrics end point of a service or of the `supervisor`."""
        return self.ports.url(service, "/metrics")

    @property
    def status_page_url(self) -> str:
        """The acquirer's status page, in the shape of Statuspage's v2 API."""
        return self.ports.url("acquirer_status", "/api/v2/status.json")

    def is_healthy(self) -> bool:
        """Tell whether every service answers its health check with 200."""
        return all(_status_of(self.ports[service], "/health") == 200 for service in SERVICES)

    def processes(self) -> dict[str, int]:
        """Return the process ids by name, of the services too; a service that crashed and waits is missing."""
        services = json.loads(self.ctl("status", "--json", actor="shop"))
        pids = {name: service["pid"] for name, service in services.items() if service["pid"] is not None}
        return pids | {name: companion.pid for name, companion in self._companions.items()}

    def ctl_command(self, *arguments: str) -> list[str]:
        """Return the command line of shopctl for this shop."""
        return [sys.executable, "-m", f"{PACKAGE}.ctl", "--root", str(self.root), *arguments]

    def ctl(self, *arguments: str, actor: str, note: str = "") -> str:
        """Operate the shop and return what shopctl printed; raise ShopError when it fails."""
        who = self.ctl_command("--actor", actor, "--note", note)
        done = subprocess.run([*who, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ShopError(f"shopctl {' '.join(arguments)}: {done.stdout}{done.stderr}".rstrip())
        return done.stdout

    def tell_acquirer(self, command: dict[str, object]) -> dict[str, object]:
        """Change how the acquirer does, see `acquirer`."""
        return self._acquirer.ask(command)

    def tell_machine(self, command: dict[str, object]) -> dict[str, object]:
        """Take the processor away from a process of the shop, see `pauses`."""
        if "pauses" not in self._companions:
            self._companion("pauses")
        return self._companions["pauses"].ask(command)

    def start_reconciliation(self) -> None:
        """Start the batch that marks what the bank has confirmed, see `reconciliation`; return when it works."""
        self.end_reconciliation()
        self._companion("reconciliation", "--ledger", str(self.database_path)).ask({"work": True})

    def end_reconciliation(self) -> None:
        """End the batch, where it still runs."""
        if batch := self._companions.pop("reconciliation", None):
            batch.stop()

    def tell_customers(self, command: dict[str, object]) -> dict[str, object]:
        """Change what the customers do, or with `{}` only ask for their figures, see `traffic`."""
        return self._traffic.ask(command)

    def _last_words(self) -> str:
        names = ("supervisor", "acquirer", *SERVICES)
        outputs = {name: self._places.output(name) for name in names}
        said = [f"{name}: {path.read_text(errors='replace')[-800:]}" for name, path in outputs.items() if path.exists()]
        return " | ".join(words for words in said if words.strip()[-1] != ":") or "no process said why"


def _prepare(places: Places, *, now: datetime) -> None:
    """Make the folder: repositories, ledger, record of past deploys, state."""
    root = places.root
    if places.marker.exists():
        shutil.rmtree(root)
    elif root.exists() and any(root.iterdir()):
        raise ShopError(f"{root} is not empty and not the folder of a sample shop")
    for folder in ("run", "logs"):
        (root / folder).mkdir(parents=True)
    places.marker.write_text("This folder belongs to a sample shop and is cleared when one is started in it.\n")
    build_repository(places.repository, now=now)
    build_configuration(places.configuration, now=now)
    make_ledger(places, STORED_TAG)
    services = {name: ServiceState(release=STORED_TAG, configuration=GOOD_CONFIGURATION) for name in SERVICES}
    write_state(places, services)
    record_change(
        places.deploys,
        kind=ChangeKind.CONFIG,
        service="payments",
        before="c40",
        after=GOOD_CONFIGURATION,
        commit=commit_of(places.configuration, GOOD_CONFIGURATION),
        actor=PRIYA.partition(" <")[0],
        note="config",
        at=now - timedelta(hours=CONFIGURED_HOURS_AGO),
    )
    for service, hours in RELEASED_HOURS_AGO.items():
        record_change(
            places.deploys,
            kind=ChangeKind.DEPLOY,
            service=service,
            before="v3.1.0",
            after=STORED_TAG,
            commit=commit_of(places.repository, STORED_TAG),
            actor=WEI.partition(" <")[0],
            note="deploy",
            at=now - timedelta(hours=hours),
        )


def _status_of(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        json.loads(response.read())
        return response.status
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
