"""Understands what Twilio posts back: how a text or call went, a pressed key, a reply. Pure.

Every request is signed: base64 of HMAC-SHA1, with the auth token, over the URL as Twilio knows it and the form's fields
sorted by name, each followed by its value (https://www.twilio.com/docs/usage/security).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from stanch.kernel.errors import Forbidden, Invalid
from stanch.ports.pager import Heard, News, NewsKind
from stanch.ports.signals import Inbound

_XML: Final = "text/xml"
_KEY: Final = "4"
_MOST_FIELDS: Final = 200
_STATES: Final = {
    "delivered": NewsKind.DELIVERED,
    "read": NewsKind.SEEN,
    "undelivered": NewsKind.FAILED,
    "failed": NewsKind.FAILED,
    "in-progress": NewsKind.DELIVERED,
    "answered": NewsKind.DELIVERED,
    "busy": NewsKind.UNANSWERED,
    "no-answer": NewsKind.UNANSWERED,
    "canceled": NewsKind.UNANSWERED,
}
_REPLY: Final = re.compile(r"\s*(?:ack(?:nowledged?)?|ok|yes|y|4)\b[\s#:.-]*(\d{1,9})?", re.IGNORECASE)


def hear(inbound: Inbound, *, url: str, token: str) -> Heard:
    """Return what `inbound` says. Raises `Forbidden` without Twilio's signature, `Invalid` for what is no callback."""
    try:
        fields = parse_qsl(inbound.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Invalid(f"a callback has at most {_MOST_FIELDS} fields", field="body") from None
    given = inbound.headers.get("x-twilio-signature", "")
    if not token or not hmac.compare_digest(given.encode(), signature(token, url, fields).encode()):
        raise Forbidden("the request is not signed by Twilio", reason="bad_signature")
    form = dict(fields)
    page = inbound.query.get("page", "")
    match inbound.path.rstrip("/").rpartition("/")[2]:
        case "status":
            return _status(form, page)
        case "gather":
            return _pressed(form, page)
        case "reply":
            return _replied(form)
    raise Invalid("there is no such callback", field="path")


def signature(token: str, url: str, fields: Sequence[tuple[str, str]]) -> str:
    """Return the signature of a form posted to `url`."""
    said = url + "".join(name + value for name, value in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def _status(form: dict[str, str], page: str) -> Heard:
    state = form.get("MessageStatus") or form.get("CallStatus") or ""
    kind = _STATES.get(state)
    if kind is None or not page:
        return Heard()
    detail = " ".join(part for part in (state, form.get("ErrorCode", ""), form.get("ErrorMessage", "")) if part)
    return Heard(news=(News(kind=kind, page=page, detail=detail),))


def _pressed(form: dict[str, str], page: str) -> Heard:
    if form.get("Digits") != _KEY or not page:
        return Heard(reply=_say("That was not the key 4. It is not acknowledged."), media_type=_XML)
    return Heard(
        news=(News(kind=NewsKind.ACKNOWLEDGED, page=page, detail="call"),),
        reply=_say("Acknowledged. Thank you."),
        sorry=_say("This page is over already."),
        media_type=_XML,
    )


def _replied(form: dict[str, str]) -> Heard:
    match = _REPLY.match(form.get("Body", ""))
    if match is None:
        return Heard(reply=_text("Reply ack, or ack and the number of the page."), media_type=_XML)
    news = News(kind=NewsKind.ACKNOWLEDGED, address=form.get("From", ""), number=int(match[1] or 0), detail="reply")
    return Heard(
        news=(news,),
        reply=_text("Acknowledged. Thank you."),
        sorry=_text("There is no open page of yours by that number."),
        media_type=_XML,
    )


def _say(words: str) -> str:
    return f"<Response><Say>{escape(words)}</Say></Response>"


def _text(words: str) -> str:
    return f"<Response><Message>{escape(words)}</Message></Response>"
