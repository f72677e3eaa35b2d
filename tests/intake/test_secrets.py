"""A secret that a sender puts into an alert goes nowhere: not into the store, and so to nobody; not into an error."""

import json
import zlib
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, select

from stanch.alerts.inbound.model import body_to_keep
from stanch.alerts.intake.hiding import is_suspicious
from stanch.kernel.errors import Invalid
from stanch.kernel.redaction import redact, redact_tree
from stanch.operations.intake import take
from stanch.operations.senders import AllSources, list_sources
from stanch.operations.world import Call
from stanch.ports.signals import Inbound
from tests.intake.outside import Outside, outside
from tests.operations.desk import ALICE, Via

SECRETS: Final = (
    "ghp_" + "a1B2" * 9,
    "glpat-" + "x9Y8z7" * 4,
    "xoxb-1234567890-abcdefghij",
    "AKIA" + "ABCDEFGH2345" + "6777",
    "sk_live_" + "4eC39HqLyjWDarjtT1",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "123456789:AA" + "b" * 33,
    "4111111111111111",
)
# What stands before and after the secret, and what of it must not be seen.
NAMED: Final = (
    "password={}",
    "DB_PASSWORD: {}",
    "postgresql://app:{}@db1/shop",
    "Authorization: Bearer {}",
    "?token={}",
)
WORD: Final = "hunter2hunter2"


@pytest.fixture
def world(sqlite_url: str) -> Iterator[Outside]:
    """Give a shop that alerts come into."""
    with outside(sqlite_url) as found:
        yield found


def everything(world: Outside) -> str:
    """Return all that is stored, in every column of every table, as one text."""
    tables = MetaData()
    found: list[str] = []
    with world.store.reading() as view:
        tables.reflect(view.connection)
        for table in tables.sorted_tables:
            for row in view.connection.execute(select(table)):
                found += [_text(value) for value in row]
    return "\n".join(found)


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value.decode("utf-8", "replace")


@pytest.mark.parametrize("secret", [*SECRETS, *(one.format(WORD) for one in NAMED)])
def test_a_secret_in_an_alert_is_not_stored(world: Outside, secret: str) -> None:
    """Neither labels nor annotations nor what comes of them hold it, in any table."""
    world.post(severity="critical", service="payments", note=f"login failed with {secret}", detail=f"see {secret}")

    assert [] == [one for one in (secret, WORD) if one in everything(world)]


@pytest.mark.parametrize("name", ["password", "api_key", "accessToken"])
def test_a_value_under_a_name_that_means_a_secret(world: Outside, name: str) -> None:
    """A label whose name says what it is loses its value."""
    world.post(severity="critical", service="payments", **{name: WORD})

    assert WORD not in everything(world)


def test_a_sender_s_message_is_kept_without_it(world: Outside) -> None:
    """Of a message with secrets in its alerts, its links and fields nobody reads, none is left."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "A", "service": "payments", "severity": "critical", "db_password": WORD},
        "annotations": {"summary": f"postgresql://app:{WORD}@db1/shop"},
        "generatorURL": f"http://x/?token={WORD}1",
    }
    body = json.dumps({"version": "4", "alerts": [alert], "else": {"apiKey": WORD}}).encode()
    take(world.world, "alertmanager", Inbound(body=body))
    world.engine.run_until_quiet()

    assert WORD not in everything(world)


def test_a_message_that_is_refused_leaves_no_secret(world: Outside) -> None:
    """What is said about a message that was not understood holds no secret of it."""
    with pytest.raises(Invalid):
        take(world.world, "alertmanager", Inbound(body=f'{{"alerts": "password={WORD}"'.encode()))
    cards = list_sources(Call(world=world.world, actor=ALICE, via=Via.CLI), AllSources())

    assert [False] == [WORD in one.last_error for one in cards]


def test_what_differs_in_a_secret_is_two_alerts(world: Outside) -> None:
    """By what it is known is its labels as they came, so that no two become one."""
    first, second = (world.post(host="db1", session_token=f"{WORD}{number}") for number in range(2))

    assert first != second


def test_a_repetition_with_a_secret_is_the_same_alert(world: Outside) -> None:
    """What is told again is found again."""
    first, second = (world.post(host="db1", session_token=WORD) for _ in range(2))

    assert first == second


def test_a_secret_in_escaped_letters(world: Outside) -> None:
    """Letters written as numbers are letters."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in "password")

    assert is_suspicious(f'{{"note":"{escaped}={WORD}"}}'.encode())


BEFORE: Final = st.sampled_from(
    [
        *("password=", "API_KEY: ", "token ", "--token ", "sid=", "otp: ", "session=", "Cookie: a=", "Authorization: "),
        *("https://u:", "Bearer ", "Basic ", "-----BEGIN PRIVATE KEY-----", "hooks.slack.com/services/", "eyJ", "Bot "),
        *(
            "discord.com/api/webhooks/12345678901/",
            "api.telegram.org/bot",
            "cvv=",
            "sig=",
            "ſecret=",
            "toKen=",
            "auth=",
        ),
    ]
)


@given(st.lists(st.one_of(BEFORE, st.text(max_size=20), st.sampled_from((*SECRETS, WORD, "@host", " "))), max_size=6))
def test_what_has_a_secret_is_suspicious(parts: list[str]) -> None:
    """Whatever the rules take out of a text, the quick look sees that there is something."""
    text = "".join(parts)
    changed = redact(text) != text
    body = json.dumps({"a": text}, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert is_suspicious(body) or not changed


@given(
    st.dictionaries(
        st.sampled_from(["pwd", "pass", "x_pass", "jwt", "Otp", "host", "userToken", "PHPSESSID"]), st.text()
    )
)
def test_what_a_name_stands_for_is_suspicious(tree: dict[str, str]) -> None:
    """Names alone are enough."""
    changed = redact_tree(dict(tree)) != tree

    assert is_suspicious(json.dumps(tree).encode()) or not changed


def test_an_ordinary_alert_is_not_suspicious() -> None:
    """The quick look lets pass what nearly all alerts look like."""
    alert = {"alertname": "HostDown", "instance": "host-000001.example:9100", "url": "http://p:9090/graph?g0.expr=up"}

    assert not is_suspicious(json.dumps(alert).encode())


def test_a_large_message_is_not_kept() -> None:
    """What would take seconds to read is not kept at all."""
    assert b"" == body_to_keep(b"x" * 300_000)
