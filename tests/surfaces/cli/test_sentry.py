"""`stanch sentry`, and what `stanch doctor` says of Sentry, as they are typed, against a small one that is asked."""

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.sentry import TOKEN
from tests.support.sentryorg import CLIENT, SentryOrganization, sentry_organization
from tests.surfaces.cli.terminal import STANCH, WITHIN_S, Ran, Terminal

pytestmark = pytest.mark.slow

INVALID, MISSING, NOT_FOUND, REFUSED = 2, 4, 5, 6


@pytest.fixture
def sentry() -> Iterator[SentryOrganization]:
    """Give an organization with nothing wrong in it."""
    with sentry_organization() as found:
        found.interval_s = 1
        yield found


def configured(terminal: Terminal, url: str, *, secret_env: str = "", name: str = "sentry", more: str = "") -> None:
    """Write a configuration with one Sentry."""
    lines = [
        f"[systems.{name}]",
        'kind = "sentry"',
        'organization = "shop"',
        f'url = "{url}"',
        'services = ["payments"]',
    ]
    lines += [f'secret_env = "{secret_env}"'] if secret_env else []
    text = "\n".join(["[services.payments]", *lines, more, ""])
    (terminal.folder / "stanch.toml").write_text(text, encoding="utf-8")


def grants_file(terminal: Terminal) -> Path:
    """Return where what was granted is kept."""
    (found,) = terminal.state.rglob("sentry-sentry.json")
    return found


def of_sentry(ran: Ran) -> list[list[str]]:
    """Return the doctor's lines about Sentry, without its name."""
    return [[row[0], row[2]] for row in ran.rows() if row[1].partition(":")[0] == "sentry"]


