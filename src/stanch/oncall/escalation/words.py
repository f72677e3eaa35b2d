"""What happened to a page, in words: the time line and the ledger say it the same way. Pure."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Final

from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation.model import Notice, NoticeState


@dataclass(frozen=True, kw_only=True)
class Words:
    """An event in words. `text` may quote a provider and is untrusted; `tone` is one of the time line's."""

    title: str
    text: str = ""
    tone: str = "system"
    major: bool = False


STATES: Final[dict[NoticeState, str]] = {
    NoticeState.COMMITTED: "committed",
    NoticeState.HELD: "held by quiet hours",
    NoticeState.HANDED_OVER: "handed over",
    NoticeState.DELIVERED: "delivered",
    NoticeState.SEEN: "seen",
    NoticeState.ACKNOWLEDGED: "acknowledged",
    NoticeState.THROTTLED: "throttled",
    NoticeState.RETRYING: "not taken, to be tried again",
    NoticeState.UNSURE: "no answer, the same is handed over again",
    NoticeState.FELL_BACK: "not taken, the next provider is tried",
    NoticeState.FAILED: "failed",
    NoticeState.UNKNOWN: "may have arrived",
    NoticeState.CANCELLED: "not needed any more",
}
_BAD: Final = frozenset({NoticeState.FAILED, NoticeState.UNKNOWN, NoticeState.THROTTLED, NoticeState.FELL_BACK})


@singledispatch
def words(record: ev.PageEvent) -> Words:
    """Return the words for a typed event of a page."""
    return Words(title=record.kind)


def level_name(level: int) -> str:
    """Return the name of a level: `level 2`, or the last resort for 0."""
    return f"level {level}" if level else "the last resort"


@words.register
def _(record: ev.PagingStarted) -> Words:
    return Words(title=f"Paging started by policy {record.policy.name}", text=record.reason, tone="person")


@words.register
def _(record: ev.NotPaged) -> Words:
    return Words(title="Nobody is paged", text=record.reason, tone="bad", major=True)


@words.register
def _(record: ev.LevelPaged) -> Words:
    told = ", ".join(record.people)
    parts = [", ".join(_notice(one) for one in record.notices)]
    if record.unreached:
        parts.append(f"no contact method: {', '.join(record.unreached)}")
    return Words(
        title=f"Paged {told or 'nobody'} ({level_name(record.level)})",
        text="; ".join(part for part in parts if part),
        tone="person",
        major=True,
    )


def _notice(notice: Notice) -> str:
    held = f", held until {notice.held_until:%H:%M} UTC by quiet hours" if notice.held_until else ""
    unproved = "" if notice.verified else ", unverified"
    return f"#{notice.number} {notice.person} by {notice.method} ({notice.hint}{unproved}{held})"


@words.register
def _(record: ev.LevelEmpty) -> Words:
    who = ", ".join(record.targets) or "nobody"
    unreached = f"; no contact method: {', '.join(record.unreached)}" if record.unreached else ""
    return Words(
        title=f"Nobody can be reached at {level_name(record.level)}", text=f"{who}{unreached}", tone="bad", major=True
    )


@words.register
def _(record: ev.NoticeMoved) -> Words:
    provider = f" by {record.provider}" if record.provider else ""
    tone = "bad" if record.state in _BAD else "system"
    return Words(title=f"Notice #{record.notice}{provider}: {STATES[record.state]}", text=record.detail, tone=tone)


@words.register
def _(record: ev.NoticeRepeated) -> Words:
    notice = record.notice
    return Words(
        title=f"Notice #{notice.repeats} may not have arrived; #{notice.number} says it again to {notice.person}"
    )


@words.register
def _(record: ev.PageAcknowledged) -> Words:
    return Words(title=f"{record.person} answered the page ({record.how})", tone="person", major=True)


@words.register
def _(record: ev.PageAnsweredToo) -> Words:
    return Words(
        title=f"{record.person} answered the page too ({record.how})",
        text="somebody had it already, or it was over",
        tone="person",
    )


@words.register
def _(record: ev.AckWentStale) -> Words:
    return Words(
        title="The acknowledgement went stale; paging starts again",
        text=f"nobody has acted since {record.last_act_at:%H:%M:%S} UTC",
        tone="bad",
        major=True,
    )


@words.register
def _(record: ev.PageRaised) -> Words:
    return Words(title=f"Paging raised to SEV{record.severity}", text=f"policy {record.policy.name}", tone="alert")


@words.register
def _(record: ev.PageHurried) -> Words:
    return Words(title="The next level is paged at once", text=record.reason, tone="bad")


@words.register
def _(record: ev.NobodyAnswered) -> Words:
    return Words(
        title="Nobody answered at any level",
        text=f"from now on the last resort is paged: {', '.join(record.fallback) or 'the first level again'}",
        tone="bad",
        major=True,
    )


@words.register
def _(record: ev.PagingEnded) -> Words:
    return Words(title="Paging ended", text=record.reason)
