"""Reads a runbook from Markdown: front matter, headings, fenced blocks with a tag, expectations. Pure.

A block is run only when its fence carries a tag (`sh`, `sql`, `psql`, `mysql`, `promql`, `http`, `redis`, `stanch`);
every other block, and code inside a sentence, is text. What a fence says after its tag are settings: `sql on=orders
expect="below 100"`. Without `expect`, a line after the block that begins with `Expect:` or `Expected:` says it.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from stanch.kernel.errors import Invalid, Refused
from stanch.kernel.readonly import check_program, check_redis, check_sql
from stanch.mitigate.runbooks.expecting import read_expectation
from stanch.mitigate.runbooks.importing import as_markdown
from stanch.mitigate.runbooks.model import Block, Language, Part, Runbook, Section
from stanch.mitigate.runbooks.requests import read_request
from stanch.mitigate.runbooks.variables import VARIABLE

T = TypeVar("T", str, Sequence[str])

_TAGS: Final = {
    "sh": Language.SH,
    "bash": Language.SH,
    "shell": Language.SH,
    "console": Language.SH,
    "sql": Language.SQL,
    "psql": Language.SQL,
    "postgresql": Language.SQL,
    "mysql": Language.SQL,
    "mariadb": Language.SQL,
    "sqlite": Language.SQL,
    "promql": Language.PROMQL,
    "http": Language.HTTP,
    "redis": Language.REDIS,
    "stanch": Language.OWN,
}
_DIALECTS: Final = {
    "psql": ("postgresql",),
    "postgresql": ("postgresql",),
    "mysql": ("mysql",),
    "mariadb": ("mysql",),
    "sqlite": ("sqlite",),
}
_SYSTEMS: Final = {
    Language.SQL: ("postgresql", "mysql"),
    Language.PROMQL: ("prometheus",),
    Language.HTTP: ("http",),
    Language.REDIS: ("redis",),
    Language.OWN: (),
}
_SETTINGS: Final = ("on", "expect", "risk", "undo", "rows")
# `Alert Name: "KubePodCrashLooping"`, `Alert: X`, or a heading that is nothing but one word in camel case.
_ALERT: Final = re.compile(r"(?:alert(?:\s*name)?\s*[:=]\s*)[\"'`*]*([A-Za-z][\w:]*)[\"'`*]*$", re.IGNORECASE)
_CAMEL: Final = re.compile(r"[\"'`*]*([A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+)[\"'`*]*")
_ADDRESS: Final = re.compile(r"https?://[^\s<>()\[\]\"'`|]+")
_OWN_LINE: Final = re.compile(r"[a-z][a-z0-9_]*\s+\S+(?:\s+[a-z_]+=\S+)*")
_PARTS: Final = (
    (Part.SYMPTOMS, re.compile(r"symptom|meaning|impact|what (?:you|it) (?:see|looks)|alert", re.IGNORECASE)),
    (Part.VERIFICATION, re.compile(r"verif|confirm|recover", re.IGNORECASE)),
    (Part.PREVENTION, re.compile(r"prevent|follow|afterwards|long.term", re.IGNORECASE)),
    (Part.MITIGATION, re.compile(r"mitigat|fix|remed|resol|action|what to do|steps", re.IGNORECASE)),
    (Part.CHECKS, re.compile(r"check|diagnos|investigat|triage|look", re.IGNORECASE)),
)
_EXPECT: Final = re.compile(
    r"^\s*(?:[-*]\s+)?(?:\*\*)?(?:expect(?:ed)?|should be|healthy)(?:\*\*)?\s*:\s*(.+)$", re.IGNORECASE
)
_FRONT: Final = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
# What only a shell understands: with one of these outside quotes the line is no plain command.
_SHELL: Final = frozenset("|&;<>()$`*?[]~#!\n")
KEYS: Final = frozenset({"title", "services", "alerts", "kinds", "labels", "words", "owner"})
_LARGEST: Final = 256 * 1024


def read_runbook(text: str, *, id: str, shipped: bool = False) -> Runbook:
    """Return the runbook in `text`. Raises `Invalid` for front matter that cannot be read, or more than 256 KiB."""
    if len(text) > _LARGEST:
        raise Invalid(f"a runbook has at most {_LARGEST // 1024} KiB", field=id)
    front, body, skipped = _front(text.removeprefix("\ufeff"), id=id)
    body = as_markdown(body)
    lines = body.splitlines()
    tokens = MarkdownIt("commonmark").parse(body)
    headings = _headings(tokens)
    title = str(front.get("title") or next((words for level, words, _ in headings if level == 1), id))
    return Runbook(
        id=id,
        title=title,
        services=_texts(front, "services", id=id),
        alerts=_texts(front, "alerts", id=id),
        kinds=_texts(front, "kinds", id=id),
        words=_texts(front, "words", id=id),
        owner=str(front.get("owner") or ""),
        labels=_labels(front.get("labels"), id=id),
        sections=_sections(headings, lines, skipped=skipped),
        blocks=_blocks(tokens, headings, lines, skipped=skipped),
        shipped=shipped,
        unknown=tuple(sorted(str(key) for key in front if key not in KEYS)),
        headed=_headed(headings),
        links=_links(lines, skipped=skipped),
    )


def _front(text: str, *, id: str) -> tuple[dict[str, object], str, int]:
    """Return the settings before the first heading, the text after them, and how many lines they took."""
    found = _FRONT.match(text)
    if found is None:
        return {}, text, 0
    try:
        settings = yaml.safe_load(found.group(1)) or {}
    except yaml.YAMLError as error:
        why = str(error).splitlines()[0]
        raise Invalid(f"what stands between the --- lines is no YAML: {why}", field=id) from error
    if not isinstance(settings, dict):
        raise Invalid("what stands between the --- lines must be keys with values", field=id)
    return settings, text[found.end() :], found.group(0).count("\n")


def _texts(front: Mapping[str, object], field: str, *, id: str) -> tuple[str, ...]:
    value = front.get(field)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return tuple(str(one) for one in value)
    raise Invalid("must be a text or a list of texts", field=f"{id}.{field}")


def _labels(value: object, *, id: str) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair):
        return tuple(value.items())
    raise Invalid("must be names with texts", field=f"{id}.labels")


def _headings(tokens: list[Token]) -> list[tuple[int, str, int]]:
    """Return level, words and line (from 0) of every heading."""
    return [
        (int(token.tag[1]), tokens[index + 1].content.strip(), token.map[0])
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.map
    ]


def _headed(headings: list[tuple[int, str, int]]) -> tuple[str, ...]:
    """Return the alerts that headings name: runbooks for Prometheus are headed by them, one or many in a file."""
    found = (_ALERT.search(words) or _CAMEL.fullmatch(words.strip()) for _, words, _ in headings)
    return tuple(dict.fromkeys(one.group(1) for one in found if one))


def _links(lines: list[str], *, skipped: int) -> tuple[tuple[int, str], ...]:
    """Return the addresses that stand in the text, each once, with its line; one with a variable leads nowhere yet."""
    found: dict[str, int] = {}
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            for address in _ADDRESS.findall(VARIABLE.sub("{", line)):
                if "{" not in address and "$" not in address:
                    found.setdefault(address.rstrip(".,;:"), skipped + number)
    return tuple((line, address) for address, line in found.items())


def _sections(headings: list[tuple[int, str, int]], lines: list[str], *, skipped: int) -> tuple[Section, ...]:
    found = []
    for index, (level, words, line) in enumerate(headings):
        if level == 1 and index == 0:
            continue
        end = headings[index + 1][2] if index + 1 < len(headings) else len(lines)
        below = "\n".join(lines[line + 1 : end]).strip("\n=-")
        found.append(Section(part=_part(headings[: index + 1]), heading=words, text=below, line=skipped + line + 1))
    return tuple(found)


def _part(above: list[tuple[int, str, int]]) -> Part:
    """Return what the last of these headings is for; one that says nothing of it belongs to the one it is under."""
    level = 7
    for depth, words, _ in reversed(above):
        if depth >= level or depth == 1:
            continue
        level = depth
        for part, pattern in _PARTS:
            if pattern.search(words):
                return part
    return Part.OTHER


def _blocks(
    tokens: list[Token], headings: list[tuple[int, str, int]], lines: list[str], *, skipped: int
) -> tuple[Block, ...]:
    found: list[Block] = []
    for token in tokens:
        tag, _, rest = token.info.strip().partition(" ")
        language = _TAGS.get(tag.lower())
        if token.type != "fence" or language is None or not token.map:
            continue
        above = [heading for heading in headings if heading[2] < token.map[0]]
        settings, trouble = _settings(rest)
        said = settings.get("expect") or _said_after(lines, token.map[1])
        block = Block(
            number=len(found) + 1,
            language=language,
            text=_without_prompts(token.content) if language is Language.SH else token.content.strip(),
            line=skipped + token.map[0] + 1,
            part=_part(above),
            heading=above[-1][1] if above else "",
            on=settings.get("on", ""),
            expects=read_expectation(said) if said else None,
            risk=settings.get("risk", "high"),
            undo=settings.get("undo", ""),
            why_not=trouble or _not_understood(said),
            kinds=_DIALECTS.get(tag.lower()) or _SYSTEMS.get(language, ()),
            most_rows=int(settings.get("rows", "1000")),
        )
        found.append(_judged(block))
    return tuple(found)


def _not_understood(said: str) -> str:
    return f"what it expects is not understood: {said!r}" if said and read_expectation(said) is None else ""


def _settings(text: str) -> tuple[dict[str, str], str]:
    try:
        words = shlex.split(text)
    except ValueError:
        return {}, f"the settings after the tag cannot be read: {text!r}"
    settings: dict[str, str] = {}
    for word in words:
        name, is_set, value = word.partition("=")
        if not is_set or name not in _SETTINGS:
            return settings, f"{word!r} is no setting of a block; there are {', '.join(_SETTINGS)}"
        if name == "rows" and not (value.isdecimal() and 0 < int(value) <= 1_000_000):
            return settings, f"{word!r} is no number of rows from 1 to 1,000,000"
        settings[name] = value
    return settings, ""


def _said_after(lines: list[str], after: int) -> str:
    for line in lines[after : after + 3]:
        if found := _EXPECT.match(line):
            return found.group(1).strip()
        if line.strip():
            return ""
    return ""


def _without_prompts(text: str) -> str:
    return "\n".join(line.removeprefix("$ ") for line in text.strip().splitlines())


def _judged(block: Block) -> Block:
    """Say whether a block only reads, and whether it can be run at all."""
    if block.why_not:
        return replace(block, changes=True)
    match block.language:
        case Language.PROMQL:
            return block
        case Language.OWN:
            lines = [line.strip() for line in VARIABLE.sub("variable", block.text).splitlines() if line.strip()]
            wrong = next((line for line in lines if not _OWN_LINE.fullmatch(line)), "" if lines else "nothing")
            why = f"{wrong[:60]!r} is no line of own figures: write error_ratio {{{{service}}}}" if wrong else ""
            return replace(block, why_not=why, changes=bool(why))
        case Language.REDIS:
            lines = [line for line in block.text.splitlines() if line.strip()]
            why = next((said for line in lines if (said := _refusal(check_redis, line.split()))), "")
            return replace(block, why_not=why, changes=bool(why))
        case Language.HTTP:
            try:
                return replace(block, changes=not read_request(block.text).reads)
            except Invalid as error:
                return replace(block, changes=True, why_not=error.message)
        case Language.SQL:
            return replace(block, changes=_refusal(check_sql, VARIABLE.sub("''", block.text)) != "")
        case Language.SH:
            try:
                commands = commands_of(block)
            except Invalid as error:
                return replace(block, changes=True, why_not=error.message)
            return replace(block, changes=any(_refusal(check_program, argv) for argv in commands))


def _refusal(check: Callable[[T], None], what: T) -> str:
    try:
        check(what)
    except Refused as refusal:
        return refusal.message
    return ""


def commands_of(block: Block) -> tuple[tuple[str, ...], ...]:
    """Return the commands of a shell block, one argument list a line; a backslash at the end goes on.

    Raises `Invalid` for a line that only a shell would understand (a pipe, a redirection, a variable).
    """
    commands = []
    for line in block.text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        lexer = shlex.shlex(line, posix=True)
        lexer.whitespace_split = True
        lexer.commenters = ""
        try:
            argv = tuple(lexer)
        except ValueError as error:
            raise Invalid(f"a quote is not closed: {line.strip()!r}") from error
        if needs := _shell_needed(line):
            raise Invalid(f"{needs!r} needs a shell, and none ever runs: give the commands one by one")
        if argv:
            commands.append(argv)
    if not commands:
        raise Invalid("there is no command in it")
    return tuple(commands)


def _shell_needed(line: str) -> str:
    """Return the first character outside quotes that only a shell understands, empty when there is none."""
    bare = re.sub(r"\{\{.*?\}\}", "", line)
    quote = ""
    escaped = False
    for character in bare:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if character == quote:
                quote = ""
            elif quote == '"' and character in "$`":
                return character
        elif character in "\"'":
            quote = character
        elif character in _SHELL:
            return character
    return ""
