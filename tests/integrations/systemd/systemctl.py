"""Stands in for systemctl: units in a file of JSON, with the options, the output and the exit codes it documents.

Copied beside the file `units.json` and run as a program. See systemctl(1), "Unit Commands" and "EXIT STATUS".
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
UNITS = HERE / "units.json"


def main(arguments: list[str]) -> int:
    """Do one command and return its exit code."""
    with (HERE / "asked").open("a") as asked:
        asked.write(json.dumps(arguments) + "\n")
    units = json.loads(UNITS.read_text())
    options = [one for one in arguments[: arguments.index("--")] if one.startswith("-")]
    verb = next(one for one in arguments if not one.startswith("-"))
    name = arguments[arguments.index("--") + 1]
    unit = units.get(name)
    if verb == "show":
        return show(name, unit, options)
    if verb == "status":
        print(f"● {name} - {unit['ActiveState']}")
        print("payments[1]: cannot start with password=hunter2hunter2")
        return 0 if unit["ActiveState"] == "active" else 3
    if unit is None:
        print(f"Failed to {verb} {name}: Unit {name} not found.", file=sys.stderr)
        return 5
    if unit.get("denied"):
        print(f"Failed to {verb} {name}: Access denied", file=sys.stderr)
        return 4
    if unit.get("broken") and verb in ("start", "restart"):
        unit.update(ActiveState="failed", SubState="failed", Result="exit-code")
        UNITS.write_text(json.dumps(units))
        print(f"Job for {name} failed because the control process exited with error code.", file=sys.stderr)
        return 1
    if verb in ("start", "restart"):
        unit.update(ActiveState="active", SubState="running", NRestarts="0", Result="success")
        unit["InvocationID"] = f"{int(unit.get('InvocationID', '0'), 16) + 1:032x}"
    elif verb == "stop":
        unit.update(ActiveState="inactive", SubState="dead")
    UNITS.write_text(json.dumps(units))
    return 0


def show(name: str, unit: dict[str, str] | None, options: list[str]) -> int:
    """Print the properties that are asked for; a unit that is not there has a state of its own and no error."""
    wanted = next(one for one in options if one.startswith("--property=")).partition("=")[2].split(",")
    found = unit or {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    for key in wanted:
        print(f"{key}={name if key == 'Id' else found.get(key, '')}")
    if unit and unit.get("falls_over") and unit["ActiveState"] == "active":
        # It was content for a moment; the next look finds it being restarted by itself.
        unit.update(ActiveState="activating", SubState="auto-restart", NRestarts="1", Result="exit-code")
        units = json.loads(UNITS.read_text())
        UNITS.write_text(json.dumps({**units, name: unit}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
