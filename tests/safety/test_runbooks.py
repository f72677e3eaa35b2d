"""The corpus through every variable of a runbook, in every language that a block may be written in."""

import json
import shlex
from urllib.parse import unquote

import psycopg
import pytest

from stanch.kernel.errors import Invalid, Refused
from stanch.mitigate.runbooks.filling import bind_statement, fill_commands, fill_text
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.model import Block
from tests.support.hostile import CORPUS

PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@+,-")
"""What means nothing to anything that reads code."""


def block(tag: str, text: str) -> Block:
    """Return a block of a runbook."""
    return read_runbook(f"# T\n## Mitigation\n```{tag}\n{text}\n```\n", id="one").blocks[0]


def filled(one: Block, text: str) -> str | None:
    """Return a block with its variable filled in, None where that is refused."""
    try:
        return fill_text(one, {"service": text, "namespace": "never"})
    except Refused:
        return None


def test_a_command_has_as_many_arguments_as_are_written() -> None:
    """Each value is inside its one argument and no option; what reads code gets none of them."""
    plain, nested = block("sh", "kubectl get pod {{service}} -o name"), block("sh", "ssh host 'restart {{service}}'")
    wrong = []
    for name, text in CORPUS.items():
        for one, argv in ((plain, ("kubectl", "get", "pod", text, "-o", "name")), (nested, ())):
            try:
                found = fill_commands(one, {"service": text, "namespace": "never"})
            except Refused:
                continue
            # What reads code got a plain word, if it got anything.
            right = found == (argv,) if argv else set(text) <= PLAIN
            wrong += [] if right and not text.startswith("-") else [name]

    assert [] == wrong


def test_what_is_shown_of_a_command_is_what_runs() -> None:
    """Copied into a shell it is the same list of arguments."""
    one = block("sh", "kubectl get pod {{service}}")
    shown = {text: line for text in CORPUS.values() if (line := filled(one, text)) is not None}

    assert ({}, True) == (
        {text: line for text, line in shown.items() if shlex.split(line) != ["kubectl", "get", "pod", text]},
        len(shown) > 40,
    )


def test_a_database_reads_it_as_a_text(bare_postgres_url: str) -> None:
    """A real PostgreSQL, told it as a literal or bound, says it back as it was; nothing is dropped."""
    wrong = []
    with psycopg.connect(bare_postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE cards (id int)")
        for name, text in CORPUS.items():
            if (statement := filled(block("sql", "SELECT {{service}} AS found"), text)) is not None:
                wrong += [] if connection.execute(statement.encode()).fetchall() == [(text,)] else [name]
            try:
                bound, values = bind_statement(block("sql", "SELECT {{service}}::text, '50%'"), {"service": text})
            except Refused:
                continue
            wrong += [] if connection.execute(bound.encode(), values).fetchall() == [(text, "50%")] else [name]
        left = connection.execute("SELECT count(*) FROM cards").fetchone()

    assert ([], (0,)) == (wrong, left)


def test_a_query_of_prometheus_keeps_its_labels() -> None:
    """Inside quotes it is the value of one label: the quotes that end it are the owner's."""
    wrong = []
    for name, text in CORPUS.items():
        query = filled(block("promql", 'up{job="{{service}}"}'), text)
        if query is not None:
            inside = query.removeprefix('up{job="').removesuffix('"}')
            wrong += [] if json.loads(f'"{inside}"') == text else [name]

    assert [] == wrong


@pytest.mark.parametrize("text", ["{{service}}_total", "sum by ({{service}}) (up)"])
def test_outside_quotes_a_query_takes_words(text: str) -> None:
    """A metric's name cannot bring a function."""
    taken = [one for one in CORPUS.values() if filled(block("promql", text), one) is not None]

    assert [] == [one for one in taken if not set(one) <= PLAIN]


def test_a_request_keeps_its_path_headers_and_body() -> None:
    """One segment, one value of a header, one text of the JSON."""
    one = block("http", 'POST /flags/{{service}}/off\nX-Reason: {{service}}\n\n{"why": "{{service}}"}')
    wrong = []
    for name, text in CORPUS.items():
        try:
            request = filled(one, text)
        except Invalid:
            continue
        if request is None:
            continue
        head, _, body = request.partition("\n\n")
        first, *headers = head.split("\n")
        path = first.split(" ")[1]
        right = unquote(path.split("/")[2]) == text and path.count("/") == 3 and len(headers) == 1
        wrong += [] if right and json.loads(body) == {"why": text} else [name]

    assert [] == wrong
