"""The drill as one process: the sample shop, a server that watches it, and the story that is told."""

import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from stanch.app.ending import interrupt, on_signals, wait_for
from stanch.app.server import listen, running
from stanch.catalog.load import load_catalog
from stanch.gameday.client import Client
from stanch.gameday.config import write_config
from stanch.gameday.drill import APPROVER, Drill, DrillFailed
from stanch.gameday.shop.faults import describe_faults
from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.shop import Shop
from stanch.kernel.errors import Invalid, Unavailable

_HOST: Final = "127.0.0.1"


@on_signals(interrupt, signal.SIGTERM, signal.SIGHUP)
def run_drill(
    *,
    folder: Path,
    fault: str,
    decoy: bool,
    automatic: bool,
    baseline_s: float,
    port: int,
    stay: bool,
    narrate: Callable[[str], None],
    decide: Callable[[str, Callable[[], bool]], bool],
) -> dict[str, object]:
    """Run the whole drill and return how it went; with `stay`, keep everything up afterwards until interrupted.

    Raises `Invalid` for a fault that is none, `Unavailable` when something that is needed is not there, or the drill
    does not come to its end.
    """
    if fault not in dict(describe_faults()):
        raise Invalid(f"there is no fault {fault!r}", field="--fault", hint="see them all: stanch run --fault list")
    place = folder / "drill"
    # First of all: where the port is taken, a drill may be running whose shop and log must stay as they are.
    listener = listen(_HOST, port)
    try:
        narrate("Starting the sample shop: gateway, checkout, payments, customers")
        with Shop.start(place / "shop") as shop:
            catalog = load_catalog(write_config(shop, place, automatic=automatic))
            # A drill begins with an empty log: what an earlier one broke is not this one's history.
            for old in place.glob("stanch.db*"):
                old.unlink()
            with running(catalog, folder=place, port=port, announced_in=folder, listener=listener) as server:
                narrate(f"Stanch watches it: {server.url}")
                outcome = Drill(
                    client=Client(server.url, actor=APPROVER),
                    shop=shop,
                    fault=fault,
                    baseline_s=baseline_s,
                    narrate=narrate,
                    decide=decide,
                    folder=place,
                    decoy=decoy,
                ).run()
                if stay:
                    narrate(f"Everything stays up, look around: {server.url} (Ctrl+C stops it)")
                    _until_interrupted()
                return asdict(outcome)
    except ShopError as error:
        raise Unavailable(str(error), retry=False) from error
    except DrillFailed as error:
        raise Unavailable(f"the drill stopped: {error}", retry=False) from error
    finally:
        listener.close()


def _until_interrupted() -> None:
    try:
        wait_for(threading.Event())
    except KeyboardInterrupt:
        return
