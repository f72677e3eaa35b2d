"""Failures that name something outside are told from those that name our own services."""

import pytest

from stanch.diagnose.changes.model import Message
from stanch.diagnose.changes.outside import outside_signs


def signs(*texts: str) -> list[str]:
    """Return what the failures of two services name as failing."""
    messages = [Message(service=f"s{number}", text=text) for number, text in enumerate(texts)]
    return [sign.what for sign in outside_signs(messages, known={"s0", "s1", "stock"})]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("POST https://api.paycorp.com/v1/charges returned 503", "api.paycorp.com"),
        ("lookup mail.example.com on 10.0.0.1:53: no such host", "names that do not resolve"),
        ("tls: x509: certificate has expired or is not yet valid", "a certificate that ran out"),
        ("kubelet: node not ready, 12 pods evicted", "a machine, a zone or its network"),
        ("s3 GetObject failed: ServiceUnavailable (503) region=eu-1", "a cloud service"),
    ],
)
def test_a_sign_is_found(text: str, what: str) -> None:
    """The common outside causes are recognised by their words."""
    assert what in signs(text)


@pytest.mark.parametrize(
    "text",
    [
        "upstream stock returned 503",
        "http://stock.shop.svc.cluster.local:80 returned 503",
        "TypeError in pay.py: timed out",
        "java.net.SocketTimeoutException: Read timed out",
        "query failed: relation does not exist",
    ],
)
def test_our_own_failures_are_no_sign(text: str) -> None:
    """Our own services, files and classes are nothing outside."""
    assert [] == signs(text)
