"""The pages' own files. Each is served under its content's hash, so that a browser may keep it for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file, its content and the address it is served at."""

    name: str
    body: bytes
    packed: bytes
    media_type: str

    @property
    def url(self) -> str:
        """Return the address, which changes with the content."""
        return f"/assets/{hashlib.blake2b(self.body, digest_size=6).hexdigest()}/{self.name}"


def _load() -> dict[str, Asset]:
    folder = resources.files(__package__ or "stanch.surfaces.web") / "assets"
    found = {}
    for file in folder.iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in _TYPES:
            body = file.read_bytes()
            packed = gzip.compress(body, mtime=0)
            found[file.name] = Asset(name=file.name, body=body, packed=packed, media_type=_TYPES[suffix])
    return found


ASSETS: Final = _load()


def asset_url(name: str) -> str:
    """Return the address of the asset `name`."""
    return ASSETS[name].url


def routes() -> list[BaseRoute]:
    """Return the route of the assets."""

    async def asset(request: Request) -> Response:
        found = ASSETS.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        # An old page may ask with an old hash: it gets the present file, and is told not to keep it.
        cache = _FOR_EVER if request.url.path == found.url else "no-cache"
        headers = {"cache-control": cache, "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        body = found.packed if "content-encoding" in headers else found.body
        return Response(body, media_type=found.media_type, headers=headers)

    return [Route("/assets/{hash}/{name}", asset, methods=["GET"])]
