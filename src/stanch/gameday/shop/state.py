"""What the shop is told to be: release, configuration, flags and limits of each service, and the ledger's schema."""

import json
from dataclasses import asdict, dataclass, field

from stanch.gameday.shop.places import HOST, SERVICES, Places, Ports
from stanch.gameday.shop.record import write_json
from stanch.gameday.shop.repository import commit_of, read_text

# Which process each service calls.
PEERS = {"gateway": "checkout", "checkout": "payments", "payments": "acquirer"}


@dataclass
class ServiceState:
    """What one service is told to be."""

    release: str
    configuration: str
    flags: dict[str, bool] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)


class State:
    """The state of all services, kept in a file that outlives the supervisor."""

    def __init__(self, places: Places) -> None:
        self._places = places
        raw = json.loads(places.state.read_text())
        self.services = {name: ServiceState(**raw[name]) for name in SERVICES}

    def __getitem__(self, service: str) -> ServiceState:
        """Return what one service is told to be."""
        return self.services[service]

    def save(self, service: str, *, ports: Ports) -> None:
        """Write down a change: the state, and the files that the service itself reads."""
        write_state(self._places, self.services)
        now = self.services[service]
        settings = {
            "service": service,
            "version": now.release,
            "commit": commit_of(self._places.repository, now.release),
            "port": ports[service],
            "log": str(self._places.log(service)),
            "runtime": str(self._places.runtime(service)),
            "database": str(self._places.database),
            "peers": {PEERS[service]: f"http://{HOST}:{ports[PEERS[service]]}"},
            "config_revision": now.configuration,
            "config": json.loads(read_text(self._places.configuration, now.configuration, f"{service}.json")),
        }
        write_json(self._places.settings(service), settings)
        write_json(self._places.runtime(service), {"flags": now.flags, "limits": now.limits})


def write_state(places: Places, services: dict[str, ServiceState]) -> None:
    """Write the state file."""
    write_json(places.state, {name: asdict(service) for name, service in services.items()})
