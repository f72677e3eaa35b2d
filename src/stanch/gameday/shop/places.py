"""Where things are: the folders of one shop below its root, and the loopback ports of its processes."""

import random
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from stanch.kernel.errors import StanchError

HOST = "127.0.0.1"
SERVICES = ("gateway", "checkout", "payments")
# Below what systems hand out by themselves (Linux from 32,768 on): a service that is started again finds its port as it
# left it, and a call to one that is down does not end up with itself.
_OWN_PORTS = range(14_000, 19_000)


class ShopError(StanchError):
    """The sample shop could not do what it was asked."""

    code = "shop"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The loopback ports of one shop."""

    gateway: int
    checkout: int
    payments: int
    acquirer: int
    acquirer_status: int
    supervisor: int

    @classmethod
    def free(cls) -> "Ports":
        """Return ports that are free at this moment, of those that nobody gets who asks for any port."""
        # In any order, so that two shops that start at once do not choose the same ones.
        numbers: list[int] = []
        for number in random.sample(_OWN_PORTS, len(_OWN_PORTS)):
            if _is_free(number):
                numbers.append(number)
            if len(numbers) == len(fields(cls)):
                return cls.of(numbers)
        raise ShopError(f"fewer than {len(fields(cls))} ports from {_OWN_PORTS[0]} to {_OWN_PORTS[-1]} are free")

    @classmethod
    def of(cls, numbers: list[int]) -> "Ports":
        """Return ports from numbers in the order of the fields."""
        gateway, checkout, payments, acquirer, acquirer_status, supervisor = numbers
        return cls(
            gateway=gateway,
            checkout=checkout,
            payments=payments,
            acquirer=acquirer,
            acquirer_status=acquirer_status,
            supervisor=supervisor,
        )

    @classmethod
    def parse(cls, text: str) -> "Ports":
        """Read `gateway=8101,checkout=8102,...`; every name has to be there."""
        return cls(**{name: int(number) for name, _, number in (pair.partition("=") for pair in text.split(","))})

    def __str__(self) -> str:
        """Return what `parse` reads."""
        return ",".join(f"{name}={number}" for name, number in asdict(self).items())

    def __getitem__(self, name: str) -> int:
        """Return the port of one process by name."""
        port: int = getattr(self, name)
        return port

    def url(self, name: str, path: str = "") -> str:
        """Return the address of one process, without a slash at the end unless `path` has one."""
        return f"http://{HOST}:{self[name]}{path}"

    def check_free(self) -> None:
        """Raise ShopError naming every port that somebody else listens on."""
        taken = [f"{name} {port}" for name, port in asdict(self).items() if not _is_free(port)]
        if taken:
            raise ShopError(f"these ports of the sample shop are taken: {', '.join(taken)}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without it a port whose last connections are still in TIME_WAIT would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Places:
    """The files and folders of one shop."""

    root: Path

    @property
    def marker(self) -> Path:
        """A file that says that this folder belongs to a sample shop and may be cleared."""
        return self.root / ".sample-shop"

    @property
    def repository(self) -> Path:
        """The git repository of the shop's code."""
        return self.root / "repository"

    @property
    def configuration(self) -> Path:
        """The git repository of the shop's configuration, one `<service>.json` each."""
        return self.root / "config"

    @property
    def deploys(self) -> Path:
        """The record of deploys and other changes, one JSON object per line."""
        return self.root / "deploys.jsonl"

    @property
    def supervisor(self) -> Path:
        """Where the supervisor is found: process id, address and token."""
        return self.root / "supervisor.json"

    @property
    def state(self) -> Path:
        """Which release and configuration each service is at."""
        return self.root / "run" / "state.json"

    @property
    def database(self) -> Path:
        """The ledger of payments."""
        return self.root / "data" / "payments.db"

    @property
    def supervisor_log(self) -> Path:
        """The log of the supervisor."""
        return self.root / "logs" / "supervisor.log"

    def log(self, service: str) -> Path:
        """Return the JSON log of a service."""
        return self.root / "logs" / f"{service}.log"

    def output(self, name: str) -> Path:
        """Return where the raw output of a process goes."""
        return self.root / "logs" / f"{name}.out"

    def release(self, service: str, tag: str) -> Path:
        """Return the folder of one release of a service."""
        return self.root / "releases" / service / tag

    def settings(self, service: str) -> Path:
        """Return the settings file that a service is started with."""
        return self.root / "run" / f"{service}.json"

    def pid(self, service: str) -> Path:
        """Return the file with the process id of a service, as it was last started."""
        return self.root / "run" / f"{service}.pid"

    def runtime(self, service: str) -> Path:
        """Return the flags and limits that a service re-reads while it runs."""
        return self.root / "run" / f"{service}.runtime.json"
