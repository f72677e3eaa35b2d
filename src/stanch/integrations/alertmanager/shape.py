"""The settings of one receiver, read by a shape: which keys there are, which are texts, which name a secret.

A key that is not known is a mistake that names it, as everywhere in an `alertmanager.yml`. Nothing is sent here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stanch.integrations.alertmanager.facts import text_of_notice
from stanch.integrations.alertmanager.http import Http, read_http, unknown
from stanch.integrations.alertmanager.wording import Text, Words, read_text
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid, Problem
from stanch.ports.notifier import Notice

Written = str | list["Written"] | dict[str, "Written"]
"""A text, or lists and mappings of texts."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What may stand below a kind's `_configs`.

    Of each of `secrets` there must be the key or the same with `_file`; `texts` are templates, in lists and mappings
    too; `plain` are read as they are. `urls` must be addresses, `needed` be there, `numbers` and `lengths` of time be
    such; `refused` say why they are not taken.
    """

    secrets: tuple[str, ...] = ()
    optional_secrets: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    markup: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    lengths: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    over_http: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """Return every key that there is."""
        secret = [f"{name}{end}" for name in (*self.secrets, *self.optional_secrets) for end in ("", "_file")]
        shared = ("http_config", "timeout") if self.over_http else ("tls_config",)
        return (*secret, *self.texts, *self.markup, *self.plain, *shared)


_Nested = Text | list["_Nested"] | dict[str, "_Nested"]


@dataclass(frozen=True, kw_only=True)
class Given:
    """The settings of one receiver, checked."""

    settings: Mapping[str, object] = field(repr=False)
    texts: Mapping[str, _Nested] = field(repr=False)
    http: Http
    lengths: Mapping[str, float] = field(default_factory=dict)

    def plain(self, name: str, default: str = "") -> str:
        """Return a setting as it stands."""
        value = self.settings.get(name)
        return value if isinstance(value, str) and value else default

    def secret(self, name: str) -> str:
        """Return a secret, or what its file holds. Raises `OSError` when the file cannot be read."""
        path = self.plain(f"{name}_file")
        return self.plain(name) or (Path(path).read_text(encoding="utf-8").strip() if path else "")

    def text(self, name: str, notice: Notice, default: str = "") -> str:
        """Return a text about `notice`, `default` where none is configured."""
        found = self.texts.get(name)
        return found.written(notice) if isinstance(found, Text) else default

    def nested(self, name: str, notice: Notice) -> Written:
        """Return lists and mappings of texts about `notice`."""
        found = self.texts.get(name)
        return "" if found is None else _written(found, notice)

    def pairs(self, name: str, notice: Notice) -> dict[str, str]:
        """Return a mapping of texts about `notice`."""
        found = self.nested(name, notice)
        return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def seconds(self, notice: Notice) -> float:
        """Return how long handing `notice` over may take."""
        return min(notice.seconds, self.lengths.get("timeout") or notice.seconds)

    def length_s(self, name: str, default: int) -> int:
        """Return a length of time in whole seconds, `default` where none is configured."""
        return int(self.lengths.get(name, 0)) or default


def _written(found: _Nested, notice: Notice) -> Written:
    if isinstance(found, list):
        return [_written(one, notice) for one in found]
    if isinstance(found, dict):
        return {name: _written(one, notice) for name, one in found.items()}
    return found.written(notice)


def read(shape: Shape, settings: Mapping[str, object], words: Words) -> Given:
    """Return `settings` checked by `shape`. Raises `Invalid` with one problem per mistake."""
    problems: list[Problem] = []
    refused = {name: why for name, why in shape.refused.items() if name in settings}
    problems += [Problem(field=name, message=why) for name, why in refused.items()]
    unknown({name: 1 for name in settings if name not in refused}, shape.keys, "", problems)
    for name in shape.secrets:
        if bool(settings.get(name)) == bool(settings.get(f"{name}_file")):
            problems.append(Problem(field=name, message=f"give either {name} or {name}_file"))
    for name in shape.optional_secrets:
        if settings.get(name) and settings.get(f"{name}_file"):
            problems.append(Problem(field=name, message=f"give either {name} or {name}_file"))
    problems += [Problem(field=name, message="is missing") for name in shape.needed if not settings.get(name)]
    problems += [Problem(field=name, message=_NO_URL) for name in shape.urls if not _is_url(settings.get(name))]
    problems += [
        Problem(field=name, message="must be a whole number")
        for name in shape.numbers
        if not str(settings.get(name) or 0).removeprefix("-").isdecimal()
    ]
    texts: dict[str, _Nested] = {}
    for name in (*shape.texts, *shape.markup):
        found = _nested(name, settings.get(name), words, problems, markup=name in shape.markup)
        if found is not None:
            texts[name] = found
    http = read_http(settings, problems) if shape.over_http else Http()
    lengths = {name: _length_s(settings, name, problems) for name in ("timeout", *shape.lengths)}
    if problems:
        raise Invalid("", problems=problems)
    return Given(settings=settings, texts=texts, http=http, lengths=lengths)


_NO_URL: Final = "must begin with http:// or https:// and name a host"


def _is_url(value: object) -> bool:
    if not value:
        return True
    parts = urlsplit(str(value))
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _nested(key: str, value: object, words: Words, problems: list[Problem], *, markup: bool) -> _Nested | None:
    if isinstance(value, str):
        return read_text(key, value, words, problems, markup=markup)
    if isinstance(value, list):
        inner = [_nested(f"{key}[{number}]", one, words, problems, markup=markup) for number, one in enumerate(value)]
        return [one for one in inner if one is not None]
    if isinstance(value, dict):
        found = {name: _nested(f"{key}.{name}", one, words, problems, markup=markup) for name, one in value.items()}
        return {name: one for name, one in found.items() if one is not None}
    return None


def _length_s(settings: Mapping[str, object], name: str, problems: list[Problem]) -> float:
    value = settings.get(name)
    if not isinstance(value, str) or value in ("", "0", "0s"):
        return 0.0
    try:
        return parse_duration(value).total_seconds()
    except Invalid as error:
        problems.append(Problem(field=name, message=error.problems[0].message))
        return 0.0


def shortened(text: str, most: int) -> str:
    """Return `text` with at most `most` characters; what is left out is marked."""
    return text if len(text) <= most else text[: most - 1] + "…"


def default_text(notice: Notice, most: int) -> str:
    """Return our text about `notice` with at most `most` characters."""
    return shortened(text_of_notice(notice), most)
