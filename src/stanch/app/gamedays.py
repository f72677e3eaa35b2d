"""Game days as commands: played here against declared targets, told to the server that watches; aborted; the proxy."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from stanch.app.ending import interrupt, on_signals, wait_for
from stanch.app.server import listen, running
from stanch.catalog.gamedays.model import Gamedays, Scenario, digest_of, services_of
from stanch.catalog.gamedays.reading import mismatches, read_gamedays
from stanch.catalog.load import load_catalog
from stanch.diagnose.kinds import KINDS
from stanch.gameday.chaos.hands import RealHands
from stanch.gameday.chaos.journal import Journal, journals, unfinished
from stanch.gameday.chaos.model import Line, Note
from stanch.gameday.chaos.proxy import serve
from stanch.gameday.chaos.rules import pending
from stanch.gameday.chaos.runner import ABORTED, Runner, take_back
from stanch.gameday.chaos.sentinel import start_sentinel
from stanch.gameday.config import write_config, write_targets
from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.shop import Shop
from stanch.kernel.clock import SystemClock
from stanch.kernel.errors import Invalid, NotFound, Refused, StanchError, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.percentage import percent

_FOLDER: Final = "gamedays"
_LOOK_EVERY_S: Final = 2.0
_PATIENCE_S: Final = 90.0
SETTLED: Final = "settled"


class Ledger(Protocol):
    """Where a game day is recorded: the way to the operations."""

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        ...

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        ...


def check_gamedays(config: Path) -> Gamedays:
    """Return the scenarios and targets beside a configuration, with what is wrong with them."""
    catalog = load_catalog(config)
    return read_gamedays(
        Path(catalog.root),
        services=tuple(catalog.services),
        people=tuple(catalog.people),
        kinds=tuple(kind.name for kind in KINDS),
    )


def gameday_named(config: Path, name: str, on: Mapping[str, str]) -> tuple[Scenario, Gamedays]:
    """Return a scenario on its targets. Raises `NotFound`, and `Invalid` where it cannot be played."""
    known = check_gamedays(config)
    if name not in known.scenarios:
        raise NotFound(f"there is no scenario {name!r}", hint="see: stanch gameday list")
    scenario = known.scenarios[name].on(dict(on))
    if wrong := (*known.problems, *mismatches(scenario, known.targets)):
        raise Invalid(
            problems=wrong, hint="declare targets in gamedays/targets.toml, or name others: --on service=payments"
        )
    return scenario, known


def describe_gameday(config: Path, name: str, on: Mapping[str, str]) -> list[str]:
    """Return what a scenario would do, line by line, for whoever is to say yes."""
    scenario, known = gameday_named(config, name, on)
    touched = ", ".join(services_of(scenario, known.targets)) or "no declared service"
    steps = []
    for step in scenario.steps:
        target = known.targets[step.target]
        share = f"{percent(step.share)} of its instances" if step.share else "one instance"
        steps.append(f"  at {step.at_s:g} s: {step.do} {target.name} ({target.kind}), {share}")
    return [
        f"{scenario.title}: touches {touched}",
        *steps,
        f"Everything is taken back after {scenario.within_s:g} s, at Ctrl-C, and at: stanch gameday abort",
    ]


def play_gameday(
    *,
    ledger: Ledger,
    folder: Path,
    config: Path,
    name: str,
    on: Mapping[str, str],
    narrate: Callable[[str], None],
    until_settled: bool,
) -> JSON:
    """Play a scenario to its end and return the game day as the server tells it.

    Raises `Refused` while an earlier one is not taken back, and what the server says when it may not begin.
    """
    scenario, known = gameday_named(config, name, on)
    place = folder / _FOLDER
    if left := unfinished(place):
        names = ", ".join(one.story().scenario for one in left)
        raise Refused(f"not all is taken back of: {names}", reason="unfinished", hint="stanch gameday abort")
    digest = digest_of(scenario, known.targets)
    began = ledger.write("gameday.begin", scenario=name, digest=digest, on=dict(on))
    number = began["gameday"] if isinstance(began, dict) else 0
    if not isinstance(number, int) or not number:
        raise Unavailable("the server did not say which game day this is", retry=False)
    narrate(f"Game day {number}: {scenario.title}")
    journal = Journal(place / f"{time.time_ns()}")
    journal.folder.mkdir(parents=True)
    interrupted = threading.Event()
    with on_signals(interrupted.set, signal.SIGINT, signal.SIGTERM, signal.SIGHUP), journal.playing():
        sentinel = start_sentinel(journal.folder, within_s=scenario.within_s)
        looks = _Looks(ledger, number, interrupted=interrupted, until_settled=until_settled)
        Runner(
            scenario=scenario,
            targets=known.targets,
            journal=journal,
            hands=RealHands(journal.folder),
            clock=SystemClock(),
            wait=time.sleep,
            stop=looks.reason,
            narrate=narrate,
        ).play(gameday=number)
    sentinel.communicate()
    return _tell_end(ledger, journal)


def abort_gamedays(*, ledger: Ledger, folder: Path, narrate: Callable[[str], None]) -> int:
    """Stop every game day that is played here, take everything back, and return how much could not be.

    Whoever plays is asked first; where nobody does any more, or does not listen, it is done here.
    """
    left = 0
    place = folder / _FOLDER
    found = unfinished(place)
    for journal in found:
        journal.ask_abort()
        until = time.monotonic() + _PATIENCE_S
        while journal.is_played() and not journal.story().closed and time.monotonic() < until:
            time.sleep(0.2)
        story = take_back(journal, RealHands(journal.folder), clock=SystemClock(), reason=ABORTED, narrate=narrate)
        left += len(pending(story))
    # Of those that ended without their player too: it was killed, and could tell nobody.
    for journal in journals(place):
        story = journal.story()
        if story.gameday and not story.told and not journal.is_played():
            try:
                _tell_end(ledger, journal)
            except StanchError as error:
                narrate(f"It could not be recorded: {error.message}")
    if not found:
        narrate("No game day is played here, and nothing is left to take back.")
    return left


def run_proxy(
    *, listen_at: str, upstream: str, control: int, speaks_http: bool, narrate: Callable[[str], None]
) -> None:
    """Serve the fault proxy until interrupted. Raises `Invalid` for an address that is none."""
    front, far = _address(listen_at, field="--listen"), _address(upstream, field="--upstream")

    def ready() -> None:
        narrate(f"{listen_at} -> {upstream}; control: http://127.0.0.1:{control}/fault")

    with on_signals(interrupt, signal.SIGTERM, signal.SIGHUP):
        try:
            asyncio.run(serve(listen=front, upstream=far, control=control, speaks_http=speaks_http, ready=ready))
        except OSError as error:
            raise Unavailable(f"the proxy cannot listen: {error}", retry=False) from error
        except KeyboardInterrupt:
            return


def run_shop(*, folder: Path, port: int, narrate: Callable[[str], None]) -> None:
    """Keep the sample shop and a server that watches it up until interrupted, with its targets declared."""
    place = folder / "gameday-shop"
    listener = listen("127.0.0.1", port)
    with on_signals(interrupt, signal.SIGTERM, signal.SIGHUP):
        try:
            with Shop.start(place / "shop") as shop:
                config = write_config(shop, place)
                write_targets(shop)
                for old in place.glob("stanch.db*"):
                    old.unlink()
                catalog = load_catalog(config)
                with running(catalog, folder=place, port=port, announced_in=folder, listener=listener) as server:
                    narrate(f"Stanch watches the sample shop: {server.url} (Ctrl+C stops it)")
                    narrate(f"Try: stanch gameday run paused-process -c {config} --on service=payments")
                    wait_for(threading.Event())
        except KeyboardInterrupt:
            return
        except ShopError as error:
            raise Unavailable(str(error), retry=False) from error
        finally:
            listener.close()


class _Looks:
    """Says why to end early: a signal, or that nothing is open in the score any more."""

    def __init__(self, ledger: Ledger, number: int, *, interrupted: threading.Event, until_settled: bool) -> None:
        self._ledger = ledger
        self._number = number
        self._interrupted = interrupted
        self._until_settled = until_settled
        self._next = time.monotonic() + _LOOK_EVERY_S

    def reason(self) -> str:
        """Return why, an empty text to go on."""
        if self._interrupted.is_set():
            return ABORTED
        if not self._until_settled or time.monotonic() < self._next:
            return ""
        self._next = time.monotonic() + _LOOK_EVERY_S
        try:
            told = self._ledger.read("gameday.show", gameday=self._number)
        except Unavailable:
            # The game day may be about this very server: what it breaks is taken back on time all the same.
            return ""
        return SETTLED if isinstance(told, dict) and told.get("settled") is True else ""


def _tell_end(ledger: Ledger, journal: Journal) -> JSON:
    story = journal.story()
    steps = [
        {
            "step": one.deed.step,
            "words": one.deed.words,
            "done_at": one.done_at.isoformat() if one.done_at else None,
            "undone_at": one.undone_at.isoformat() if one.undone_at else None,
            "problem": one.problem,
        }
        for one in story.deeds
    ]
    told = ledger.write("gameday.end", gameday=story.gameday, reason=story.closed, steps=steps)
    journal.write(Line(note=Note.TOLD, at=SystemClock().now()))
    return told


def _address(text: str, *, field: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise Invalid("must be a host and a port, such as 127.0.0.1:5432", field=field)
    return host.strip("[]"), int(port)
