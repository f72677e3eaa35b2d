"""Runs the sample shop by hand: `python -m stanch.gameday.shop --root DIR [--fault NAME --after 20]`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from stanch.gameday.shop.faults import describe_faults, inject
from stanch.gameday.shop.places import Ports, ShopError
from stanch.gameday.shop.shop import DEFAULT_RATE, Shop


def main() -> None:
    """Run the sample shop until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="shop", description=main.__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--ports", type=Ports.parse, help="gateway=8101,checkout=8102,... (default: free ones)")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="requests a second")
    parser.add_argument("--fault", choices=[name for name, _ in describe_faults()])
    parser.add_argument("--after", type=float, default=20.0, help="seconds until the fault")
    parser.add_argument("--decoy", action="store_true", help="deploy something harmless just before the fault")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Shop.start(given.root, ports=given.ports, rate=given.rate) as shop:
            _say(f"running at {shop.root}, gateway at {shop.ports.url('gateway')}; all ports: {shop.ports}")
            if given.fault:
                time.sleep(given.after)
                _say(f"{inject(given.fault, shop, decoy=given.decoy).at:%H:%M:%S} UTC: {given.fault}")
            while True:
                time.sleep(10)
                _say(str(shop.tell_customers({})))
    except ShopError as error:
        sys.exit(f"shop: {error}")
    except KeyboardInterrupt:
        _say("stopped")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (this is a command line)


if __name__ == "__main__":
    main()
