"""The pages of game days: what can be played and what was, and one with what was expected of it and what came.

A game day is played at a terminal on the machine where its targets are, which is where a person says yes to it. So the
pages begin none: they give the command, and say what would keep it from being played.
"""

import shlex
from typing import Final

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, NotFound
from stanch.operations.gamedays import GamedaysView, GamedayView, ScenarioView
from stanch.review.gamedays.model import Standing
from stanch.review.gamedays.rules import TITLES
from stanch.review.gamedays.telling import to_do
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes

_DIGITS: Final = 9
WORDS: Final = {
    Standing.HELD: "held",
    Standing.MISSED: "missed",
    Standing.OPEN: "open",
    Standing.NOT_ASKED: "not asked",
}


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [*screen_routes(front, "/gamedays", list_page), *screen_routes(front, "/gamedays/{number}", one_page)]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put together what was played, the newest first, and what can be."""
    found = await front.ask(request, "gameday.list", {}, via=Via.WEB)
    if not isinstance(found, GamedaysView):
        raise Bug("gameday.list answered with something else")
    values: dict[str, object] = {
        "told": found,
        "ready": [(one, command_of(one)) for one in found.scenarios if not one.problems],
        "lacking": [one for one in found.scenarios if one.problems],
    }
    parts = [part("played", "gamedays/played.html", values), part("scenarios", "gamedays/scenarios.html", values)]
    return Screen(template="gamedays.html", title="Game days · Stanch", parts=parts, values=values, every=15)


async def one_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page of one game day together."""
    text = request.path_params["number"]
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text)):
        raise NotFound(f"there is no game day {text[:40]!r}", hint="they are at /gamedays")
    found = await front.ask(request, "gameday.show", {"gameday": int(text)}, via=Via.WEB)
    if not isinstance(found, GamedayView):
        raise Bug("gameday.show answered with something else")
    values: dict[str, object] = {
        "one": found,
        "titles": TITLES,
        "words": WORDS,
        "items": [to_do(mark, title=found.title)[0] for mark in found.marks if mark.standing is Standing.MISSED],
        "reader": reader,
    }
    title = f"Game day {found.gameday}: {found.title} · Stanch"
    return Screen(template="gameday.html", title=title, parts=[part("report", "gamedays/report.html", values)])


def command_of(scenario: ScenarioView) -> str:
    """Return what plays a scenario at a terminal."""
    return shlex.join(["stanch", "gameday", "run", scenario.name])