def test_a_token_says_what_it_may(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Where it is, how it is connected, its rights; all that is needed is there."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("sentry", "status", SENTRY_TOKEN=TOKEN)

    assert (
        0,
        [
            f"{sentry.url}, organization shop: token from the environment",
            "  Rights   event:read, org:read, project:read",
        ],
    ) == (ran.code, ran.out.splitlines())


def test_a_right_that_is_missing_is_named(terminal: Terminal, sentry: SentryOrganization) -> None:
    """With an exit code of its own, and what to do."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    sentry.scopes = ("event:read", "project:read")
    ran = terminal("sentry", "status", SENTRY_TOKEN=TOKEN)

    assert (MISSING, "  Missing  org:read", True) == (
        ran.code,
        ran.out.splitlines()[-1],
        "give the integration these rights" in ran.err,
    )


def test_status_can_be_read_by_a_program(terminal: Terminal, sentry: SentryOrganization) -> None:
    """As JSON, which holds no token."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("sentry", "status", "--json", SENTRY_TOKEN=TOKEN)
    assert isinstance(ran.answer, dict)

    assert ([], "token from the environment", False) == (ran.answer["missing"], ran.answer["how"], TOKEN in ran.out)


def test_a_variable_that_is_not_set_is_told_without_asking(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Which one, and what else would do; nothing goes over the network."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("sentry", "status")

    assert (REFUSED, True, True, 0) == (
        ran.code,
        "SENTRY_TOKEN is not set" in ran.err,
        "stanch sentry connect" in ran.err,
        len(sentry.site.asked),
    )


def test_a_token_that_is_not_accepted_is_said(terminal: Terminal, sentry: SentryOrganization) -> None:
    """It is no missing right; where another one belongs is named."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("sentry", "status", SENTRY_TOKEN="wrong")

    assert (REFUSED, True, True) == (
        ran.code,
        "the token is not accepted" in ran.err,
        "put a token that holds into SENTRY_TOKEN" in ran.err,
    )


def test_a_look_with_such_a_token_leads_to_the_status(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Whoever asks something else is told where the connection is shown."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("investigate", "errors", "payments", SENTRY_TOKEN="wrong")

    assert (REFUSED, True, True) == (
        ran.code,
        "the token is not accepted" in ran.err,
        "stanch sentry status" in ran.err,
    )


def test_without_a_sentry_it_says_what_to_write(terminal: Terminal) -> None:
    """The lines of stanch.toml that are missing."""
    (terminal.folder / "stanch.toml").write_text("[services.payments]\n")
    ran = terminal("sentry", "status")

    assert (NOT_FOUND, True) == (ran.code, "add [systems.sentry] with organization" in ran.err)


def test_one_of_several_has_to_be_named(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Those that there are are listed."""
    other = f'[systems.eu]\nkind = "sentry"\norganization = "shop"\nurl = "{sentry.url}"'
    configured(terminal, sentry.url, more=other)
    ran = terminal("sentry", "status")

    assert (INVALID, True) == (ran.code, "several are configured: " in ran.err)


def connect(terminal: Terminal, *words: str, **env: str) -> Ran:
    """Connect on another machine, by a code."""
    return terminal("sentry", "connect", "--client-id", CLIENT, "--device", *words, **env)


def test_a_device_is_connected_by_a_code(terminal: Terminal, sentry: SentryOrganization) -> None:
    """A person enters the code that is shown; it is asked until they have."""
    configured(terminal, sentry.url)
    sentry.pending.append("authorization_pending")
    ran = connect(terminal)

    assert (0, True, True) == (
        ran.code,
        "check that it shows the code ABCD-EFGH" in ran.err,
        "OAuth, granted by alice@shop.example" in ran.out,
    )


def test_what_is_granted_is_kept_for_its_owner_alone(terminal: Terminal, sentry: SentryOrganization) -> None:
    """And is nowhere in what is printed."""
    configured(terminal, sentry.url)
    ran = connect(terminal)

    assert (0o600, False) == (grants_file(terminal).stat().st_mode & 0o777, "access-1" in ran.out + ran.err)


def test_a_connection_is_shown_and_let_go(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Status says who granted it and until when; after disconnect nothing is there."""
    configured(terminal, sentry.url)
    connect(terminal)
    shown, gone, again = (
        terminal("sentry", "status"),
        terminal("sentry", "disconnect"),
        terminal("sentry", "disconnect"),
    )

    assert (True, "forgotten\n", "nothing was granted\n") == (
        "Renewed  by itself, before" in shown.out,
        gone.out,
        again.out,
    )


def test_a_person_who_says_no_is_heard(terminal: Terminal, sentry: SentryOrganization) -> None:
    """Nothing is kept, and how to begin again is said."""
    configured(terminal, sentry.url)
    sentry.pending.append("access_denied")
    ran = connect(terminal)

    assert (REFUSED, True, []) == (
        ran.code,
        "Sentry grants nothing: access_denied" in ran.err,
        [*terminal.state.rglob("sentry-sentry.json")],
    )


def test_a_browser_comes_back_with_the_code(terminal: Terminal, sentry: SentryOrganization) -> None:
    """The page to log in at is shown, and the code is redeemed where the state is the one that was sent along."""
    configured(terminal, sentry.url)
    sentry.codes["from-the-page"] = "alice"
    process = subprocess.Popen(
        [*STANCH, "sentry", "connect", "--client-id", CLIENT, "--json"],
        cwd=terminal.folder,
        env=terminal.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    asked = parse_qs(urlsplit(process.stderr.readline().split()[-1]).query)
    back = f"{asked['redirect_uri'][0]}?code=from-the-page&state={asked['state'][0]}"
    with urllib.request.urlopen(back, timeout=WITHIN_S) as page:  # noqa: S310  (loopback)
        shown = page.status
    out, _ = process.communicate(timeout=WITHIN_S)

    assert (200, 0, "OAuth", "S256") == (
        shown,
        process.returncode,
        json.loads(out)["how"],
        asked["code_challenge_method"][0],
    )


@pytest.mark.parametrize(
    ("secret_env", "words", "env", "said"),
    [
        ("SENTRY_TOKEN", (), {"SENTRY_TOKEN": TOKEN}, "has a token already, and that one is used"),
        ("", ("--client-secret-env", "CLIENT_SECRET"), {}, "CLIENT_SECRET is not set"),
    ],
)
def test_what_cannot_be_connected_is_said(
    terminal: Terminal,
    sentry: SentryOrganization,
    secret_env: str,
    words: tuple[str, ...],
    env: dict[str, str],
    said: str,
) -> None:
    """Before anybody is sent to a page."""
    configured(terminal, sentry.url, secret_env=secret_env)
    ran = connect(terminal, *words, **env)

    assert (INVALID, True, 0) == (ran.code, said in ran.err, len(sentry.site.asked))


def test_a_client_id_is_needed(terminal: Terminal) -> None:
    """The option is named."""
    ran = terminal("sentry", "connect")

    assert (INVALID, True) == (ran.code, "--client-id" in ran.err)


def test_a_doctor_says_once_that_sentry_cannot_be_reached(terminal: Terminal) -> None:
    """Its errors, its deploys and its connection fail for one reason."""
    with socket.socket() as nobody:
        # Taken and not listened to: nobody else gets this port meanwhile.
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        configured(terminal, url, secret_env="SENTRY_TOKEN")
        ran = terminal("doctor", SENTRY_TOKEN=TOKEN)
    lines = of_sentry(ran)

    assert (1, ["failed"], True) == (
        ran.code,
        [state for state, _ in lines],
        f"connection at {url}, organization shop: " in lines[0][1] and "Connection refused" in lines[0][1],
    )


def test_a_doctor_says_that_the_token_is_not_accepted(terminal: Terminal, sentry: SentryOrganization) -> None:
    """In one line, with where the token belongs."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("doctor", SENTRY_TOKEN="wrong")

    assert [True] == [
        "the token is not accepted" in told and "put a token that holds into SENTRY_TOKEN" in told
        for _, told in of_sentry(ran)
    ]


def test_a_doctor_asks_nothing_without_a_token(terminal: Terminal, sentry: SentryOrganization) -> None:
    """It says which variable is not set."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("doctor")

    assert ([True], 0) == (["SENTRY_TOKEN is not set" in told for _, told in of_sentry(ran)], len(sentry.site.asked))


def test_a_doctor_shows_what_works(terminal: Terminal, sentry: SentryOrganization) -> None:
    """A line for its deploys, its errors and its connection, none of them failed."""
    configured(terminal, sentry.url, secret_env="SENTRY_TOKEN")
    ran = terminal("doctor", SENTRY_TOKEN=TOKEN)

    assert (3, True) == (len(of_sentry(ran)), "failed" not in [state for state, _ in of_sentry(ran)])
