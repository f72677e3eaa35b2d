"""A desk with a status page, and what its tests read from it and do with it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stanch.catalog.status import ComponentSpec, StatusSpec
from stanch.comms.status.model import Page
from stanch.comms.status.tables import StatusProjector
from stanch.incidents import events as ev
from stanch.incidents.model import Impact
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.operations.statuspage import subscribing
from stanch.operations.statuspage.publishing import UpdateView
from stanch.operations.statuspage.showing import internal_page, public_page
from stanch.operations.statuspage.telling import MAIL
from stanch.store import Store
from tests.operations.desk import Desk, Listener

ADDRESS = "carol@customers.example"
SPEC = StatusSpec(
    title="Shop",
    severity="SEV4",
    mail="mail",
    components={
        "checkout": ComponentSpec(service="checkout", title="Buying", group="Shop"),
        "search": ComponentSpec(service="search", title="Finding", group="Shop"),
    },
)


@contextmanager
def status_desk(database_url: str, clock: ManualClock, folder: Path) -> Iterator[Desk]:
    """Give a desk with a status page on which checkout and search are shown."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(), StatusProjector()))
    bare = Desk.open(store, clock)
    mail = Listener(MAIL)
    catalog = replace(bare.world.catalog, root=str(folder), status=SPEC)
    world = replace(bare.world, catalog=catalog, channels={**bare.world.channels, MAIL: mail})
    yield replace(bare, world=world, channels={**bare.channels, MAIL: mail})
    store.close()


def configured(desk: Desk, **changes: object) -> Desk:
    """Return the desk with other keys under `[status]`."""
    status = replace(desk.world.catalog.status, **changes)  # type: ignore[arg-type]  # keys of one record
    return replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, status=status)))


def page(desk: Desk, *, internal: bool = False) -> Page:
    """Return a page as it is now."""
    with desk.world.store.reading() as view:
        return internal_page(view, desk.world) if internal else public_page(view, desk.world)


def waiting(desk: Desk) -> list[UpdateView]:
    """Return what waits for a yes."""
    answer = desk.ask("statuspage.waiting")
    assert isinstance(answer, tuple)
    return [one for one in answer if isinstance(one, UpdateView)]


def publish(desk: Desk, **body: object) -> UpdateView:
    """Publish the one update that waits."""
    (one,) = waiting(desk)
    said = {"incident": one.incident, "number": one.number, "digest": one.digest, **body}
    answer = desk.ask("statuspage.publish", **said)
    assert isinstance(answer, UpdateView)
    return answer


def states(found: Page) -> dict[str, str]:
    """Return how components are, by their titles."""
    return {one.title: one.state.value for one in found.components}


def fail(desk: Desk, number: int) -> None:
    """Have checkout measured as down."""
    desk.tell(number, ev.ImpactMeasured(impact=Impact(at=desk.clock.now(), down=("checkout",), error_ratio=0.4)))


def subscribe(desk: Desk, address: str = ADDRESS, *, sender: str = "s1") -> None:
    """Ask to be written to."""
    subscribing.subscribe(desk.world, kind="email", address=address, sender=sender)
    desk.work()


def token_in(text: str, what: str) -> str:
    """Return the token of a link in a mail."""
    found = re.search(rf"/status/{what}/(\S+)", text)
    assert found
    return found[1]


def subscribed(desk: Desk) -> Desk:
    """Return the desk with a subscriber who confirmed."""
    subscribe(desk)
    subscribing.confirm(desk.world, token_in(desk.channels[MAIL].heard[-1].text, "confirm"))
    return desk
