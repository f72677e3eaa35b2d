"""The mail listener of a server, as `[mail]` configures it: what the mailbox takes becomes alerts."""

import os
import socket
from collections.abc import Callable

from stanch.catalog.inbox import MailSpec
from stanch.integrations.email import Reading, Rule, Word, read_mail, read_reply
from stanch.kernel.errors import Forbidden, Unavailable
from stanch.operations.intake import not_taken, take_parsed
from stanch.operations.oncall import answers
from stanch.operations.world import World
from stanch.surfaces.smtp.listener import Admission, Listener, Replies

SOURCE = "email"
"""The source under which alerts that came by mail are known."""


def mail_listener(world: World, *, wake: Callable[[], None] = lambda: None) -> Listener | None:
    """Return the listener, not started yet; None where no mail is taken. `wake` is called when something may be due.

    Raises `Forbidden` when tokens are asked for and there are none, `Unavailable` when the port is taken.
    """
    spec = world.catalog.mail
    if not spec.listen:
        return None
    tokens = tuple(os.environ.get(spec.token_env, "").split()) if spec.token_env else ()
    if spec.token_env and not tokens:
        raise Forbidden(
            "the token for mail is not set on this server",
            reason="secret_not_set",
            hint=f"set {spec.token_env} in the environment of the server",
        )
    reading = reading_of(spec)

    def take(raw: bytes) -> str:
        taken = take_parsed(world, SOURCE, read_mail(raw, reading), body=raw)
        wake()
        return taken.remark

    return Listener(
        _socket(spec.listen),
        admission=Admission(senders=spec.senders, tokens=tokens),
        take=take,
        largest_bytes=spec.largest_bytes,
        complain=lambda error: not_taken(world, SOURCE, error),
        replies=_replies(world),
    )


def _replies(world: World) -> Replies | None:
    mailbox = world.catalog.mail.replies.partition("@")[0]
    if not mailbox:
        return None

    def answer(token: str, raw: bytes, sender: str) -> str:
        said = read_reply(raw, sender=sender)
        if said.automatic:
            return "an automatic reply answers nothing"
        if said.word is Word.NOTHING:
            return "no word was understood: write ack, escalate or snooze 30 alone in the first line"
        return answers.reply(world, token, word=said.word.value, minutes=said.minutes, how="mail")

    return Replies(mailbox=mailbox, answer=answer)


def reading_of(spec: MailSpec) -> Reading:
    """Return how mails are read, as configured."""
    rules = tuple(
        Rule(
            subject=one.subject,
            sender=one.sender,
            body=one.body,
            title=one.title,
            severity=one.severity,
            service=one.service,
            resolved=one.resolved,
            ignore=one.ignore,
        )
        for one in spec.rules
    )
    return Reading(rules=rules, severity=spec.severity, service=spec.service)


def _socket(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise Unavailable(f"cannot take mail at {listen}: {error.strerror}", retry=False) from error
    return listener
