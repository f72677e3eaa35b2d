"""Finds the server that runs on this machine, by the file in which it says where it is."""

import json
import os
import socket
from pathlib import Path
from typing import Final

from stanch.surfaces.cli.session import server_file

# A server on this machine takes a connection within a millisecond; one that does not is stuck or gone.
_PROBE_S: Final = 0.5


def running_server(folder: Path) -> str:
    """Return the URL of the server that runs on `folder`, empty when there is none.

    A file that a killed server left behind counts for nothing, even where another process has its number by now.
    """
    try:
        told = json.loads(server_file(folder).read_text(encoding="utf-8"))
        url, pid = str(told["url"]), int(told["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return url if _is_alive(pid) and _answers(url) else ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _answers(url: str) -> bool:
    host, _, port = url.rpartition("//")[2].partition("/")[0].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S):
            return True
    except (OSError, ValueError):
        return False
