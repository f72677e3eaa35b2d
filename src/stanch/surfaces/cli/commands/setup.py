"""Commands that set up and look after: write a first stanch.toml, check it, and check what Stanch needs."""

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from stanch.catalog.first import COMPOSE_FILES, Surroundings, first_document, read_compose
from stanch.catalog.load import FILE_NAME, load_catalog
from stanch.catalog.model import Catalog
from stanch.comms.templates import open_templates
from stanch.kernel.errors import Conflict, Invalid, NotFound, StanchError
from stanch.packs.reading import read_packs
from stanch.surfaces.cli.moments import ahead
from stanch.surfaces.cli.records import children, count_in, record_of, records_of, text_of, texts
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import json_option, local_zone, print_json
from stanch.surfaces.cli.telling import hint, is_tty, paint, say, table

if TYPE_CHECKING:
    from stanch.kernel.event import JSON

    # The store behind it is for those who check on-call alone.
    from stanch.operations.oncall.checking import Checked

_GIT_WITHIN_S: Final = 10.0
_LEAST_PYTHON: Final = (3, 11)
_SIGNS: Final = {"ok": ("✓", "green"), "note": ("·", None), "failed": ("✗", "red")}


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One thing that was checked: `state` is `ok`, `note` (worth knowing) or `failed`."""

    name: str
    state: str
    detail: str


@click.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--at", "instant", default="", help="Check the rules of on-call from this instant on; by default now.")
@json_option
@click.pass_context
def check(ctx: click.Context, file: Path | None, instant: str, as_json: bool) -> None:
    """Check stanch.toml and show everything that is wrong, at once; with the rules and the tests of on-call."""
    where = file or Path(FILE_NAME)
    try:
        catalog = load_catalog(where)
    except NotFound as error:
        raise NotFound(error.message, hint="write a first one: stanch init") from error
    read_packs(Path(catalog.root) / catalog.packs)
    open_templates(Path(catalog.root) / catalog.comms.templates)
    _check_gamedays(ctx.obj, catalog, where)
    _check_oncall(ctx.obj, catalog, where, at=ahead(instant, zone=catalog.zone, field="--at"))
    checks = sum(len(service.checks) for service in catalog.services.values())
    actions = sum(len(service.actions) for service in catalog.services.values())
    counts = {
        "services": len(catalog.services),
        "checks": checks,
        "actions": actions,
        "people": len(catalog.people),
        "channels": len(catalog.channels),
    }
    if as_json:
        print_json({"valid": True, "file": str(where), **counts})
        return
    told = ", ".join(f"{count} {name if count != 1 else name.removesuffix('s')}" for name, count in counts.items())
    click.echo(f"{where} is valid: {told}".replace("1 people", "1 person"))


def _check_gamedays(session: Session, catalog: Catalog, where: Path) -> None:
    """Raise `Invalid` for what is wrong in the folder `gamedays`; without one nothing is loaded."""
    if (Path(catalog.root) / "gamedays").is_dir():
        known = session.doors.open("check_gamedays")(where)
        if problems := getattr(known, "problems", ()):
            raise Invalid(problems=problems, hint="docs/gamedays.md lists every key")


def _check_oncall(session: Session, catalog: Catalog, where: Path, *, at: str | None) -> None:
    """Raise `Invalid` for rules that are broken ahead and for assertions that do not hold."""
    calendars = session.doors.open("calendars_for")(catalog)
    now = datetime.fromisoformat(at) if at else datetime.now(UTC)
    folder = where if where.is_dir() else where.parent
    checked = cast("Checked", session.doors.open("check_folder")(catalog, calendars, folder, now=now))
    for note in checked.notes:
        hint(note)
    if checked.problems:
        raise Invalid(problems=checked.problems, hint="what each rule asks, and how to switch it off: docs/oncall.md")


@click.command("init")
@click.option("--dry-run", is_flag=True, help="Print it and write nothing.")
def init(dry_run: bool) -> None:
    """Write a first stanch.toml from what is found here; one that is there stays as it is."""
    found = _look_around(Path.cwd())
    document = first_document(found)
    if dry_run:
        click.echo(document, nl=False)
        return
    try:
        with Path(FILE_NAME).open("x", encoding="utf-8") as file:
            file.write(document)
    except FileExistsError:
        raise Conflict(
            f"{FILE_NAME} is there already", reason="exists", hint="what would be written: stanch init --dry-run"
        ) from None
    click.echo(FILE_NAME)
    for sentence in _told(found):
        hint(sentence)
    hint("Next: name the health pages in it, then: stanch check && stanch serve")


@click.command("doctor")
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check what Stanch needs and what it can reach; exit code 1 when something is missing."""
    session: Session = ctx.obj
    found = [
        _tried("python", _python),
        _tried("git", _git),
        _tried("store", lambda: _store(session)),
        _tried("server", lambda: _server(session)),
        _tried("configuration", _configuration),
        _tried("services", lambda: _services(session)),
        *_tried_all("checks", lambda: _checks(session)),
        *_tried_all("systems", lambda: _systems(session)),
        *_tried_all("channels", lambda: _channels(session)),
        *_tried_all("senders", lambda: _senders(session)),
        *_tried_all("paging", lambda: _paging(session)),
    ]
    failed = any(one.state == "failed" for one in found)
    if as_json:
        print_json({"ok": not failed, "checks": [vars(one) for one in found]})
    else:
        say(table([(_sign(one.state), one.name, one.detail) for one in found]))
    ctx.exit(1 if failed else 0)


