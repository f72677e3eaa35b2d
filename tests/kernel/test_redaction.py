"""Secrets leave text and JSON, ordinary words stay, and no text makes it slow."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.kernel.event import JSON
from stanch.kernel.redaction import LineRedactor, redact, redact_tree

# Put together here, so that no scanner takes this file for a leak.
GITHUB = "ghp_" + "a1" * 18
SLACK = "xoxb-" + "1234567890-abcdefghij"
STRIPE = "sk_" + "live_" + "a1" * 12
AWS_ID = "AKIA" + "A2" * 8
GOOGLE = "AIza" + "b" * 35
GITLAB = "glpat-" + "x1" * 10
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0." + "c2lnbmF0dXJl-_x"
BASIC = base64.b64encode(b"alice:hunter2").decode()
KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoI="
BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def", "Authorization: [redacted:authorization]"),
        ("authorization=xyz, GET", "authorization=[redacted:authorization], GET"),
        (f"-H 'Authorization: Basic {BASIC}' /x", "-H 'Authorization: [redacted:authorization]' /x"),
        ('authorization: Digest username="a", response="b"', "authorization: [redacted:authorization]"),
        (f"sent Basic {BASIC} twice", "sent Basic [redacted:authorization] twice"),
        ("got bearer 0123456789abcdef.", "got bearer [redacted:authorization]"),
        (f"key {AWS_ID} used", "key [redacted:aws-key] used"),
        (f"push with {GITHUB}", "push with [redacted:github-token]"),
        (GITLAB, "[redacted:gitlab-token]"),
        (SLACK, "[redacted:slack-token]"),
        (STRIPE, "[redacted:stripe-key]"),
        (GOOGLE, "[redacted:google-key]"),
        (f"jwt {JWT} end", "jwt [redacted:jwt] end"),
        (f"a {BEGIN}\n{KEY_BODY}\n{END} b", "a [redacted:private-key] b"),
        (f"a {BEGIN}\n{KEY_BODY}", "a [redacted:private-key]"),
        (f'"{BEGIN}\\nMIIE\\n{END}\\n"', '"[redacted:private-key]\\n"'),
        ("password=hunter2&user=bob", "password=[redacted:password]&user=bob"),
        ("GET /login?token=abc123&x=1", "GET /login?token=[redacted:token]&x=1"),
        ("user[password]=foo", "user[password]=[redacted:password]"),
        ("user%5Bpassword%5D=foo&x=1", "user%5Bpassword%5D=[redacted:password]&x=1"),
        ("DB_PASSWORD=hunter2 make", "DB_PASSWORD=[redacted:password] make"),
        ("PGPASSWORD='two words' psql", "PGPASSWORD='[redacted:password]' psql"),
        ("--password hunter2 --user bob", "--password [redacted:password] --user bob"),
        ("--api-key=abc", "--api-key=[redacted:secret]"),
        ("client_secret: abc", "client_secret: [redacted:secret]"),
        ("apiKey: 'abc'", "apiKey: '[redacted:secret]'"),
        ('{"password": "a\\"b", "u": 1}', '{"password": "[redacted:password]", "u": 1}'),
        ('{\\"password\\":\\"ab\\",\\"u\\":1}', '{\\"password\\":\\"[redacted:password]\\",\\"u\\":1}'),
        ("aws_secret_access_key = ab/CD+ef", "aws_secret_access_key = [redacted:secret]"),
        ("Server=db;Password=foo;Database=x", "Server=db;Password=[redacted:password];Database=x"),
        ("postgres://user:pa@ss@host:5432/db", "postgres://user:[redacted:password]@host:5432/db"),
        ("redis://:secret@host/0", "redis://:[redacted:password]@host/0"),
        (f"https://{'0a' * 16}@sentry.example/1", "https://[redacted:token]@sentry.example/1"),
        ("https://hooks.slack.com/services/T0/B0/abcdefghij", "https://hooks.slack.com/services/[redacted:webhook]"),
        ("Cookie: session=abc; b=c", "Cookie: [redacted:cookie]"),
        ("Set-Cookie: sid=abc; HttpOnly", "Set-Cookie: [redacted:cookie]"),
        ("card 4111 1111 1111 1111.", "card [redacted:card]."),
        ("pan=378282246310005;", "pan=[redacted:card];"),
        ("1234 4111-1111-1111-1111", "1234 [redacted:card]"),
    ],
)
def test_secrets_are_replaced_by_their_kind(text: str, expected: str) -> None:
    """A secret leaves the mark of its kind; what stands around it stays."""
    assert expected == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "500 errors on /api/checkout since 14:30 UTC",
        "users getting 'session expired' right after login",
        "invalid token: expired",
        "password reset fails",
        "Basic authentication failed for bearer authentication",
        "Authorization: missing",
        "cookie: not found",
        "max_tokens=4096 token_count: 5 password_attempts=3",
        "http://host:8080/path?mail=a@b.example",
        "https://medium.example/@user",
        "ssh://git@github.com/a/b",
        "http://[::1]:8080/@x",
        "order 4111111111111112 trace 4111111111111111f at 1795271400123",
        "0.4111111111111111",
        "commit 2cbde04c0ffee2cbde04c0ffee2cbde04c0ffee1",
        "password = ***",
        "TypeError: Cannot read property 'amount' of null",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Words about secrets, addresses, identifiers and numbers that fit no card are left alone."""
    assert text == redact(text)


