"""What comes back without a login: a link that was opened, a button that was pressed, and what providers report.

None of it is an operation: there is no caller to name. Who answers is known from what was sent to them alone: a signed
token, or a message that the provider signed.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.catalog.model import Person
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import Forbidden, NotFound
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation.model import NoticeState, PageStatus
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import (
    find_pages,
    forget_answers,
    is_used,
    known_key,
    mark_bounced,
    read_page,
    use_once,
)
from stanch.operations import paging
from stanch.operations.answering import LASTS, Answerable, read_token
from stanch.operations.world import World
from stanch.ports.pager import Heard, Listens, News, NewsKind
from stanch.ports.signals import Inbound
from stanch.store import Transaction

_MOVES = {
    NewsKind.DELIVERED: NoticeState.DELIVERED,
    NewsKind.SEEN: NoticeState.SEEN,
    NewsKind.FAILED: NoticeState.FAILED,
    NewsKind.UNANSWERED: NoticeState.FAILED,
}
# Far more than one person was told of; a storm of alerts may page about thousands.
_MOST_OPEN = 10_000
_ORDER = (NoticeState.HANDED_OVER, NoticeState.DELIVERED, NoticeState.SEEN, NoticeState.ACKNOWLEDGED)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a link is about, for whoever holds it: nothing that the page they were sent has not said already.

    `done` says that this very call has taken it on; `used` that the link was used before.
    """

    number: int
    incident: int | None
    title: str
    severity: str
    person: str
    status: str
    acknowledged_by: str
    acknowledged_at: datetime | None
    done: bool = False
    used: bool = False


def look(world: World, token: str) -> Answer:
    """Return what the link with `token` is about; changes nothing. Raises `Forbidden`."""
    with world.store.reading() as view:
        held, page = _held(view, world, token)
        return _answer(world, held, page, used=is_used(view.connection, _mark(token)))


def take(world: World, token: str, *, how: str) -> Answer:
    """Take on what the link with `token` is about, once. Raises `Forbidden`."""
    with world.store.writing() as tx:
        held, page = _held(tx, world, token)
        page = paging.load(tx, page.number, lock=True)
        if not use_once(tx.connection, _mark(token), now=world.clock.now(), how=how):
            return _answer(world, held, page, used=True)
        forget_answers(tx.connection, before=world.clock.now() - LASTS)
        who = _person(page, held)
        actor = person(who, name=world.catalog.people[who].name)
        taken = paging.take_on(tx, world, page, actor=actor, via=Via.WEB, how=how, notice=held.notice)
        return _answer(world, held, taken, done=taken.acknowledgements > page.acknowledgements)


def reply(world: World, token: str, *, word: str, minutes: int = 0, how: str) -> str:
    """Do what a reply with `token` asks for, and return what came of it in words.

    `word` is `ack`, `escalate` (the next level comes now) or `snooze` (whoever answers has it, and is paged again after
    `minutes` unless somebody acts). Raises `Forbidden` for a token that is not ours or too old.
    """
    if word == "ack":
        answer = take(world, token, how=how)
        return "acknowledged" if answer.done else "nothing changed: it was answered before, or is over"
    with world.store.writing() as tx:
        held, page = _held(tx, world, token)
        page = paging.load(tx, page.number, lock=True)
        who = _person(page, held)
        actor = person(who, name=world.catalog.people[who].name)
        if not page.is_paging:
            return "nothing changed: somebody has it, or it is over"
        if word == "escalate":
            hurried = ev.PageHurried(reason=f"{actor.label} asked for the next level by {how}")
            page = paging.record(tx, page, hurried, actor=actor, via=Via.HTTP)
            paging.schedule_next(tx, page, at=world.clock.now())
            return "the next level is paged"
        if page.incident is None:
            return "nothing changed: a page about no incident is not put off, answer ack"
        taken = paging.take_on(
            tx, world, page, actor=actor, via=Via.HTTP, how=f"{how}, for {minutes} min", notice=held.notice
        )
        again_at = world.clock.now() + timedelta(minutes=minutes)
        paging.schedule_stale(tx, taken, at=again_at, snoozed=True)
        return f"acknowledged; you are paged again in {minutes} minutes unless somebody acts"


def heard(world: World, name: str, inbound: Inbound, *, url: str) -> tuple[str, str]:
    """Take in what a provider reports; return the answer for it and its media type.

    Raises `NotFound` for a provider that there is not, `Forbidden` and `Invalid` as the provider's own rules do.
    """
    pager = world.pagers.get(name)
    if pager is None or not isinstance(pager, Listens):
        raise NotFound("there is no such provider", hint="the path is /pager/<name>/<what>")
    said: Heard = pager.hear(inbound, url=url)
    held = [_take_in(world, name, one) for one in said.news]
    return (said.reply if all(held) else said.sorry), said.media_type


