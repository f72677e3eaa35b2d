"""The synthetic page: whether the last one arrived in time, and the alarm when it did not.

Nobody may be reached by pages then, so it is told in three other ways: as an alert of Stanch's own, to the responders'
channels, and outwards, as the ping of the dead man's switch is withheld until one arrives again.
"""

from datetime import timedelta
from typing import Final

from stanch.alerts.intake.receiving import LOCK
from stanch.oncall.escalation.model import NoticeState, Purpose
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import find_pages, read_page
from stanch.operations.intake import fold_signals
from stanch.operations.oncall.telling import tell_responders
from stanch.operations.world import World
from stanch.ports.signals import AlertSignal, SignalStatus
from stanch.store import Transaction

SOURCE: Final = "watchdog"
"""The source under which the alert is known."""

ALERT: Final = "SyntheticPageMissing"
_ARRIVED: Final = frozenset(
    {NoticeState.HELD, NoticeState.HANDED_OVER, NoticeState.DELIVERED, NoticeState.SEEN, NoticeState.ACKNOWLEDGED}
)


def is_missing(tx: Transaction, world: World) -> bool:
    """Tell whether the newest synthetic page that has had its time did not arrive."""
    if not world.catalog.watchdog.synthetic:
        return False
    due = world.clock.now() - timedelta(seconds=world.catalog.watchdog.synthetic_within_s)
    recent = find_pages(tx.connection, purpose=Purpose.SYNTHETIC, limit=2)
    judged = next((page for page in recent if has_arrived(page) or page.started_at <= due), None)
    return judged is not None and not has_arrived(judged)


def has_arrived(page: PageState) -> bool:
    """Tell whether a provider took any notice of `page` over, or quiet hours hold one back on purpose."""
    return any(one.state in _ARRIVED for one in page.notices)


def judge(tx: Transaction, world: World, number: int) -> bool:
    """Open the alarm when page `number` did not arrive, end it when it did; return whether it arrived."""
    page = read_page(tx.connection, number)
    arrived = page is not None and has_arrived(page)
    now = world.clock.now()
    tx.lock(LOCK)
    status = SignalStatus.RESOLVED if arrived else SignalStatus.FIRING
    summary = "the synthetic page did not arrive: nobody may be reached by pages"
    spec = world.catalog.watchdog
    annotations = {
        "summary": summary,
        "severity": "critical",
        "description": _why(page) if page is not None else "it was not even begun",
    }
    if spec.service:
        annotations["service"] = spec.service
    signal = AlertSignal(labels={"alertname": ALERT}, annotations=annotations, status=status, url=_url(world, number))
    fold_signals(tx, world, SOURCE, (signal,), now=now)
    if not arrived:
        text = f"{annotations['description']}\n{_url(world, number)}"
        tell_responders(tx, world, key=f"oncall/synthetic/{number}", subject=summary, text=text, now=now)
    return arrived


def _why(page: PageState) -> str:
    """Return in the providers' words what became of its notices."""
    said = [f"{one.kind} to {one.person}: {one.state.value} {one.detail}".strip() for one in page.notices]
    return "; ".join(said)[:1000] or "no method of anybody stood behind its targets"


def _url(world: World, number: int) -> str:
    return f"{world.url}/pages/{number}"
