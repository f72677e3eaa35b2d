"""The wiring of `stanch sentry`: a configured Sentry is connected by OAuth, looked at, and let go."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from stanch.app.systems import spec_of
from stanch.app.world import read_catalog
from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry.connecting import Connecting
from stanch.integrations.sentry.grants import Grants
from stanch.integrations.sentry.oauth import Application, Device
from stanch.integrations.sentry.tracker import SentryTracker
from stanch.kernel.errors import Invalid, NotFound
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import Connection

_NO_SYSTEM = 'add [systems.sentry] with organization = "..." to stanch.toml'


def connect_sentry(
    name: str,
    *,
    folder: Path,
    client_id: str,
    secret_env: str,
    show: Callable[[str], None],
    device: bool,
    port: int,
) -> Connection:
    """Let a person grant access to the configured Sentry `name`, and keep it below `folder`.

    Raises `NotFound` and `Invalid` where none is configured, `Refused` and `Unavailable` where nothing was granted.
    """
    spec = _spec(name, folder)
    if spec.secret:
        raise Invalid(
            f"{spec.name} has a token already, and that one is used", field="secret_env", hint="take `secret_env` out"
        )
    secret = os.environ.get(secret_env, "").strip() if secret_env else ""
    if secret_env and not secret:
        raise Invalid(f"{secret_env} is not set", field="--client-secret-env")
    app = Application(client_id=client_id, client_secret=secret, **({"host": spec.url} if spec.url else {}))
    connecting = Connecting(spec=spec, app=app, fetch=HttpGet())
    if device:
        return connecting.by_device(show=lambda one: show(_told(one)), wait=time.sleep)
    return connecting.by_browser(show=lambda url: show(f"Log in and choose the organization: {url}"), port=port)


def sentry_connection(name: str, *, folder: Path) -> Connection:
    """Return how the configured Sentry `name` is connected. Raises what `Tracker.connection` does."""
    return SentryTracker(_spec(name, folder), fetch=HttpGet()).connection()


def forget_sentry(name: str, *, folder: Path) -> bool:
    """Forget what was granted for the configured Sentry `name`; tell whether anything was."""
    return Grants(Path(_spec(name, folder).settings["secrets"])).forget()


def _spec(name: str, folder: Path) -> SystemSpec:
    catalog = read_catalog(None)
    found = [one for one in catalog.systems.values() if one.kind == "sentry" and name in ("", one.name)]
    if not found:
        raise NotFound(f"no Sentry{f' {name!r}' if name else ''} is configured here", hint=_NO_SYSTEM)
    if len(found) > 1:
        raise Invalid(f"several are configured: {', '.join(one.name for one in found)}", field="name", hint="name one")
    return spec_of(found[0], catalog, environment=os.environ, data=folder)


def _told(device: Device) -> str:
    return f"Open {device.whole_url or device.url} on any machine, and check that it shows the code {device.user_code}"
