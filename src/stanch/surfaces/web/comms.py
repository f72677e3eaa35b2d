"""The pages of what is told: the draft with exactly who gets it, who was told what; and catching up."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.comms.catchup import Catchup
from stanch.comms.words import AUDIENCES
from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, NotFound
from stanch.operations.channels import ChannelLook
from stanch.operations.communicating import PreviewView, ToldList
from stanch.operations.thinking import ThinkerView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        *screen_routes(front, "/i/{number}/messages", messages_page),
        *screen_routes(front, "/i/{number}/catchup", catchup_page),
    ]


async def messages_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the draft together as the address asks for it, and who was told what."""
    number = _number(request)
    given = {"text": "", "public_text": "", **asked(request, "text", "public_text")}
    chosen = tuple(word for word in request.query_params.getlist("audiences") if word in AUDIENCES)
    wanted = {"incident": number, **given, "audiences": list(chosen)}
    preview = await front.ask(request, "comms.preview", wanted, via=Via.WEB)
    told = await front.ask(request, "comms.told", {"incident": number}, via=Via.WEB)
    thinker = await front.ask(request, "thinker.show", {"incident": number}, via=Via.WEB)
    looks = await front.ask(request, "comms.channels", {}, via=Via.WEB)
    if not (isinstance(preview, PreviewView) and isinstance(told, ToldList) and isinstance(thinker, ThinkerView)):
        raise Bug("comms.preview, comms.told and thinker.show do not answer with what they are")
    values = {
        "number": number,
        "preview": preview,
        "told": told,
        "given": given,
        "chosen": chosen,
        "audiences": AUDIENCES,
        "reader": reader,
        "thinker": thinker,
        "looks": [one for one in looks if isinstance(one, ChannelLook)] if isinstance(looks, list) else [],
        "now": front.world.clock.now(),
    }
    return Screen(
        template="messages.html",
        title=f"{told.key} messages · Stanch",
        parts=[
            part("thinker", "messages/thinker.html", values),
            part("channels", "messages/channels.html", values),
            part("draft", "messages/draft.html", values),
            part("told", "messages/told.html", values),
        ],
        values={"number": number, "key": told.key, "given": given, "chosen": chosen, "audiences": AUDIENCES},
    )


async def catchup_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put together what somebody needs who joins now."""
    number = _number(request)
    found = await front.ask(request, "incident.catchup", {"incident": number}, via=Via.WEB)
    if not isinstance(found, Catchup):
        raise Bug("incident.catchup does not answer with a catch-up")
    values = {"number": number, "found": found, "now": front.world.clock.now()}
    return Screen(
        template="catchup.html",
        title=f"{found.key} catch up · Stanch",
        parts=[part("catchup", "messages/catchup.html", values)],
        values={"number": number},
    )


def _number(request: Request) -> int:
    text = request.path_params["number"].upper().removeprefix("INC-")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound(f"there is no incident {text[:40]!r}", hint="an incident's page is /i/ and its number")
    return int(text)
