"""Understands what SNS posts. The alarm is JSON within JSON, and the whole is declared as plain text."""

from datetime import datetime
from typing import Final

from stanch.integrations.cloudwatch.alarm import NO_DATA, alarm_of, event_of
from stanch.integrations.cloudwatch.signature import Certificates, Fetch, check, is_sns
from stanch.kernel.errors import Forbidden, Invalid, Unavailable
from stanch.kernel.jsontext import JsonObject, read_json, read_object
from stanch.ports.signals import Inbound, Parsed, carries_token

_KINDS: Final = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")


def _nowhere(url: str) -> bytes:
    raise Unavailable("nothing is fetched here", retry=False)


class CloudWatch:
    """Alarms of the topics in `topics` (ARNs); none means that no subscription is confirmed. `fetch` asks a URL."""

    def __init__(self, *, topics: tuple[str, ...] = (), fetch: Fetch = _nowhere) -> None:
        self._topics = frozenset(topics)
        self._fetch = fetch
        self._certificates = Certificates(fetch)

    @property
    def name(self) -> str:
        """Return `cloudwatch`."""
        return "cloudwatch"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the signature and the topic; raw delivery is not signed and carries the token.

        A signature only says that somebody's topic sent it, so besides it the topic must be known or the token fit.
        """
        has_token = bool(secret) and carries_token(request, secret)
        message = read_object(request.body)
        if message.text("Type") not in _KINDS:
            if not has_token:
                raise Forbidden("raw delivery needs the token", reason="bad_token", hint="add ?token=... to the URL")
            return
        if message.text("TopicArn") not in self._topics and not (has_token and not self._topics):
            raise Forbidden("the topic is not known here", reason="unknown_topic", hint="name its ARN in `topics`")
        check(message, self._certificates)

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of an alarm. A subscription is to be confirmed only for a known topic, at SNS itself."""
        message = read_object(request.body)
        kind = message.text("Type") or request.headers.get("x-amz-sns-message-type", "")
        delivery = message.text("MessageId") or request.headers.get("x-amz-sns-message-id", "")
        if kind == "SubscriptionConfirmation" and "SubscribeURL" in message:
            return self._confirmation(message, delivery)
        if kind == "UnsubscribeConfirmation":
            return Parsed(delivery=delivery, remark="the subscription was ended")
        if message.text("Type") == "Notification":
            return _alarm(_inner(message), delivery)
        return _alarm(message, delivery)

    def confirm(self, url: str) -> None:
        """Confirm a subscription. Raises `Forbidden` for an address that is not SNS's, `Unavailable` from the fetch."""
        if not is_sns(url):
            raise Forbidden("the address to confirm at is not on a host of SNS", reason="bad_subscribe_url")
        self._fetch(url)

    def _confirmation(self, message: JsonObject, delivery: str) -> Parsed:
        topic, url = message.needed("TopicArn"), message.text("SubscribeURL")
        if topic not in self._topics:
            return Parsed(delivery=delivery, remark=f"{topic} is not among `topics`, so nothing was confirmed")
        if not is_sns(url):
            raise Invalid("must be https on a host of SNS", field="SubscribeURL")
        return Parsed(delivery=delivery, fetch=url, remark=f"the subscription to {topic} was confirmed")


def _inner(message: JsonObject) -> JsonObject | None:
    """Return the JSON in `Message`, None when it is plain text."""
    try:
        value = read_json(message.text("Message").encode("utf-8", "replace"))
    except Invalid:
        return None
    return JsonObject(value, "Message") if isinstance(value, dict) else None


def _alarm(message: JsonObject | None, delivery: str) -> Parsed:
    if message is None:
        return Parsed(delivery=delivery, remark="the message is no alarm")
    if "detail-type" in message:
        if "state" not in message.object("detail"):
            return Parsed(delivery=delivery, remark=f"{message.text('detail-type')} changes no alert")
        alert = event_of(message)
    elif "NewStateValue" in message or "AlarmName" in message:
        alert = alarm_of(message)
    else:
        return Parsed(delivery=delivery, remark="the message is no alarm")
    if alert is None:
        return Parsed(delivery=delivery, remark=f"{NO_DATA} neither opens nor ends an alert")
    return Parsed(alerts=(alert,), delivery=delivery)
