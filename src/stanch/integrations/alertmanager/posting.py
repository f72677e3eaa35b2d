"""Receivers that are told by one POST of JSON: a shape of settings, and a function from a notice to what is posted."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2
import msgspec

from stanch.integrations.alertmanager.http import Sent, post, said
from stanch.integrations.alertmanager.shape import Given, Shape, read
from stanch.integrations.alertmanager.wording import Words
from stanch.ports.notifier import Notice


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of receiver. `answered` raises `Unavailable` for an answer of status 2xx that is none."""

    name: str
    shape: Shape
    make: Callable[[Given, Notice], Sent]
    answered: Callable[[httpx2.Response], None] = lambda answer: None


class Posting:
    """Tells one receiver of a kind."""

    def __init__(self, kind: Kind, settings: Mapping[str, object], words: Words) -> None:
        self._kind = kind
        self._given = read(kind.shape, settings, words)
        urls = [str(settings[name]) for name in kind.shape.urls if settings.get(name)]
        # A URL that stands in a file may lead anywhere.
        plain = bool(urls) and all(url.startswith("http:") for url in urls)
        self._client = self._given.http.client(plain=plain)

    def notify(self, notice: Notice) -> str:
        """Tell `notice`. 429 and 5xx are tried again."""
        kind, given = self._kind, self._given
        seconds = given.seconds(notice)
        answer = post(self._client, given.http, lambda: kind.make(given, notice), name=kind.name, seconds=seconds)
        kind.answered(answer)
        return said(answer)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()


def as_json(url: str, body: object, **headers: str) -> Sent:
    """Return what is posted to `url`."""
    return Sent(url=url, content=msgspec.json.encode(body), headers=headers)


def filled(**fields: object) -> dict[str, object]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def key_of_group(notice: Notice) -> str:
    """Return what the group is known by elsewhere: 64 letters that stay while the group is the same."""
    return hashlib.sha256(notice.group_key.encode()).hexdigest()
