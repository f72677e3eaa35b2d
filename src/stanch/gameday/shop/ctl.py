"""shopctl: operates a running shop the way an engineer would.

`python -m stanch.gameday.shop.ctl --root DIR VERB ...`. Progress is printed line by line as it happens; the exit code
is 0 on success, 1 on failure and 2 when the command line makes no sense.
"""

import argparse
import http.client
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from stanch.gameday.shop.places import SERVICES, Places, ShopError

# An operation waits up to 4 s for the old process, 10 s for the new one, 30 s for a lock of the ledger.
GIVE_UP_AFTER_S = 90.0


def main() -> None:
    """Operate the sample shop."""
    given = vars(_parser().parse_args())
    as_json = given.pop("json", False)
    try:
        ok = _send(Places(given.pop("root").resolve()), given, as_json=as_json)
    except ShopError as error:
        print(f"shopctl: {error}", file=sys.stderr)  # noqa: T201  (this is a command line)
        ok = False
    sys.exit(0 if ok else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shopctl", description=main.__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder of the shop")
    parser.add_argument("--actor", default=os.environ.get("USER", "shopctl"), help="who is doing this")
    parser.add_argument("--note", default="", help="why, for the record")
    verbs = parser.add_subparsers(dest="verb", required=True)
    status = verbs.add_parser("status", help="show every service")
    status.add_argument("--json", action="store_true")
    for verb, text in (
        ("deploy", "put a release live"),
        ("rollback", "go back to a release"),
        ("restart", "restart a service"),
        ("flag", "turn a flag on or off"),
        ("config", "change to a revision of the configuration"),
        ("scale", "change a limit: pool (payments), workers (checkout)"),
        ("migrate", "change the schema of the ledger"),
    ):
        each = verbs.add_parser(verb, help=text)
        each.add_argument("service", choices=SERVICES)
        each.add_argument("--dry-run", action="store_true", help="only say what would be done")
        if verb == "deploy":
            each.add_argument("to", metavar="TAG")
        elif verb == "flag":
            each.add_argument("name", metavar="NAME")
            each.add_argument("to", choices=("on", "off"))
        elif verb == "scale":
            each.add_argument("name", metavar="LIMIT", choices=("pool", "workers"))
            each.add_argument("to", metavar="N")
        elif verb != "restart":
            each.add_argument("--to", required=True, metavar="REVISION")
    return parser


def _send(places: Places, order: dict[str, object], *, as_json: bool) -> bool:
    try:
        supervisor = json.loads(places.supervisor.read_text())
    except FileNotFoundError as error:
        raise ShopError(f"no shop is running at {places.root} ({places.supervisor.name} is missing)") from error
    address = urlsplit(supervisor["url"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=GIVE_UP_AFTER_S)
    try:
        connection.request("POST", "/orders", json.dumps({**order, "token": supervisor["token"]}))
        ok = None
        for raw in connection.getresponse():
            answer = json.loads(raw)
            if "status" in answer:
                _show_status(answer["status"], as_json=as_json)
            elif "line" in answer:
                print(answer["line"], flush=True)  # noqa: T201
            ok = answer.get("ok", ok)
    except (OSError, http.client.HTTPException) as error:
        raise ShopError(f"the supervisor at {supervisor['url']} does not answer: {error}") from error
    finally:
        connection.close()
    if ok is None:
        raise ShopError(f"the supervisor hung up before it was done, see {places.supervisor_log}")
    return bool(ok)


def _show_status(status: dict[str, dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(status, indent=1))  # noqa: T201
        return
    for name, service in status.items():
        print(  # noqa: T201
            f"{name:9} {service['release']:13} {service['configuration']:5} {service['health']:10}"
            f" pid {service['pid']}, {service['restarts']} restarts, flags {service['flags']}"
        )


if __name__ == "__main__":
    main()
