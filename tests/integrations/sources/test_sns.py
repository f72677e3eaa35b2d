"""What SNS sends is believed only with a signature of SNS, and nothing is asked for elsewhere."""

import json
from dataclasses import replace

import pytest

from stanch.integrations.cloudwatch import CloudWatch
from stanch.integrations.cloudwatch.signature import is_sns
from stanch.kernel.errors import Forbidden, Invalid, Unavailable
from stanch.ports.signals import Inbound
from tests.integrations.sources import sns
from tests.integrations.sources.cases import BY_FILE, NOW

SOURCE = CloudWatch(topics=(sns.TOPIC,), fetch=sns.fetch)


def message(file: str, **changed: str) -> Inbound:
    """Return a fixture with some fields changed, unsigned."""
    request = BY_FILE[f"cloudwatch/{file}"].request
    return replace(request, body=json.dumps({**json.loads(request.body), **changed}).encode())


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("file", ["alarm", "ok", "subscription"])
def test_both_versions_of_the_signature(version: str, file: str) -> None:
    """A message of either version is believed, with a subject and without."""
    request = message(file)
    signed = replace(request, body=sns.signed(request.body, version=version))

    SOURCE.verify(signed, secret="", now=NOW)


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp"])
def test_every_signed_field_counts(field: str) -> None:
    """A field that was touched after signing makes the signature false."""
    body = json.loads(sns.signed(message("alarm").body))

    with pytest.raises(Forbidden):
        SOURCE.verify(Inbound(body=json.dumps({**body, field: "other"}).encode()), secret="", now=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-central-1.amazonaws.com.evil.test/x.pem",
        "https://evil.test/sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.test/x.pem",
        "https://user:word@sns.eu-central-1.amazonaws.com/x.pem",
        "http://sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/x.pem",
        "https://sns.eu.central.amazonaws.com/x.pem",
        "https://169.254.169.254/x.pem",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_only_sns_is_asked(url: str) -> None:
    """No address but one of SNS over https is ever asked for a certificate."""
    before = len(sns.asked)

    with pytest.raises(Forbidden):
        SOURCE.verify(Inbound(body=sns.signed(message("alarm", SigningCertURL=url).body)), secret="", now=NOW)
    assert before == len(sns.asked)


@pytest.mark.parametrize("host", ["sns.us-east-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"])
def test_hosts_of_sns(host: str) -> None:
    """The hosts of all regions are SNS's."""
    assert is_sns(f"https://{host}/SimpleNotificationService-1.pem")


def test_the_certificate_is_kept() -> None:
    """One certificate is asked for once."""
    source, body = CloudWatch(topics=(sns.TOPIC,), fetch=sns.fetch), sns.signed(message("alarm").body)
    before = len(sns.asked)
    for _ in range(3):
        source.verify(Inbound(body=body), secret="", now=NOW)

    assert 1 == len(sns.asked) - before


def test_a_foreign_topic_is_refused() -> None:
    """A good signature of somebody else's topic proves nothing."""
    with pytest.raises(Forbidden):
        SOURCE.verify(Inbound(body=sns.signed(message("alarm", TopicArn="arn:aws:sns:x:1:y").body)), secret="", now=NOW)


def test_a_subscription_is_to_be_confirmed_at_sns() -> None:
    """The confirmation of a known topic is asked for, at the address that SNS gave."""
    parsed = SOURCE.parse(message("subscription"), now=NOW)
    SOURCE.confirm(parsed.fetch)

    assert sns.CONFIRM == sns.asked[-1]


def test_an_unknown_topic_is_not_confirmed() -> None:
    """Nobody can subscribe us to a topic that is not named."""
    parsed = CloudWatch(fetch=sns.fetch).parse(message("subscription"), now=NOW)

    assert ("", True) == (parsed.fetch, "nothing was confirmed" in parsed.remark)


def test_a_subscription_elsewhere_is_refused() -> None:
    """An address to confirm at that is not SNS's is refused by name, and never asked."""
    with pytest.raises(Invalid) as told:
        SOURCE.parse(message("subscription", SubscribeURL="http://169.254.169.254/latest"), now=NOW)

    assert "SubscribeURL" == told.value.problems[0].field


def test_the_end_of_a_subscription_is_not_confirmed() -> None:
    """Asking the address in it would subscribe again."""
    assert "" == SOURCE.parse(message("unsubscribe"), now=NOW).fetch


def test_a_certificate_that_cannot_be_had_is_asked_for_again() -> None:
    """The sender is told to try again, and not that it is wrong."""
    request = message("alarm", SigningCertURL="https://sns.eu-central-1.amazonaws.com/gone.pem")

    with pytest.raises(Unavailable):
        SOURCE.verify(Inbound(body=sns.signed(request.body)), secret="", now=NOW)