def _take_in(world: World, name: str, news: News) -> bool:
    with world.store.writing() as tx:
        found = _page_of(tx, world, news)
        if found is None:
            return False
        page, number = found
        page = paging.load(tx, page.number, lock=True)
        notice = page.notice(number)
        if notice is None:
            return False
        if news.kind is NewsKind.ACKNOWLEDGED and notice.person not in world.catalog.people:
            return False
        if news.kind is NewsKind.ACKNOWLEDGED:
            held = page.is_paging or page.acknowledged_by == notice.person
            actor = person(notice.person, name=world.catalog.people[notice.person].name)
            paging.take_on(tx, world, page, actor=actor, via=Via.HTTP, how=news.detail or "reply", notice=number)
            return held
        to = _MOVES[news.kind]
        if _is_news(notice.state, to):
            moved = ev.NoticeMoved(notice=number, state=to, provider=name, detail=news.detail)
            after = paging.record(tx, page, moved)
            if news.kind is NewsKind.FAILED:
                mark_bounced(tx.connection, person=notice.person, method=notice.method, now=world.clock.now())
            if to is NoticeState.FAILED:
                paging.after_failure(tx, world, after, number)
            else:
                _spare_the_repetition(tx, after, number)
        return True


def _spare_the_repetition(tx: Transaction, page: PageState, number: int) -> None:
    """Say nothing again that was said because nobody knew whether it had arrived: it has."""
    for again in [one for one in page.notices if one.repeats == number and one.state.is_waiting]:
        detail = f"notice #{number} arrived after all"
        page = paging.record(tx, page, ev.NoticeMoved(notice=again.number, state=NoticeState.CANCELLED, detail=detail))


def _is_news(known: NoticeState, told: NoticeState) -> bool:
    """Tell whether a report moves a notice on: reports come late and in any order."""
    if known not in _ORDER or told not in _ORDER:
        return known not in (NoticeState.FAILED, NoticeState.ACKNOWLEDGED)
    return _ORDER.index(told) > _ORDER.index(known)


def _page_of(tx: Transaction, world: World, news: News) -> tuple[PageState, int] | None:
    """Return page and notice that the news are about; a reply is about the page that it names, else about the newest
    that its sender was told of, of those that nobody has yet if there is one."""
    place = paging.place_of(news.page) if news.page else None
    if place is not None:
        page = read_page(tx.connection, place[0])
        return (page, place[1]) if page else None
    who = {one.id for one in world.catalog.people.values() if _has(one, news.address)}
    if news.number:
        named = read_page(tx.connection, news.number)
        told = [named] if named is not None and named.status is not PageStatus.ENDED else []
    else:
        told = sorted(find_pages(tx.connection, open_only=True, limit=_MOST_OPEN), key=lambda page: not page.is_paging)
    for page in told:
        own = [notice for notice in page.notices if notice.person in who and notice.state.may_have_arrived]
        if own:
            return page, own[-1].number
    return None


def _has(person: Person, address: str) -> bool:
    return bool(address) and any(one.address.replace(" ", "") == address.replace(" ", "") for one in person.methods)


def _held(tx: Transaction, world: World, token: str) -> tuple[Answerable, PageState]:
    key = known_key(tx.connection)
    held = read_token(key, token, now=world.clock.now()) if key else None
    page = read_page(tx.connection, held.page) if held else None
    if held is None or page is None or page.notice(held.notice) is None:
        raise Forbidden("this is no link of ours", reason="bad_link")
    if (who := _person(page, held)) not in world.catalog.people:
        raise Forbidden(
            f"{who} is not among the people here any more, so that this link answers nothing",
            reason="nobody_here",
            hint="whoever is on call has a link of their own",
        )
    return held, page


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _person(page: PageState, held: Answerable) -> str:
    notice = page.notice(held.notice)
    return notice.person if notice else ""


def _answer(world: World, held: Answerable, page: PageState, *, done: bool = False, used: bool = False) -> Answer:
    return Answer(
        number=page.number,
        incident=page.incident,
        title=page.title,
        severity=f"SEV{page.severity}",
        person=_person(page, held),
        status=page.status.value,
        acknowledged_by=page.acknowledged_by,
        acknowledged_at=page.acknowledged_at,
        done=done,
        used=used,
    )