def test_names_in_a_tree_hide_their_values() -> None:
    """What stands under a name that means a secret is hidden, at any depth; the rest stays."""
    tree: JSON = {
        "password": "x",
        "credentials": {"user": "a", "parts": ["b", 3, None, True]},
        "headers": {"Authorization": "Bearer x", "Cookie": "a"},
        "rows": [["X-Api-Key", "zz"], ["Accept", "json"]],
        "env": [{"name": "DB_PASSWORD", "value": "abc"}, {"name": "REGION", "value": "eu"}],
        "n": 4111111111111111,
        "token": None,
        "tokens": 5,
        "note": "password=foo",
    }
    expected: JSON = {
        "password": "[redacted:password]",
        "credentials": {"user": "[redacted:secret]", "parts": ["[redacted:secret]", "[redacted:secret]", None, True]},
        "headers": {"Authorization": "[redacted:authorization]", "Cookie": "[redacted:cookie]"},
        "rows": [["X-Api-Key", "[redacted:secret]"], ["Accept", "json"]],
        "env": [{"name": "DB_PASSWORD", "value": "[redacted:password]"}, {"name": "REGION", "value": "eu"}],
        "n": "[redacted:card]",
        "token": None,
        "tokens": 5,
        "note": "password=[redacted:password]",
    }

    assert expected == redact_tree(tree)


def test_a_kubernetes_secret_keeps_only_its_names() -> None:
    """The data of a Secret object is hidden whatever its names are."""
    tree: JSON = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"url": "cG9zdGdyZXM="}}
    expected: JSON = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"url": "[redacted:secret]"}}

    assert expected == redact_tree(tree)


def test_a_tree_deeper_than_the_limit_is_cut() -> None:
    """A tree nested beyond the limit ends in a mark and does not exhaust the stack."""
    tree: JSON = "leaf"
    for _ in range(500):
        tree = [tree]

    assert "too-deep" in str(redact_tree(tree))


PIECES = st.sampled_from(
    [
        *("password", "token", "=", ": ", '"', "'", "\\", " ", "\n", "&", ",", "[", "]", "{", "hunter2", "secret"),
        *(GITHUB, SLACK, JWT, AWS_ID, BEGIN, END, KEY_BODY, "4111111111111111", "4111 1111 1111 1111", "-", ".", "1"),
        *("Authorization: ", "Bearer ", "Basic ", BASIC, "Cookie: a=b", "postgres://u:p@h", "://", "@", "--", "x"),
        *("[redacted:", "[redacted:password]", "Digest ", "api_key"),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text()


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """The result holds no secret that a second pass would find."""
    once = redact(text)

    assert once == redact(once)


@pytest.mark.parametrize("secret", [GITHUB, SLACK, STRIPE, AWS_ID, GOOGLE, GITLAB, JWT])
@settings(deadline=None)
@given(before=st.text(alphabet=" \n\"'=:,;()<>&?[]{}"), after=st.text(alphabet=" \n\"'=:,;()<>&?[]{}"))
def test_a_token_never_survives_between_any_signs(secret: str, before: str, after: str) -> None:
    """Whatever punctuation stands around a token, it is gone."""
    assert secret not in redact(before + secret + after)


@settings(deadline=None)
@given(
    st.from_regex(r"[A-Za-z0-9!#$%*+/?^_~|.-]{8,40}", fullmatch=True).filter(lambda value: any(map(str.isdigit, value)))
)
def test_a_quoted_password_never_survives(value: str) -> None:
    """Whatever a password in JSON looks like, it is gone."""
    assert value not in redact(f'{{"user": "bob", "password": "{value}", "ok": true}}').replace(
        "[redacted:password]", ""
    )


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "a-", '"', "\\", " ", "4", "4111 1111 ", "eyJ", "eyJ-", "eyJaaaaaaaaaa.", "x.", "1:", "://a:", "a://b:"),
        *(
            "password=",
            'password="',
            "token='",
            'password: \\"',
            "--token ",
            "authorization: ",
            "cookie: ",
            "cookie: a=",
        ),
        *("Basic ", "bearer aaaaaaaa ", BEGIN, f"{BEGIN}\nAAAA", "ghp_", "[redacted:", "authorization: Digest "),
    ],
)
def test_no_text_takes_more_than_linear_time(piece: str) -> None:
    """Four times as much of a hostile text takes about four times as long; one look of five without noise is enough."""
    growths = (_seconds(piece, 200_000) / max(_seconds(piece, 50_000), 0.02) for _ in range(5))

    assert any(growth < 10 for growth in growths)


def _seconds(piece: str, size: int) -> float:
    text = piece * (size // len(piece))
    before = time.process_time()
    redact(text)
    return time.process_time() - before


def test_a_megabyte_of_hostile_text_is_redacted() -> None:
    """A megabyte of unfinished secrets is done within the time of a request that waits."""
    assert _seconds('password="Bearer eyJaaaaaaaa. a://b:-----BEGIN PRIVATE KEY-----4111 ', 1_000_000) < 20


def test_a_key_that_comes_line_by_line_is_one_secret() -> None:
    """From its beginning to its end every line is taken out, and what follows is shown."""
    redactor = LineRedactor()
    lines = [
        "start",
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0B",
        "AQEF",
        "-----END PRIVATE KEY-----",
        "ok",
    ]

    mark = "[redacted:private-key]"
    assert ["start", mark, mark, mark, mark, "ok"] == [redactor.line(line) for line in lines]


def test_a_key_that_is_cut_off_does_not_hide_what_follows() -> None:
    """A line that cannot be part of it ends it."""
    redactor = LineRedactor()
    lines = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0B", "error: the disk is full", "next"]

    assert ["error: the disk is full", "next"] == [redactor.line(line) for line in lines][2:]
