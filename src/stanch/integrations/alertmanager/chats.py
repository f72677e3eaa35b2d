"""Rooms that are told: Slack, Discord, Microsoft Teams and Telegram, in the keys of an `alertmanager.yml`.

None of them knows a key by which it would show a message once: what got no answer may be shown twice.
"""

from typing import Final

import httpx2

from stanch.integrations.alertmanager.facts import alerts_page, text_of_notice, title_of
from stanch.integrations.alertmanager.http import Sent, is_true, said
from stanch.integrations.alertmanager.posting import Kind, as_json, filled
from stanch.integrations.alertmanager.shape import Given, Shape, default_text, shortened
from stanch.kernel.errors import Unavailable
from stanch.ports.notifier import Notice

_SLACK: Final = Shape(
    secrets=("api_url",),
    texts=(
        "channel", "username", "color", "title", "title_link", "pretext", "text", "fallback", "callback_id", "footer",
        "icon_emoji", "icon_url", "image_url", "thumb_url", "message_text", "fields", "actions",
    ),
    plain=("short_fields", "link_names", "mrkdwn_in"),
    urls=("api_url",),
    refused={
        "app_token": "is not a key here; give it as http_config.authorization.credentials, "
        "with api_url: https://slack.com/api/chat.postMessage"
    },
)  # fmt: skip


def _slack(given: Given, notice: Notice) -> Sent:
    """Return Slack's message with one attachment (https://docs.slack.dev/legacy/legacy-messaging)."""
    title = shortened(given.text("title", notice, title_of(notice)), 1024)
    text = given.text("text", notice, default_text(notice, 3000))
    fields = given.nested("fields", notice)
    short = is_true(given.plain("short_fields"))
    attachment = filled(
        title=title,
        title_link=given.text("title_link", notice, alerts_page(notice)),
        pretext=given.text("pretext", notice),
        text=text,
        fallback=given.text("fallback", notice, title),
        callback_id=given.text("callback_id", notice),
        footer=given.text("footer", notice),
        image_url=given.text("image_url", notice),
        thumb_url=given.text("thumb_url", notice),
        color=given.text("color", notice, "danger" if notice.is_firing else "good"),
        mrkdwn_in=given.settings.get("mrkdwn_in") or ["fallback", "pretext", "text"],
        fields=[{**one, "short": is_true(str(one.get("short", short)))} for one in fields if isinstance(one, dict)]
        if isinstance(fields, list)
        else [],
        actions=given.nested("actions", notice),
    )
    body = filled(
        channel=given.text("channel", notice),
        username=given.text("username", notice, "Stanch"),
        icon_emoji=given.text("icon_emoji", notice),
        icon_url=given.text("icon_url", notice),
        link_names=is_true(given.plain("link_names")) or None,
        text=given.text("message_text", notice),
        attachments=[attachment],
    )
    return as_json(given.secret("api_url"), body)


def _slack_answered(answer: httpx2.Response) -> None:
    """Slack's methods, unlike its incoming webhooks, say with status 200 what they did not take."""
    try:
        said = answer.json()
    except ValueError:
        return
    if isinstance(said, dict) and said.get("ok") is False:
        error = str(said.get("error", ""))[:100]
        again = error in ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable")
        raise Unavailable(f"slack answered {error}", retry=again)


_DISCORD: Final = Shape(
    secrets=("webhook_url",),
    texts=("title", "message", "content", "username", "avatar_url"),
    urls=("webhook_url",),
)


def _discord(given: Given, notice: Notice) -> Sent:
    """Return a message with one embed (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""
    embed = {
        "title": shortened(given.text("title", notice, title_of(notice)), 256),
        "description": shortened(given.text("message", notice, text_of_notice(notice)), 4096),
        "color": 0xB3261E if notice.is_firing else 0x2E7D32,
    }
    body = filled(
        content=shortened(given.text("content", notice), 2000),
        username=given.text("username", notice),
        avatar_url=given.text("avatar_url", notice),
        embeds=[embed],
    )
    return as_json(given.secret("webhook_url"), body)


_TEAMS: Final = Shape(secrets=("webhook_url",), texts=("title", "text"), urls=("webhook_url",))


def _teams(given: Given, notice: Notice) -> Sent:
    """Return an adaptive card, as a workflow "when a webhook request is received" wants it."""
    title = given.text("title", notice, title_of(notice))
    block = {"type": "TextBlock", "wrap": True}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "full"},
        "body": [
            {**block, "text": title, "weight": "bolder", "size": "medium", "color": _teams_colour(notice)},
            # 28 KB is what Teams takes.
            {**block, "text": shortened(given.text("text", notice, text_of_notice(notice)), 20_000)},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "All alerts", "url": alerts_page(notice)}],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return as_json(given.secret("webhook_url"), {"type": "message", "attachments": [content]})


def _teams_colour(notice: Notice) -> str:
    return "attention" if notice.is_firing else "good"


_OLD_TEAMS: Final = Shape(secrets=("webhook_url",), texts=("title", "summary", "text"), urls=("webhook_url",))


def _old_teams(given: Given, notice: Notice) -> Sent:
    """Return a message card, as the connectors that Microsoft is ending take it."""
    title = given.text("title", notice, title_of(notice))
    body = {
        "@context": "http://schema.org/extensions",
        "@type": "MessageCard",
        "title": title,
        "summary": given.text("summary", notice, title),
        "text": shortened(given.text("text", notice, text_of_notice(notice)), 20_000),
        "themeColor": "B3261E" if notice.is_firing else "2E7D32",
    }
    return as_json(given.secret("webhook_url"), body)


def _old_teams_answered(answer: httpx2.Response) -> None:
    """A connector says 200 to what it did not take, and then not `1`."""
    if "error" in answer.text.lower():
        raise Unavailable(f"teams answered {said(answer)}", retry="429" in answer.text)


_TELEGRAM: Final = Shape(
    secrets=("bot_token",),
    texts=("message",),
    plain=("api_url", "chat_id", "message_thread_id", "disable_notifications", "parse_mode"),
    urls=("api_url",),
    needed=("chat_id",),
    numbers=("chat_id", "message_thread_id"),
)


def _telegram(given: Given, notice: Notice) -> Sent:
    """Return a message of a bot (https://core.telegram.org/bots/api#sendmessage)."""
    base = given.plain("api_url", "https://api.telegram.org").rstrip("/")
    ours = "message" not in given.texts
    text = given.text("message", notice, f"{title_of(notice)}\n\n{text_of_notice(notice)}")
    body = filled(
        chat_id=int(given.plain("chat_id", "0")),
        message_thread_id=int(given.plain("message_thread_id", "0")) or None,
        text=shortened(text, 4096),
        disable_notification=is_true(given.plain("disable_notifications")) or None,
        parse_mode="" if ours else given.plain("parse_mode", "HTML"),
    )
    return as_json(f"{base}/bot{given.secret('bot_token')}/sendMessage", body)


CHATS: Final = {
    "slack": Kind(name="slack", shape=_SLACK, make=_slack, answered=_slack_answered),
    "discord": Kind(name="discord", shape=_DISCORD, make=_discord),
    "msteamsv2": Kind(name="teams", shape=_TEAMS, make=_teams),
    "msteams": Kind(name="teams", shape=_OLD_TEAMS, make=_old_teams, answered=_old_teams_answered),
    "telegram": Kind(name="telegram", shape=_TELEGRAM, make=_telegram),
}
