"""The Statuspage channel: one incident there for one here, an update for each message
(https://developer.statuspage.io/).

An incident carries in its metadata which one of ours it is and the id of its last message, so that one whose answer was
lost is found again and no message is said twice. Statuspage mails its subscribers at every update.
"""

import weakref
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.kernel.blockdata import read_blocks
from stanch.kernel.blocks import Heading, clean, to_plain
from stanch.ports.bounded import bounds
from stanch.ports.channel import (
    Case,
    ChannelSettings,
    Failure,
    Message,
    NotTaken,
    Receipt,
    hidden,
    lost,
    nothing_arrives,
    refused,
)

_API: Final = "https://api.statuspage.io/v1"
_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
_NAME: Final = 255
_BODY: Final = 25_000
# Besides 429, its word for asking too often (https://developer.statuspage.io/#section/Rate-Limiting).
_CALM_DOWN: Final = 420
_OURS: Final = "stanch"
_STAGES: Final = {
    "detected": "investigating",
    "acknowledged": "investigating",
    "investigating": "investigating",
    "identified": "identified",
    "mitigating": "identified",
    "monitoring": "monitoring",
}
_IMPACTS: Final = {"SEV1": "critical", "SEV2": "major", "SEV3": "minor", "SEV4": "none"}

Found = dict[str, object]


class StatuspageChannel:
    """Keeps the incidents of one page."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        base = (settings.url or _API).rstrip("/")
        self._incidents = f"{base}/pages/{quote(settings.target, safe='')}/incidents"
        headers = {"Authorization": f"OAuth {settings.secret}"}
        self._client = httpx2.Client(timeout=_TIMEOUT, headers=headers, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """The last message's id stands with the incident, and is looked at before one is said again."""
        return True

    def post(self, message: Message) -> Receipt:
        """Open the incident on the page, or add an update to it."""
        case = message.case
        if case is None:
            raise NotTaken(f"{self.name} shows incidents and nothing else", failure=Failure.REFUSED)
        mark = f"{case.key} {message.room}"
        known: Found = {}
        if message.again or not message.place:
            known = self._find(message.place, mark)
            if known and _last(known) == message.id:
                return Receipt(reference=str(known["id"]), detail="was there already", place=str(known["id"]))
        id = str(known.get("id", "") or message.place)
        wanted = {"incident": _incident(message, case, mark=mark, is_new=not id)}
        said = self._ask("PATCH", f"/{quote(id, safe='')}", wanted) if id else self._ask("POST", "", wanted)
        made = str(said.get("id", "") if isinstance(said, dict) else "") or id
        return Receipt(reference=made, detail="updated" if id else "opened", place=made)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _find(self, place: str, mark: str) -> Found:
        """Return the incident of ours that stands on the page, nothing where there is none."""
        with nothing_arrives():
            found = self._ask("GET", f"/{quote(place, safe='')}" if place else "/unresolved")
        all_of_it = found if isinstance(found, list) else [found]
        return next((one for one in all_of_it if isinstance(one, dict) and (place or _mark(one) == mark)), {})

    def _ask(self, method: str, path: str, body: object = None) -> object:
        try:
            answer = self._client.request(method, self._incidents + path, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self.name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self.name, error, begun=True) from None
        if not answer.is_success:
            status = 429 if answer.status_code == _CALM_DOWN else answer.status_code
            raise refused(
                self.name,
                status=status,
                words=hidden(answer.text, secret=self._settings.secret),
                headers=answer.headers,
            )
        try:
            return answer.json()
        except ValueError:
            raise NotTaken(f"{self.name} answered no JSON", failure=Failure.UNKNOWN) from None


def _incident(message: Message, case: Case, *, mark: str, is_new: bool) -> Found:
    blocks = read_blocks(message.blocks)
    body = to_plain(one for one in blocks if not isinstance(one, Heading)) or message.text
    made: Found = {
        "status": _STAGES.get(case.status, "resolved") if case.is_open else "resolved",
        "body": body[:_BODY],
        "impact_override": _IMPACTS.get(case.severity, "minor"),
        "metadata": {_OURS: {"incident": mark, "last": message.id}},
    }
    if is_new:
        made["name"] = clean(case.title)[:_NAME]
    if case.components:
        # Ending an incident resets nothing: what is well again is said.
        made["components"] = dict(case.components)
        made["component_ids"] = [component for component, _ in case.components]
    return made


def _ours(incident: Found) -> Found:
    metadata = incident.get("metadata")
    ours = metadata.get(_OURS) if isinstance(metadata, dict) else None
    return ours if isinstance(ours, dict) else {}


def _mark(incident: Found) -> str:
    return str(_ours(incident).get("incident", ""))


def _last(incident: Found) -> str:
    return str(_ours(incident).get("last", ""))