def _look_around(folder: Path) -> Surroundings:
    top = _git_says(folder, "rev-parse", "--show-toplevel")
    remote = _git_says(folder, "remote", "get-url", "origin")
    compose = next((name for name in COMPOSE_FILES if (folder / name).is_file()), "")
    services = read_compose((folder / compose).read_text(encoding="utf-8", errors="replace")) if compose else ()
    named = remote.rstrip("/").rpartition("/")[2].removesuffix(".git") or Path(top or folder).name or "stanch"
    return Surroundings(
        name=named,
        zone=local_zone(),
        is_repository=bool(top),
        services=services,
        compose_file=compose,
        kubeconfig=(Path.home() / ".kube" / "config").is_file(),
    )


def _told(found: Surroundings) -> list[str]:
    told = [f"Git repository: {found.name}" if found.is_repository else "This is no git repository"]
    if found.compose_file:
        names = ", ".join(one.name for one in found.services) or "none that could be read"
        told.append(f"Services in {found.compose_file}: {names}")
    return told


def _git_says(folder: Path, *arguments: str) -> str:
    """Return what git answers, an empty text where it does not."""
    try:
        answer = subprocess.run(
            ["git", "-C", folder, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _tried(name: str, look: Callable[[], tuple[str, str]]) -> Diagnosis:
    try:
        state, detail = look()
    except (StanchError, OSError) as error:
        state, detail = "failed", f"{error}"
    return Diagnosis(name=name, state=state, detail=detail)


def _tried_all(name: str, look: Callable[[], list[Diagnosis]]) -> list[Diagnosis]:
    """Return what `look` tells of many things, or the one line that says why it tells nothing."""
    try:
        return look()
    except (StanchError, OSError) as error:
        return [Diagnosis(name=name, state="failed", detail=f"{error}")]


def _asked(session: Session, operation: str) -> "JSON":
    """Return what an operation answers, on a way of its own: one that breaks breaks for one look."""
    with closing(session.way()) as way:
        return way.read(operation)


def _python() -> tuple[str, str]:
    state = "ok" if sys.version_info >= _LEAST_PYTHON else "failed"
    return state, f"Python {platform.python_version()} at {sys.executable}"


def _git() -> tuple[str, str]:
    if shutil.which("git") is None:
        return "note", "git is not installed: commits and tags cannot be looked at"
    return "ok", _git_says(Path.cwd(), "--version") or "git does not answer"


def _store(session: Session) -> tuple[str, str]:
    session.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=session.folder):
        return "ok", f"{session.folder} can be written"


def _server(session: Session) -> tuple[str, str]:
    url = session.url
    if not url:
        return "note", "no server runs; commands use the embedded store, and nothing is watched (stanch serve)"
    return "ok", f"version {session.doors.open('server_version')(url)} at {url}"


def _configuration() -> tuple[str, str]:
    try:
        catalog = load_catalog(FILE_NAME)
    except NotFound:
        return "note", f"there is no {FILE_NAME} here (stanch init)"
    except Invalid as error:
        return "failed", f"{FILE_NAME}: {len(error.problems)} things are wrong (stanch check)"
    count = len(catalog.services)
    return "ok", f"{FILE_NAME} is valid: {count} {'service' if count == 1 else 'services'}"


def _services(session: Session) -> tuple[str, str]:
    cards = records_of(_asked(session, "service.list"))
    seen = [card for card in cards if card.get("seen_at")]
    if not cards:
        return "note", "no service is configured, so nothing is watched"
    down = [text_of(card, "name") for card in cards if text_of(card, "state") in ("down", "degraded")]
    told = f"{len(seen)} of {len(cards)} services seen"
    return ("ok" if len(seen) == len(cards) else "note"), told + (f"; not well: {', '.join(down)}" if down else "")


def _paging(session: Session) -> list[Diagnosis]:
    """Return whether pages would arrive: one line when they would, one for each thing that is missing else."""
    told = record_of(_asked(session, "oncall.readiness"))
    if told.get("configured") is not True:
        return [Diagnosis(name="paging", state="note", detail="no one is on call, so nobody is paged")]
    lacks = [
        Diagnosis(
            name="paging",
            state="failed" if one.get("grave") is True else "note",
            detail=f"{text_of(one, 'message')} ({text_of(one, 'hint')})",
        )
        for one in children(told, "shortcomings")
    ]
    return lacks or [Diagnosis(name="paging", state="ok", detail=f"{count_in(told, 'people')} people can be reached")]


def _channels(session: Session) -> list[Diagnosis]:
    """Return a line for each thing that a channel lacks, or one that says that it lacks nothing."""
    found = []
    for card in records_of(_asked(session, "comms.channels")):
        name = text_of(card, "name")
        lacks, notes = texts(card, "lacks"), texts(card, "notes")
        found += [Diagnosis(name=name, state="failed", detail=one) for one in lacks]
        found += [Diagnosis(name=name, state="note", detail=one) for one in notes]
        if not lacks and not notes:
            way_in = text_of(card, "hears")
            told = f"{text_of(card, 'kind')} is set up" + (f", and heard by {way_in}" if way_in else "")
            found.append(Diagnosis(name=name, state="ok", detail=told))
    return found


def _senders(session: Session) -> list[Diagnosis]:
    """Return a line for each sender and heartbeat that is turned away, as its secret is not there."""
    with closing(session.way()) as way:
        cards = [*records_of(way.read("source.list")), *records_of(way.read("heartbeat.list"))]
    return [
        Diagnosis(
            name=text_of(card, "name"), state="failed", detail=f"{lacks} is not set in the environment of the server"
        )
        for card in cards
        if (lacks := text_of(card, "lacks"))
    ]


def _systems(session: Session) -> list[Diagnosis]:
    """Return a line for each place that evidence is read from: systems, logs, changes, Sentry; silence is a note."""
    found = []
    for card in records_of(_asked(session, "system.list")):
        state = {"ok": "ok", "no_data": "note"}.get(text_of(card, "status"), "failed")
        told = f"{text_of(card, 'kind')} at {text_of(card, 'where')}: {text_of(card, 'detail')}"
        found.append(Diagnosis(name=text_of(card, "name"), state=state, detail=told))
    return found


def _checks(session: Session) -> list[Diagnosis]:
    """Look once with every check, side by side, and return one line for each."""
    states = {"ok": "ok", "failed": "failed", "unseen": "failed"}
    return [
        Diagnosis(
            name=f"{text_of(one, 'service')} {text_of(one, 'check')}",
            state=states.get(text_of(one, "state"), "failed"),
            detail=text_of(one, "says"),
        )
        for one in records_of(_asked(session, "check.try"))
    ]


def _sign(state: str) -> str:
    sign, colour = _SIGNS[state]
    return paint(sign, colour) if is_tty() else state


COMMANDS: Final[dict[str, click.Command]] = {
    "init": init,
    "check": check,
    "doctor": doctor,
}
