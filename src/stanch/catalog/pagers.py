"""Providers that pages go through: their record, their keys, and what their values must mean."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader

SERVES: Final = {
    "ntfy": ("push",),
    "smtp": ("email",),
    "twilio": ("sms", "voice"),
    "slack": ("slack",),
    "matrix": ("matrix",),
    "webhook": ("webhook",),
    "apprise": ("apprise",),
    "file": ("file",),
}
"""The kinds of providers, with the kinds of contact methods that each can serve."""

WITHOUT_SETTINGS: Final = ("ntfy", "webhook", "apprise", "file")
"""Those that need no settings: a method's address says everything. They stand ready unless one is configured."""

_NEEDED: Final = {
    "smtp": ("url",),
    "twilio": ("account", "secret_env", "sender"),
    "slack": ("secret_env",),
    "matrix": ("url", "secret_env"),
}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

PAGER: Final = (
    Key(name="kind", type=Type.TEXT, doc="Whose protocol it speaks; by default the key.", words=tuple(SERVES)),
    Key(name="url", type=Type.TEXT, doc="Where it is; by default the vendor's own address, where there is one."),
    Key(name="account", type=Type.TEXT, doc="The account there: a Twilio SID, a mail login."),
    Key(name="sender", type=Type.TEXT, doc="Who pages come from: a number, a mail address."),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable that holds the token or password."),
    Key(name="kinds", type=Type.TEXTS, doc="Which of its kinds of methods it serves, e.g. `sms`; by default all."),
)


@dataclass(frozen=True, kw_only=True)
class PagerSpec:
    """A provider. Several that serve one kind of method are tried in their order. The secret is in the environment."""

    name: str
    kind: str = ""
    url: str = ""
    account: str = ""
    sender: str = ""
    secret_env: str = ""
    kinds: tuple[str, ...] = ()


def read_pager(reader: Reader, *, name: str) -> dict[str, object]:
    """Return the fields of a provider; complain of what it lacks."""
    kind = reader.kind(default=name)
    if kind is None:
        return {}
    if kind not in SERVES:
        reader.complain("kind", f"say what it is: {', '.join(SERVES)}")
        return {}
    for key in _NEEDED.get(kind, ()):
        if not reader.text(key):
            reader.complain(key, f"a provider of kind {kind} needs it")
    url = reader.text("url")
    if url and not urlsplit(url).netloc:
        reader.complain("url", f"is no URL: {url!r}")
    if (variable := reader.text("secret_env")) and not _VARIABLE.fullmatch(variable):
        reader.complain("secret_env", "names an environment variable, and never holds the secret itself")
    if kind == "ntfy" and reader.text("secret_env") and not reader.text("url"):
        reader.complain("url", "a token is for one server and goes to no other: say which, https://ntfy.example")
    for served in reader.texts("kinds"):
        if served not in SERVES[kind]:
            reader.complain("kinds", f"{kind} serves {', '.join(SERVES[kind])}, not {served!r}")
    return {**reader.given(), "name": name, "kind": kind}
