"""A first `stanch.toml` from what stands in a folder: its git repository, its compose file. Pure.

Owns what is written and how a compose file is read for names, ports and dependencies. Only the block style that people
write by hand is read; what is not understood is left out, never guessed.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Final

COMPOSE_FILES: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")

_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[\w.-]+|\"[^\"]+\"|'[^']+'):(?P<rest>.*)$")
_ITEM: Final = re.compile(r"^(?P<indent> *)- *(?P<value>.+)$")
# `8080:80`, `127.0.0.1:8080:80/tcp`: what the machine listens on stands before the last colon.
_PORT: Final = re.compile(r"^(?:[\d.]+:)?(?P<host>\d{1,5}):\d{1,5}(?:/tcp)?$")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LIBRARY: Final = re.compile(
    r"^(?:[\w.-]+/)*(postgres|mysql|mariadb|redis|valkey|memcached|rabbitmq|mongo|kafka|nats|elasticsearch|nginx|traefik)"
    r"(?:[:@].*)?$"
)


@dataclass(frozen=True, kw_only=True)
class ComposeService:
    """A service of a compose file: the ports the machine listens on for it, and what it waits for.

    `is_library` says that it runs a well-known image, such as a database, and not code of one's own.
    """

    name: str
    ports: tuple[int, ...] = ()
    depends_on: tuple[str, ...] = ()
    is_library: bool = False


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What was found in the folder. `is_repository`: it is a git repository; `kubeconfig`: one is on this machine."""

    name: str
    zone: str = "UTC"
    is_repository: bool = False
    services: tuple[ComposeService, ...] = ()
    compose_file: str = ""
    kubeconfig: bool = False


def first_document(found: Surroundings) -> str:
    """Return the text of a first `stanch.toml`; it is valid as it stands."""
    lines = [
        "# Everything here has a default; `stanch check` says what is wrong. Secrets do not belong in this file.",
        f"name = {_text(found.name)}",
        f"zone = {_text(found.zone)}",
    ]
    if found.compose_file:
        lines += ["", f"# From {found.compose_file}. Nothing is watched before a health or metrics page is named."]
    for service in found.services:
        lines += ["", *_service_lines(service, found)]
    if not found.services:
        lines += ["", *_example_lines(found)]
    if found.kubeconfig:
        lines += ["", "# A kubeconfig is here: what runs in a cluster is watched by its health and metrics pages too."]
    lines += ["", "[channels.incidents]", 'kind = "file"', 'target = "messages"']
    return "\n".join(lines) + "\n"


def read_compose(text: str) -> tuple[ComposeService, ...]:
    """Return the services of a compose file, in its order; empty where it is not written in block style."""
    blocks = dict(_blocks(_section(_lines(text), "services")))
    found = []
    for name, lines in blocks.items():
        if not _NAME.fullmatch(name):
            continue
        image = next((match["rest"] for line in lines if (match := _KEY.match(line)) and match["key"] == "image"), "")
        ports = (_PORT.match(one) for one in _values(lines, "ports"))
        found.append(
            ComposeService(
                name=name,
                ports=tuple(int(port["host"]) for port in ports if port),
                depends_on=tuple(one for one in _values(lines, "depends_on") if one in blocks and one != name),
                is_library=bool(_LIBRARY.match(_unquoted(image))),
            )
        )
    return tuple(found)


def _service_lines(service: ComposeService, found: Surroundings) -> Iterator[str]:
    yield f"[services.{_key(service.name)}]"
    if service.depends_on:
        yield f"depends_on = [{', '.join(map(_text, service.depends_on))}]"
    if service.is_library:
        yield 'description = "runs a published image"'
        return
    if found.is_repository:
        yield 'repository = "."'
    host = f"http://127.0.0.1:{service.ports[0]}" if service.ports else "http://127.0.0.1:8080"
    # Where these pages are is a guess, so they stand as comments: a check of a wrong page is a false alarm.
    yield f"# health = {_text(host + '/health')}"
    yield f"# metrics = {_text(host + '/metrics')}"
    yield "# tier = 1"


def _example_lines(found: Surroundings) -> Iterator[str]:
    name = _key(re.sub(r"[^A-Za-z0-9._-]+", "-", found.name).strip("-._") or "app")
    yield f"[services.{name}]"
    yield "tier = 1"
    if found.is_repository:
        yield 'repository = "."'
    yield '# health = "http://127.0.0.1:8080/health"'
    yield '# metrics = "http://127.0.0.1:8080/metrics"'
    yield '# logs = ["logs/app.jsonl"]'


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, but for the one character that TOML wants escaped as well.
    return json.dumps(value).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _lines(text: str) -> list[str]:
    kept = (re.sub(r"(?:^|\s)#.*$", "", line).rstrip() for line in text.splitlines())
    return [line for line in kept if line]


def _section(lines: Sequence[str], name: str) -> list[str]:
    """Return the lines below the key `name` of the first line's level."""
    for number, line in enumerate(lines):
        match = _KEY.match(line)
        if match and _unquoted(match["key"]) == name and not match["rest"].strip():
            return list(takewhile(partial(_is_below, depth=len(match["indent"])), lines[number + 1 :]))
    return []


def _is_below(line: str, *, depth: int) -> bool:
    # The items of a list may stand as far left as its key.
    indent = _indent(line)
    return indent > depth or (indent == depth and line.lstrip(" ").startswith("- "))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the keys of the outermost level of `lines`, each with the lines below it."""
    depth = min(map(_indent, lines), default=0)
    name, below = "", list[str]()
    for line in lines:
        match = _KEY.match(line)
        if match and len(match["indent"]) == depth:
            if name:
                yield name, below
            name, below = _unquoted(match["key"]), []
        else:
            below.append(line)
    if name:
        yield name, below


def _values(lines: Sequence[str], name: str) -> list[str]:
    """Return the items of the list `name`, or the keys of the table `name`."""
    below = _section(lines, name)
    items = [_unquoted(match["value"]) for line in below if (match := _ITEM.match(line))]
    return items or [key for key, _ in _blocks(below)]


def _unquoted(text: str) -> str:
    return text.strip().strip("\"'")
