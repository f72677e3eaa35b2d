"""The server process: one world, its engine in threads, the pages and the API on one port."""

import errno
import gc
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from stanch.app.chat import chat_desk, chats_of
from stanch.app.ending import on_signals, wait_for
from stanch.app.listening import listeners_of
from stanch.app.logging import configure_logging
from stanch.app.mail import mail_listener
from stanch.app.wiring import DATABASE, build_engine, build_intake, build_world, read_catalog
from stanch.catalog.model import Catalog
from stanch.engine.intake import Intake
from stanch.engine.loop import Engine
from stanch.kernel.errors import Invalid, Unavailable
from stanch.operations.world import World
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.running import Server
from stanch.surfaces.asgi.server import application
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.chat.routes import Chats
from stanch.surfaces.cli.session import server_file
from stanch.surfaces.http import alertmanager, api, feeds
from stanch.surfaces.http.heartbeats import Heartbeats
from stanch.surfaces.http.hooks import Hooks
from stanch.surfaces.mcp.routes import Agents
from stanch.surfaces.web import answers, pages, report, statuspage

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_GOODBYE_S: Final = 8
_LAST_PORT: Final = 65_535
_STARTED_WITHIN_S: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that runs in this process."""

    url: str
    world: World
    engine: Engine
    intake: Intake


def serve(*, folder: Path, config: str | None, host: str, port: int, database: str, routing: str | None = None) -> None:
    """Serve until the process is told to stop. Raises `Unavailable` when the port is taken.

    `routing` is the path of an `alertmanager.yml`. A `config` that ends in `.yml` or `.yaml` is one too, and is then
    all the configuration there is.
    """
    if config is not None and Path(config).suffix in (".yml", ".yaml"):
        routing, catalog = config, Catalog(root=str(Path(config).absolute().parent))
    else:
        catalog = read_catalog(config)
    stop = threading.Event()
    with (
        on_signals(stop.set, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        running(catalog, folder=folder, host=host, port=port, database=database, routing=routing) as server,
    ):
        _spare_the_collector()
        print(f"Stanch runs at {server.url}", flush=True)  # noqa: T201  (the one line a service prints)
        wait_for(stop)


@contextmanager
def running(
    catalog: Catalog,
    *,
    folder: Path,
    host: str = "127.0.0.1",
    port: int,
    database: str = "",
    announced_in: Path | None = None,
    routing: str | None = None,
    listener: socket.socket | None = None,
) -> Iterator[Running]:
    """Run the server while the block lasts; everything is stopped at its end.

    It says where it is in `announced_in`, by default `folder`, so that commands find it. `listener` is what `listen`
    gave for this host and port, for who must know that the port is free before there is a server; it is closed too.
    """
    token = os.environ.get("STANCH_TOKEN", "")
    if host not in _LOOPBACK and not token:
        raise Invalid(
            f"listening on {host} lets other machines in, so a token is needed",
            field="host",
            hint="set STANCH_TOKEN to a long random text, STANCH_HOSTS to its names; or listen on 127.0.0.1",
        )
    configure_logging()
    folder.mkdir(parents=True, exist_ok=True)
    listener = listener or listen(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    world = build_world(catalog=catalog, database=database or folder / DATABASE, url=catalog.url or url, data=folder)
    engine = build_engine(world)
    intake = build_intake(world, routing)
    front = Front.of(world)
    desk = chat_desk(world, wake=intake.wake)
    chats = Chats(desk, chats_of(world))
    trust = Trust(hosts=_names(host, catalog.url), token=token)
    web = Server(asgi(front, intake, trust=trust, chats=chats), front=front)
    mail = mail_listener(world, wake=intake.wake)
    listeners = listeners_of(world, desk, posted=chats.asks.values())
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, name="stanch-web", daemon=True)
    trace = server_file(announced_in or folder)
    engine.start()
    intake.start()
    try:
        if mail is not None:
            mail.start()
        for one in listeners:
            one.start()
        thread.start()
        _wait_started(web, thread)
        _leave_word(trace, {"url": url, "pid": os.getpid()})
        yield Running(url=url, world=world, engine=engine, intake=intake)
    finally:
        trace.unlink(missing_ok=True)
        web.should_exit = True
        for one in listeners:
            one.stop()
        engine.stop()
        thread.join(timeout=_GOODBYE_S)
        if mail is not None:
            mail.stop()
        # After the last request, so that everything that was taken in is on the disk.
        intake.stop()
        listener.close()
        world.store.close()


def _leave_word(trace: Path, told: dict[str, str | int]) -> None:
    """Say where the server is. Renamed into place: who read half of it would take it that there is none."""
    half = trace.with_suffix(".half")
    half.write_text(json.dumps(told), encoding="utf-8")
    half.replace(trace)


def asgi(front: Front, intake: Intake, *, trust: Trust | None = None, chats: Chats | None = None) -> ASGIApp:
    """Return the web application of `front`: pages and API, and what senders of alerts know."""
    hooks = Hooks(front.world, trust=trust, wake=intake.wake)
    beats = Heartbeats(front.world, trust=trust)
    chats = chats or Chats(chat_desk(front.world, wake=intake.wake), chats_of(front.world))
    agents = Agents(front, trust=trust)
    routes = [
        *hooks.routes(),
        *beats.routes(),
        *chats.routes(),
        *agents.routes(),
        *alertmanager.routes(intake),
        *api.routes(front),
        *feeds.routes(front),
        *pages.routes(front, trust=trust),
    ]
    return application(
        front,
        routes=routes,
        trust=trust,
        page_error=pages.page_error(front),
        checks_itself=_checks_itself(front.world, hooks, beats, chats, agents),
        direct={("POST", "/api/v2/alerts"): alertmanager.taking(intake)},
    )


def _spare_the_collector() -> None:
    """Take what is there now out of the garbage collector's view, and let it look less often.

    Modules and tables stay as long as the process, 200,000 objects that it would look at again and again; a bundle of
    4,096 alerts makes about 20,000 that are gone when it is committed, without the collector's help.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _checks_itself(
    world: World, hooks: Hooks, beats: Heartbeats, chats: Chats, agents: Agents
) -> Callable[[str], bool]:
    """Return what tells whether a path decides by itself whom it listens to."""

    def asked(path: str) -> bool:
        sent = hooks.answers(path) or beats.answers(path) or chats.answers(path) or agents.answers(path)
        read = answers.answers_itself(path) or feeds.answers_itself(path) or report.answers_itself(world, path)
        return sent or read or statuspage.answers_itself(world, path)

    return asked


def _names(host: str, url: str) -> frozenset[str]:
    """Return the names people may reach this server by: its address, that of `url`, and STANCH_HOSTS, by commas."""
    named = os.environ.get("STANCH_HOSTS", "").lower().split(",")
    return frozenset({host, urlsplit(url).hostname or host, *(name.strip() for name in named if name.strip())})


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises `Unavailable` when the port is taken, `Invalid` when it is none."""
    if not 0 <= port <= _LAST_PORT:
        raise Invalid(f"{port} is no port: there are 0 to {_LAST_PORT}", field="port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                f"port {port} on {host} is taken",
                retry=False,
                hint=f"stop what listens there, or take another: --port {port + 1}",
            ) from error
        raise Unavailable(f"cannot listen on {host}:{port}: {error.strerror}", retry=False) from error
    return listener


def _wait_started(web: Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(int(_STARTED_WITHIN_S / 0.02)):
        if web.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.02)
    raise Unavailable("the web server did not start", retry=False)
