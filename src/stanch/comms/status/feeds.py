"""The page as feeds: Atom (RFC 4287) and RSS 2.0, an entry for each incident, the one that moved last first. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from stanch.comms.status.model import Incident, Page
from stanch.comms.status.rules import address_of
from stanch.comms.status.zones import in_zone
from stanch.kernel.blocks import clean

_MOST: Final = 50
# What XML 1.0 has no place for, in whatever way it is written (https://www.w3.org/TR/xml/#charsets).
_UNKNOWN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'


def atom(page: Page) -> str:
    """Return the Atom feed."""
    entries = "".join(
        f"<entry><id>{_text(_id(page, one))}</id><title>{_text(one.title)}</title>"
        f"<updated>{_stamp(one.updates[0].at)}</updated><published>{_stamp(one.updates[-1].at)}</published>"
        f"<link href={_quoted(address_of(page.url, one.number))}/><category term={_quoted(one.stage.value)}/>"
        f'<content type="text">{_text(_body(page, one))}</content></entry>'
        for one in _newest(page)
    )
    return (
        f'{_HEAD}<feed xmlns="http://www.w3.org/2005/Atom"><id>{_text(page.url)}</id><title>{_text(page.title)}</title>'
        f"<updated>{_stamp(page.changed_at)}</updated><author><name>{_text(page.title)}</name></author>"
        f'<link href={_quoted(page.url)}/><link rel="self" href={_quoted(page.url + "/feed.atom")}/>{entries}</feed>\n'
    )


def rss(page: Page) -> str:
    """Return the RSS feed."""
    items = "".join(
        f"<item><title>{_text(one.title)}</title><link>{_text(address_of(page.url, one.number))}</link>"
        f'<guid isPermaLink="false">{_text(_id(page, one))}</guid><pubDate>{_mail(one.updates[0].at)}</pubDate>'
        f"<description>{_text(_body(page, one))}</description></item>"
        for one in _newest(page)
    )
    return (
        f'{_HEAD}<rss version="2.0"><channel><title>{_text(page.title)}</title><link>{_text(page.url)}</link>'
        f"<description>{_text(page.title)}</description><lastBuildDate>{_mail(page.changed_at)}</lastBuildDate>"
        f"{items}</channel></rss>\n"
    )


def _newest(page: Page) -> Iterable[Incident]:
    return sorted(page.incidents, key=lambda one: one.updates[0].at, reverse=True)[:_MOST]


def _id(page: Page, one: Incident) -> str:
    return f"{page.url}#incident-{one.number}"


def _body(page: Page, one: Incident) -> str:
    return "\n\n".join(
        f"{said.stage.value.capitalize()} - {in_zone(said.at, page.zone)}\n{said.text}" for said in one.updates
    )


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _mail(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _text(words: str) -> str:
    return escape(_UNKNOWN.sub("", clean(words)))


def _quoted(words: str) -> str:
    return quoteattr(_UNKNOWN.sub("", clean(words)))
