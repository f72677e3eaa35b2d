"""The entry point of `stanch`: hands the command line the functions that need the rest of the product.

Nothing heavy is imported here: `stanch --help` must not wait for a database or a web server.
"""

import sys

from stanch.surfaces.cli.main import command_line
from stanch.surfaces.cli.session import Doors


def main() -> None:
    """Run the command line."""
    sys.exit(command_line(sys.argv[1:], doors=Doors(module="stanch.app")))


if __name__ == "__main__":
    main()
