"""What a command works with: what was said before it, and the way to the operations, near or far.

A command asks operations through a `Way`: over HTTP where a server runs, else in this process on the embedded store.
"""

import importlib
import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    # The help text must not wait for the events of the log.
    from stanch.kernel.event import JSON

_NONE: Final = "none"


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Where the rest of the product is found when a command needs it; imported then and not before.

    `modules` says for each function which module holds it.
    """

    modules: Mapping[str, str]

    def open(self, name: str) -> Callable[..., object]:
        """Return the function `name`."""
        found: Callable[..., object] = getattr(importlib.import_module(self.modules[name]), name)
        return found


class Way(Protocol):
    """The way to the operations."""

    @property
    def where(self) -> str:
        """Return what answers: a URL, or the path of the embedded store."""
        ...

    @property
    def is_server(self) -> bool:
        """Tell whether a server answers, which goes on working when the command is over."""
        ...

    def read(self, operation: str, **query: object) -> "JSON":
        """Ask a read operation, e.g. `incident.show`, and return its answer as JSON values."""
        ...

    def write(self, operation: str, **body: object) -> "JSON":
        """Ask any other operation."""
        ...

    def settle(self) -> None:
        """Let what a write made due be done before the command ends; a server does it by itself."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Session:
    """What was said before the command."""

    doors: Doors
    server: str = ""
    actor: str = ""
    data: str = ""
    debug: bool = False
    no_input: bool = False

    @property
    def person(self) -> str:
        """Return who is asking: `--actor`, else the login name."""
        return self.actor or login_name()

    @property
    def folder(self) -> Path:
        """Return where the embedded store and the server's traces are: `--data`, else the XDG state folder."""
        if self.data:
            return Path(self.data)
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(base) / "stanch"

    @property
    def url(self) -> str:
        """Return the server to ask: the one that was named, else one that runs here; empty for the embedded store."""
        if self.server:
            return "" if self.server == _NONE else self.server
        return cast("str", self.doors.open("running_server")(self.folder))

    def way(self) -> Way:
        """Return the way to the operations: the server that was named, one that runs here, or the embedded store."""
        url = self.url
        if url:
            return cast("Way", self.doors.open("remote_way")(url, actor=self.person, debug=self.debug))
        return cast("Way", self.doors.open("embedded_way")(self.folder, actor=self.person))


def login_name() -> str:
    """Return the login name: LOGNAME or USER, else that of the account, `somebody` where there is none."""
    for name in ("LOGNAME", "USER"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "somebody"


def config_folder() -> Path:
    """Return the folder of the user's own settings."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")) / "stanch"


def server_file(folder: Path) -> Path:
    """Return the file in which a running server says where it is."""
    return folder / "server.json"
