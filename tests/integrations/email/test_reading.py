"""What a mail says, as an alert."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.integrations.email import Reading, Rule, read_mail
from stanch.kernel.errors import Invalid
from stanch.ports.signals import AlertSignal, SignalStatus

NAGIOS = Rule(
    subject=r"\*\* (?P<kind>\w+) Service Alert: (?P<host>[\w.-]+)/(?P<check>.+) is (?P<state>\w+)",
    title="{check} on {host}",
    severity="{state}",
    service="{host}",
    resolved=r"is OK\b",
)


def mail(subject: str, text: str = "", *, sender: str = "Nagios <nagios@example.com>") -> bytes:
    """Return a mail as it is sent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "alerts@example.com", subject
    message["Message-ID"] = "<1@example.com>"
    message.set_content(text)
    return message.as_bytes()


def alert_of(raw: bytes, *rules: Rule) -> AlertSignal:
    """Return the one alert that a mail is."""
    (found,) = read_mail(raw, Reading(rules=rules)).alerts
    return found


def test_a_mail_without_a_rule_is_called_by_its_subject() -> None:
    """Name, sender, text and severity are there without any configuration."""
    found = alert_of(mail("Backup of db1 failed", "disk full"))

    assert ({"alertname": "Backup of db1 failed", "from": "nagios@example.com"}, "disk full", "warning") == (
        found.labels,
        found.annotations["description"],
        found.annotations["severity"],
    )


@pytest.mark.parametrize(
    "subject", ["[FIRING:1] DiskFull", "RESOLVED: DiskFull", "Re: PROBLEM: DiskFull", "Fwd: Re: [OK] DiskFull"]
)
def test_the_state_is_no_part_of_the_name(subject: str) -> None:
    """The mail that ends an alert names the same one."""
    assert "DiskFull" == alert_of(mail(subject)).labels["alertname"]


@pytest.mark.parametrize(
    ("subject", "status"),
    [
        ("[FIRING:1] DiskFull", SignalStatus.FIRING),
        ("[RESOLVED] DiskFull", SignalStatus.RESOLVED),
        ("Recovery: DiskFull", SignalStatus.RESOLVED),
        ("Bookings fail", SignalStatus.FIRING),
    ],
)
def test_the_subject_says_whether_it_is_over(subject: str, status: SignalStatus) -> None:
    """Whole words alone count: `bookings` is not `ok`."""
    assert status is alert_of(mail(subject)).status


def test_a_rule_takes_the_parts_out_of_the_subject() -> None:
    """Title, severity and service are filled from named groups."""
    found = alert_of(mail("** PROBLEM Service Alert: db1/Disk space is CRITICAL **"), NAGIOS)

    assert ("Disk space on db1", "critical", "db1") == (
        found.labels["alertname"],
        found.annotations["severity"],
        found.annotations["service"],
    )


def test_a_rule_says_when_it_is_over() -> None:
    """Its own expression counts, and the alert is the same."""
    found = alert_of(mail("** RECOVERY Service Alert: db1/Disk space is OK **"), NAGIOS)

    assert (SignalStatus.RESOLVED, "Disk space on db1") == (found.status, found.labels["alertname"])


def test_a_rule_that_does_not_fit_is_passed_over() -> None:
    """The first rule of which all expressions are found counts."""
    rules = (Rule(sender="other@", title="wrong"), Rule(body="full", title="right"))

    assert "right" == alert_of(mail("x", "disk full"), *rules).labels["alertname"]


def test_a_mail_can_be_ignored() -> None:
    """A digest that comes every night is taken, and leads to nothing."""
    parsed = read_mail(mail("Nightly digest"), Reading(rules=(Rule(subject="digest", ignore=True),)))

    assert ((), "a rule says that such a mail is no alert") == (parsed.alerts, parsed.remark)


def test_html_is_read_as_text() -> None:
    """Where there is no plain text, tags are left out and what they hide is too."""
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.c", "x"
    message.set_content("<style>p {}</style><p>Disk <b>full</b> &amp; hot</p><p>db1</p>", subtype="html")

    assert "Disk full & hot\ndb1" == alert_of(message.as_bytes()).annotations["description"]


def test_an_encoded_subject_is_read() -> None:
    """RFC 2047 words are text."""
    raw = b"From: a@b.c\r\nSubject: =?utf-8?q?Verbindung_zu_D=C3=BCsseldorf_weg?=\r\n\r\n"

    assert "Verbindung zu Düsseldorf weg" == alert_of(raw).labels["alertname"]


def test_a_mail_of_an_unknown_charset_is_read() -> None:
    """A charset that nobody knows costs letters and not the alert."""
    raw = b"From: a@b.c\r\nSubject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\ndisk f\xfcll"

    assert "disk f�ll" == alert_of(raw).annotations["description"]


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\nno headers at all"])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    """Something without a header is no mail."""
    with pytest.raises(Invalid):
        read_mail(raw, Reading())


@given(st.binary(max_size=400), st.sampled_from([b"", b"Subject: ", b"From: a@b\r\nContent-Type: multipart/mixed\r\n"]))
def test_no_mail_breaks_the_reader(tail: bytes, head: bytes) -> None:
    """Whatever comes is an alert, or `Invalid`."""
    try:
        read_mail(head + tail, Reading())
    except Invalid as error:
        assert ["mail"] == [problem.field for problem in error.problems]
