"""Reads one mail as an alert. Pure: the mail's bytes and the rules in, the alert out."""

import email.policy
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.pattern import pattern
from stanch.ports.signals import AlertSignal, Parsed, SignalStatus

_LONGEST_TEXT: Final = 20_000
_LONGEST_TITLE: Final = 300
_LONGEST_SUBJECT: Final = 1_000
_PREFIX: Final = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|sv|antw)\s*:\s*)+", re.IGNORECASE)
_STATE: Final = re.compile(
    r"^\s*(?:\*\*\s*)?\[?\s*(?:problem|firing|alert(?:ing)?|down|critical|warning|resolved?|recover(?:y|ed)|ok|up|closed|cleared)"
    r"(?::\d+)?\s*(?:alert)?\s*(?:\]|:|-|–)\s*",
    re.IGNORECASE,
)
_OVER: Final = re.compile(r"\b(?:resolved|recovered|recovery|cleared|closed|back to normal|is up|ok)\b", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]{0,2000}>")
_UNSEEN: Final = re.compile(r"<(script|style|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^>]{0,200}>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How mails of one kind are read; all expressions that are given must be found."""

    subject: str = ""
    sender: str = ""
    body: str = ""
    title: str = ""
    severity: str = ""
    service: str = ""
    resolved: str = ""
    ignore: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What holds for all mails: the rules in their order, and what stands in where none says it."""

    rules: Sequence[Rule] = ()
    severity: str = "warning"
    service: str = ""


@dataclass(frozen=True, kw_only=True)
class _Mail:
    subject: str
    sender: str
    text: str
    id: str
    groups: Mapping[str, str] = field(default_factory=dict)


def read_mail(raw: bytes, reading: Reading) -> Parsed:
    """Return the alert that a mail is. Raises `Invalid` naming the field for what is no mail."""
    mail = _mail(raw)
    rule, groups = _rule_for(mail, reading.rules)
    if rule is not None and rule.ignore:
        return Parsed(delivery=mail.id, remark="a rule says that such a mail is no alert")
    chosen = rule or Rule()
    title = _filled(chosen.title, groups) or _plain_title(mail.subject) or "mail without a subject"
    over = _is_over(chosen, mail)
    annotations = {
        "summary": mail.subject or title,
        "description": mail.text,
        "severity": (_filled(chosen.severity, groups) or reading.severity).lower(),
        "service": _filled(chosen.service, groups) or reading.service,
    }
    signal = AlertSignal(
        labels={"alertname": title[:_LONGEST_TITLE], "from": mail.sender or "unknown"},
        annotations={name: text for name, text in annotations.items() if text},
        status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
    )
    return Parsed(alerts=(signal,), delivery=mail.id)


def _mail(raw: bytes) -> _Mail:
    try:
        message = message_from_bytes(raw, policy=email.policy.default)
    except (MessageError, ValueError) as error:
        raise Invalid(f"is no mail: {error}", field="mail") from error
    if not isinstance(message, EmailMessage) or not message.keys():
        raise Invalid("has no headers", field="mail")
    return _Mail(
        subject=" ".join(header_of(message, "subject").split())[:_LONGEST_SUBJECT],
        sender=parseaddr(header_of(message, "from"))[1].lower()[:_LONGEST_TITLE],
        text=text_of(message)[:_LONGEST_TEXT].strip(),
        id=header_of(message, "message-id").strip()[:500],
    )


def header_of(message: EmailMessage, name: str) -> str:
    """Return a header's text, empty where there is none."""
    # Malformed headers are met daily, and the library raises various things for them when they are read.
    try:
        value = str(message[name] or "")
    except (ValueError, LookupError, AttributeError, IndexError, TypeError, MessageError):
        found = [text for key, text in message.raw_items() if key.lower() == name]
        value = str(found[0]) if found else ""
    return value.encode("utf-8", "replace").decode("utf-8")


def text_of(message: EmailMessage) -> str:
    """Return what a mail says as plain text, empty where it says nothing that can be read."""
    try:
        part = message.get_body(preferencelist=("plain", "html"))
    except (ValueError, LookupError, AttributeError, MessageError):
        part = None
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        text = raw[: 8 * _LONGEST_TEXT].decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = raw[: 8 * _LONGEST_TEXT].decode("utf-8", "replace")
    return _without_html(text) if part.get_content_type() == "text/html" else text


def _without_html(text: str) -> str:
    shown = _TAG.sub("", _BREAK.sub("\n", _UNSEEN.sub("", text)))
    return re.sub(r"[ \t]*\n\s*\n\s*", "\n\n", html.unescape(shown))


def _is_over(rule: Rule, mail: _Mail) -> bool:
    if rule.resolved:
        return pattern(rule.resolved).is_in(f"{mail.subject}\n{mail.text}")
    return _OVER.search(mail.subject) is not None


def _rule_for(mail: _Mail, rules: Sequence[Rule]) -> tuple[Rule | None, dict[str, str]]:
    """Return the first rule that fits, with the named groups that its expressions found."""
    for rule in rules:
        asked = ((rule.subject, mail.subject), (rule.sender, mail.sender), (rule.body, mail.text))
        found = [pattern(expression).find(text) for expression, text in asked if expression]
        if all(found):
            groups = {name: value for one in found if one for name, value in one.named.items()}
            return rule, groups
    return None, {}


def _filled(template: str, groups: Mapping[str, str]) -> str:
    """Return a text with its groups filled in; one that found nothing is empty."""
    return " ".join(re.sub(r"\{(\w+)\}", lambda name: groups.get(name[1], ""), template).split())


def _plain_title(subject: str) -> str:
    """Return a subject without what says that it is an answer, and what state it is in."""
    rest = _PREFIX.sub("", subject)
    return (_STATE.sub("", rest) or rest).strip()
