"""What an operation is given: the process's world, and the call with who makes it."""

from dataclasses import dataclass, field
from datetime import datetime

from stanch.alerts.intake.routes import CurrentRouting
from stanch.catalog.agents.model import Limits
from stanch.catalog.model import Catalog
from stanch.comms.templates import Templates
from stanch.kernel.actor import Actor, Via
from stanch.kernel.clock import Clock
from stanch.packs.model import Packs
from stanch.ports.actuator import Actuator
from stanch.ports.calendars import Calendars
from stanch.ports.changes import ChangeSource
from stanch.ports.channel import Channel
from stanch.ports.chat import Listened
from stanch.ports.evidence import Collector
from stanch.ports.fetch import Fetch
from stanch.ports.issues import IssueDesk
from stanch.ports.logsource import LogSource
from stanch.ports.pager import Pager
from stanch.ports.query import QuerySource
from stanch.ports.sampler import Sampler
from stanch.ports.signals import SignalSource
from stanch.ports.thinker import Thinker
from stanch.ports.ticketing import TicketTracker
from stanch.ports.tracker import Tracker
from stanch.store import Store


@dataclass(frozen=True, kw_only=True)
class World:
    """What this process has. Integrations are known by port and name; `url` is where people find the web page.

    `calendars` is None where nothing that is configured needs any, `thinker` where none may be asked.
    `endpoints` are the services' own addresses. `listening` is kept by what listens to chats, by channel; `unset` are
    the variables of channels that the environment does not have.
    """

    store: Store
    clock: Clock
    catalog: Catalog
    node: str = "node"
    url: str = "http://127.0.0.1:8484"
    collectors: tuple[Collector, ...] = ()
    change_sources: tuple[ChangeSource, ...] = ()
    systems: tuple[QuerySource, ...] = ()
    endpoints: tuple[QuerySource, ...] = ()
    log_sources: tuple[LogSource, ...] = ()
    trackers: tuple[Tracker, ...] = ()
    packs: Packs = field(default_factory=Packs)
    templates: Templates = field(default_factory=dict)
    samplers: dict[str, Sampler] = field(default_factory=dict)
    actuators: dict[str, Actuator] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    listening: dict[str, Listened] = field(default_factory=dict)
    unset: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pagers: dict[str, Pager] = field(default_factory=dict)
    desks: dict[str, IssueDesk] = field(default_factory=dict)
    ticketing: dict[str, TicketTracker] = field(default_factory=dict)
    fetch: Fetch | None = None
    calendars: Calendars | None = None
    thinker: Thinker | None = None
    routing: CurrentRouting = field(default_factory=CurrentRouting)
    signal_sources: dict[str, SignalSource] = field(default_factory=dict)
    agent_limits: Limits = field(default_factory=Limits)
    signal_secrets: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of an operation: who asks, through which surface. An agent's `key` has it done once."""

    world: World
    actor: Actor
    via: Via
    key: str = ""

    @property
    def now(self) -> datetime:
        """Return the present instant (UTC)."""
        return self.world.clock.now()
