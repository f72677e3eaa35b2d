"""Receivers that are told over HTTP: what each far end gets, what its answers mean, and that no secret is told."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stanch.kernel.errors import Invalid, Unavailable
from stanch.ports.notifier import Notice
from tests.integrations.pagers.far import SECRET, Answer, Far, Got, far_end
from tests.integrations.receivers.notices import alert, notice, receiver, tell

OVER = notice(alert(over=True))
KEYS = {
    "slack": "api_url",
    "pagerduty": "url",
    "discord": "webhook_url",
    "msteams": "webhook_url",
    "msteamsv2": "webhook_url",
    "opsgenie": "api_url",
    "telegram": "api_url",
    "pushover": "api_url",
}
SECRETS: Mapping[str, Mapping[str, str]] = {
    "pagerduty": {"routing_key": SECRET},
    "opsgenie": {"api_key": SECRET},
    "telegram": {"bot_token": SECRET, "chat_id": "-100123"},
    "pushover": {"user_key": "u1", "token": SECRET},
}


def fine(got: Got, number: int) -> Answer:
    """Take everything."""
    return Answer(body={"ok": True})


def settings(kind: str, far: Far, **more: object) -> dict[str, object]:
    """Return the settings of a receiver at `far`, with a secret in them."""
    return {KEYS[kind]: f"{far.url}/{SECRET}", **SECRETS.get(kind, {}), **more}


def told(kind: str, about: Notice, **more: object) -> tuple[Got, Any]:  # Any: whatever the far end's protocol says
    """Tell a receiver of `kind` and return the request that came, and its body."""
    with far_end(fine) as far:
        tell(kind, settings(kind, far, **more), about)
        return far.got[0], far.got[0].json


@pytest.mark.parametrize("kind", KEYS)
def test_ours_say_what_fires(kind: str) -> None:
    """Without a text of one's own, the message names the alert, its state and what the alert says."""
    got, _ = told(kind, notice())
    said = got.body.decode()

    assert (True, True, True) == ("FIRING" in said, "DiskFull" in said, "is> full" in said)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    ("status", "again"), [(429, True), (500, True), (503, True), (400, False), (403, False), (302, False)]
)
def test_what_is_tried_again(kind: str, status: int, again: bool) -> None:
    """429 and 5xx are tried again; what the far end refuses is not; its answer is told and no secret."""
    with far_end(fine) as far:
        far.trouble.append(Answer(status=status, body={"error": "no"}, headers={"Location": "http://127.0.0.1:1/"}))
        with pytest.raises(Unavailable) as raised:
            tell(kind, settings(kind, far), notice())

    assert (again, True, False) == (
        raised.value.retry,
        str(status) in raised.value.message,
        SECRET in raised.value.message,
    )


@pytest.mark.parametrize("kind", KEYS)
def test_nobody_there_is_tried_again(kind: str) -> None:
    """A far end that does not answer is tried again, and its URL is not told."""
    with far_end(fine) as far:
        given = settings(kind, far)
    with pytest.raises(Unavailable) as raised:
        tell(kind, given, notice())

    assert (True, False) == (raised.value.retry, SECRET in raised.value.message)


@pytest.mark.parametrize("kind", KEYS)
def test_an_unknown_key_is_named(kind: str) -> None:
    """A key that a kind does not have is an error with its name."""
    with far_end(fine) as far, pytest.raises(Invalid) as raised:
        receiver(kind, settings(kind, far, colour="red"))

    assert ["colour"] == [problem.field for problem in raised.value.problems]


def test_slack_gets_one_attachment() -> None:
    """Slack gets channel, title and text as configured, in an attachment whose colour says the state."""
    _, body = told(
        "slack",
        notice(),
        channel="#ops-{{ .CommonLabels.severity }}",
        title='{{ template "slack.default.title" . }}',
        text="{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}",
        fields=[{"title": "Instance", "value": "{{ .CommonLabels.instance }}"}],
        short_fields="true",
    )

    assert {
        "channel": "#ops-page",
        "username": "Stanch",
        "attachments": [
            {
                "title": "FIRING 1: DiskFull, db1 (page)",
                "title_link": "http://stanch.example/alerts",
                "text": "DiskFull <is> full",
                "fallback": "FIRING 1: DiskFull, db1 (page)",
                "color": "danger",
                "mrkdwn_in": ["fallback", "pretext", "text"],
                "fields": [{"title": "Instance", "value": "db1", "short": True}],
            }
        ],
    } == body


def test_slack_says_no_with_200() -> None:
    """What Slack's methods refuse with status 200 is refused, with Slack's word for it."""

    def refusing(got: Got, number: int) -> Answer:
        return Answer(body={"ok": False, "error": "channel_not_found"})

    with far_end(refusing) as far, pytest.raises(Unavailable) as raised:
        tell("slack", settings("slack", far), notice())

    assert (False, "slack answered channel_not_found") == (raised.value.retry, raised.value.message)


