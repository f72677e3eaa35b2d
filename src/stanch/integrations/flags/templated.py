"""Flags behind any HTTP API: a request to read, one to write, both written down in the settings.

`$flag` and `$value` in a URL or a body stand for the flag's name and the value that it is given; in a URL they are
encoded, in a body they become JSON. Where the read has an entity tag, the write says `If-Match`.
"""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from stanch.integrations.flags.asking import ask, mark_of, shown, url_problem
from stanch.integrations.flags.model import FlagState, Switch, Told, Wanted
from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON

_METHODS: Final = ("PUT", "POST", "PATCH")
_MISSING: Final = object()


class TemplatedFlags:
    """Flags of an API that is described by templates. `path` says where in the answer the value stands."""

    name: Final = "flag.http"
    settings: Final = (
        *("flag!", "url!", "read_url", "path", "method", "body", "type", "scheme"),
        *("on", "off", "environment"),
    )

    def problems(self, told: Told) -> Sequence[str]:
        """Return what is wrong with the templates."""
        found = [url_problem(name, _url(told, name, None)) for name in ("url", "read_url") if told[name]]
        if told["method"] and told["method"] not in _METHODS:
            found.append(f"method must be one of {', '.join(_METHODS)}")
        if "$value" not in told["url"] + _body_of(told):
            found.append("the value goes nowhere: put $value into the body or the url")
        found += [
            f'{name} must be JSON, such as true or "enabled"'
            for name in ("on", "off")
            if told[name] and _json(told[name]) is _MISSING
        ]
        if told["body"] and _json(_filled(told, None)) is _MISSING and (told["type"] or "json").endswith("json"):
            found.append("body must be JSON once $value stands for some")
        return [one for one in found if one]

    def read(self, told: Told) -> FlagState:
        """Return the value that the API tells."""
        url = _url(told, "read_url" if told["read_url"] else "url", None)
        answer = ask(told, "GET", url, scheme=told["scheme"] or "Bearer")
        value = _at(answer.body, told["path"])
        if value is _MISSING:
            raise NotFound(f"the answer of {shown(url)} has no {told['path'] or 'value'}")
        plain: JSON = _plain(value)
        exact: JSON = {"value": plain}
        # A weak tag says that it means the same, which If-Match does not take (RFC 9110, 13.1.1).
        etag = "" if answer.etag.startswith("W/") else answer.etag
        return FlagState(shown=_words(told, plain), exact=exact, version=etag or mark_of(exact), etag=etag)

    def plan(self, told: Told, state: FlagState, wanted: Wanted) -> Sequence[str]:
        """Return the request."""
        value = _value(told, wanted)
        matched = [f"If-Match: {state.etag}"] if state.etag else []
        return [f"{told['method'] or 'PUT'} {shown(_url(told, 'url', value))}", *matched, _filled(told, value)]

    def write(self, told: Told, state: FlagState, wanted: Wanted) -> None:
        """Send the request."""
        value = _value(told, wanted)
        headers = {"Content-Type": told["type"] or "application/json"} | (
            {"If-Match": state.etag} if state.etag else {}
        )
        body = _filled(told, value).encode()
        url = _url(told, "url", value)
        ask(told, told["method"] or "PUT", url, body=body or None, headers=headers, scheme=told["scheme"] or "Bearer")

    def is_now(self, told: Told, state: FlagState, wanted: Wanted) -> bool:
        """Tell whether the value is the wanted one."""
        return state.exact == {"value": _value(told, wanted)}

    def evaluate(self, told: Told, wanted: Wanted) -> str:
        """Return nothing: the read is all there is."""
        return ""


def _value(told: Told, wanted: Wanted) -> JSON:
    if isinstance(wanted.restore, dict):
        return wanted.restore.get("value")
    if wanted.switch is Switch.SHARE:
        return int(wanted.share) if wanted.share.is_integer() else wanted.share
    given = told[wanted.switch.value]
    return _plain(_json(given)) if given else wanted.switch is Switch.ON


def _body_of(told: Told) -> str:
    return told["body"] if told["body"] or "$value" in told["url"] else '{"value": $value}'


def _filled(told: Told, value: JSON) -> str:
    # In one pass, so that a name that reads `$value` is not filled again.
    parts = _body_of(told).split("$flag")
    return json.dumps(told["flag"]).join(part.replace("$value", json.dumps(value)) for part in parts)


def _url(told: Told, name: str, value: JSON) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    parts = told[name].split("$flag")
    return quote(told["flag"], safe="").join(part.replace("$value", quote(text, safe="")) for part in parts)


def _at(found: JSON, dotted: str) -> object:
    here: object = found
    for name in dotted.split(".") if dotted else ():
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        else:
            return _MISSING
    return _MISSING if here is None and not dotted else here


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return _MISSING


def _plain(value: object) -> JSON:
    found: JSON = json.loads(json.dumps(value)) if value is not _MISSING else None
    return found


def _words(told: Told, value: JSON) -> str:
    for switch in (Switch.ON, Switch.OFF):
        if value == _value(told, Wanted(switch=switch)):
            return switch.value
    return json.dumps(value)[:80]
