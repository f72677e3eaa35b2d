"""Replies to pages by mail: the words in their first lines, and what a program answers by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.integrations.email import Word, read_reply
from stanch.kernel.errors import Invalid

QUOTE = "\n\nOn Sat, 21 Nov 2026 at 03:00, Stanch <stanch@example.org> wrote:\n> ack, escalate, snooze 30\n"


def mail(text: str, *, subject: str = "Re: [SEV2] it fails", more: str = "") -> bytes:
    """Return a reply as a mail program writes it."""
    head = f"From: Bob <bob@example.org>\nTo: page+t@stanch.example\nSubject: {subject}\n{more}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("text", "word", "minutes"),
    [
        ("ack", Word.ACKNOWLEDGE, 0),
        ("Ack.", Word.ACKNOWLEDGE, 0),
        ("\n\n  On it!\n\nBob", Word.ACKNOWLEDGE, 0),
        ("Hi,\nacknowledged\n", Word.ACKNOWLEDGE, 0),
        ("escalate", Word.ESCALATE, 0),
        ("next", Word.ESCALATE, 0),
        ("snooze", Word.SNOOZE, 30),
        ("Snooze 45", Word.SNOOZE, 45),
        ("snooze for 2h", Word.SNOOZE, 120),
        ("snooze 9999h", Word.SNOOZE, 1440),
        ("I can not ack this", Word.NOTHING, 0),
        ("ack? no, escalate", Word.NOTHING, 0),
        ("Thanks", Word.NOTHING, 0),
        ("one\ntwo\nthree\nack", Word.NOTHING, 0),
        ("> ack", Word.NOTHING, 0),
        ("", Word.NOTHING, 0),
    ],
)
def test_the_words(text: str, word: Word, minutes: int) -> None:
    """A line of the first three that is one of the words and nothing else counts; what is quoted does not."""
    found = read_reply(mail(text + QUOTE), sender="bob@example.org")

    assert (word, minutes, False) == (found.word, found.minutes, found.automatic)


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (mail("ack", more="Auto-Submitted: auto-replied\n"), "bob@example.org"),
        (mail("ack", more="Auto-Submitted: auto-generated; type=x\n"), "bob@example.org"),
        (mail("ack", more="X-Autoreply: yes\n"), "bob@example.org"),
        (mail("ack", more="Precedence: bulk\n"), "bob@example.org"),
        (mail("ack", more="List-Id: <a.example>\n"), "bob@example.org"),
        (mail("ack", subject="Automatic reply: [SEV2] it fails"), "bob@example.org"),
        (mail("ack", subject="Out of Office: Re: it fails"), "bob@example.org"),
        (mail("ack", subject="Abwesenheitsnotiz: it fails"), "bob@example.org"),
        (mail("ack", subject="Undeliverable: it fails"), "bob@example.org"),
        (mail("ack"), ""),
        (mail("ack").replace(b"text/plain", b"multipart/report"), "bob@example.org"),
    ],
)
def test_what_a_program_answers_is_no_answer(raw: bytes, sender: str) -> None:
    """An automatic reply and a report of a mail server ask for nothing, whatever they say."""
    found = read_reply(raw, sender=sender)

    assert (Word.NOTHING, True) == (found.word, found.automatic)


def test_auto_submitted_no_is_a_person() -> None:
    """`Auto-Submitted: no` says that a person wrote it."""
    assert Word.ACKNOWLEDGE is read_reply(mail("ack", more="Auto-Submitted: no\n"), sender="b@example.org").word


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: mail(text)))
def test_any_mail_is_read(raw: bytes) -> None:
    """Whatever comes is understood as something, or is no mail."""
    try:
        assert read_reply(raw, sender="b@example.org").word in Word
    except Invalid as error:
        assert error.problems[0].field == "mail"