def test_pagerduty_opens_and_ends_by_one_key() -> None:
    """PagerDuty gets a trigger and a resolve with the same key, which is that of the group."""
    _, opened = told("pagerduty", notice(), severity="critical", details={"where": "{{ .CommonLabels.instance }}"})
    _, ended = told("pagerduty", OVER)

    assert (
        "trigger",
        "critical",
        "db1",
        "resolve",
        opened["dedup_key"],
        {"routing_key", "event_action", "dedup_key"},
    ) == (
        opened["event_action"],
        opened["payload"]["severity"],
        opened["payload"]["custom_details"]["where"],
        ended["event_action"],
        ended["dedup_key"],
        set(ended),
    )


def test_pagerduty_keeps_its_bounds() -> None:
    """A summary has at most 1,024 characters and a severity is one that PagerDuty knows."""
    _, body = told("pagerduty", notice(), description="x" * 2000, severity="page")

    assert (1024, "error") == (len(body["payload"]["summary"]), body["payload"]["severity"])


def test_an_old_pagerduty_key_says_what_to_do() -> None:
    """A key of the Events API v1 is refused with the key to give instead."""
    with pytest.raises(Invalid) as raised:
        receiver("pagerduty", {"service_key": "x"})

    assert "give routing_key" in raised.value.problems[0].message


def test_opsgenie_closes_by_alias() -> None:
    """Opsgenie gets an alert with an alias, and its end at that alias, with the key in a header."""
    created, body = told("opsgenie", notice(), priority="P1", tags="a, b")
    closed, _ = told("opsgenie", OVER)

    assert (
        f"/{SECRET}/v2/alerts",
        "P1",
        f"GenieKey {SECRET}",
        f"/{SECRET}/v2/alerts/{body['alias']}/close?identifierType=alias",
    ) == (
        created.path,
        body["priority"],
        created.headers["authorization"],
        closed.path,
    )


def test_discord_gets_an_embed() -> None:
    """Discord gets an embed within its bounds."""
    _, body = told("discord", notice(*(alert(instance=f"db{number}" * 30) for number in range(60))), content="@here")

    assert ("@here", True, True) == (
        body["content"],
        len(body["embeds"][0]["title"]) <= 256,
        len(body["embeds"][0]["description"]) <= 4096,
    )


def test_teams_gets_an_adaptive_card() -> None:
    """A workflow of Teams gets an adaptive card with title and text."""
    _, body = told("msteamsv2", notice(), title="T {{ .Status }}", text="x")
    card = body["attachments"][0]["content"]

    assert ("message", "AdaptiveCard", ["T firing", "x"]) == (
        body["type"],
        card["type"],
        [block["text"] for block in card["body"]],
    )


def test_telegram_gets_a_chat() -> None:
    """A bot of Telegram posts to the chat by its number, with the token in the path."""
    got, body = told("telegram", notice(), message="<b>{{ .Status }}</b>")

    assert (f"/{SECRET}/bot{SECRET}/sendMessage", -100123, "<b>firing</b>", "HTML") == (
        got.path,
        body["chat_id"],
        body["text"],
        body["parse_mode"],
    )


def test_pushover_repeats_what_fires() -> None:
    """Pushover repeats what fires until it is answered there, as often as configured."""
    _, body = told("pushover", notice(), retry="2m")

    assert ("2", 120, 3600) == (body["priority"], body["retry"], body["expire"])


def test_a_secret_in_a_file_is_read_each_time(tmp_path: Path) -> None:
    """What a file holds when a notice is told is what is used, in the kind's own keys and in http_config."""
    held, word = tmp_path / "url", tmp_path / "word"
    with far_end(fine) as far:
        held.write_text(f"{far.url}/first\n")
        word.write_text("w1\n")
        http = {"basic_auth": {"username": "u", "password_file": str(word)}}
        with closing(receiver("slack", {"api_url_file": str(held), "http_config": http})) as one:
            one.notify(notice())
            held.write_text(f"{far.url}/second\n")
            word.write_text("w2\n")
            one.notify(notice())

        assert [("/first", "u:w1"), ("/second", "u:w2")] == [(got.path, got.login) for got in far.got]


def test_a_text_that_cannot_be_written_is_an_error_of_the_configuration() -> None:
    """A template that asks for what there is not names its key when the configuration is read."""
    with pytest.raises(Invalid) as raised:
        receiver("discord", {"webhook_url": "http://x/", "title": "{{ .Severity }}"})

    assert ("title", True) == (raised.value.problems[0].field, "docs/receivers.md" in raised.value.problems[0].message)
