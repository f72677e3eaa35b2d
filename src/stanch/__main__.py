"""The entry point of `stanch`: tells the command line where the functions are that need the rest of the product.

Nothing heavy is imported here: `stanch --help` must not wait for a database or a web server.
"""

import sys
from typing import Final

from stanch.surfaces.cli.main import command_line
from stanch.surfaces.cli.session import Doors

DOORS: Final = Doors(
    modules={
        "embedded_way": "stanch.app.world",
        "calendars_for": "stanch.app.world",
        "carry_over": "stanch.app.moving",
        "compare_shadow": "stanch.app.moving",
        "replay_folder": "stanch.app.moving",
        "check_folder": "stanch.operations.oncall.checking",
        "judge_folder": "stanch.operations.oncall.checking",
        "remote_way": "stanch.surfaces.cli.remote",
        "server_version": "stanch.surfaces.cli.remote",
        "operation_list": "stanch.app.world",
        "fault_list": "stanch.app.wiring",
        "running_server": "stanch.surfaces.cli.running",
        "report_error": "stanch.surfaces.cli.failing",
        "stored_settings": "stanch.surfaces.cli.stored",
        "serve": "stanch.app.server",
        "serve_agents": "stanch.app.agents",
        "connect_sentry": "stanch.app.sentry",
        "sentry_connection": "stanch.app.sentry",
        "forget_sentry": "stanch.app.sentry",
        "run_drill": "stanch.app.drill",
        "check_gamedays": "stanch.app.gamedays",
        "describe_gameday": "stanch.app.gamedays",
        "play_gameday": "stanch.app.gamedays",
        "abort_gamedays": "stanch.app.gamedays",
        "run_proxy": "stanch.app.gamedays",
        "run_shop": "stanch.app.gamedays",
    }
)


def main() -> None:
    """Run the command line."""
    sys.exit(command_line(sys.argv[1:], doors=DOORS))


if __name__ == "__main__":
    main()
