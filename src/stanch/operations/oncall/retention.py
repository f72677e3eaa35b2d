"""How long pages and their attempts are kept: `oncall.keep_days`, never less than an incident that is open.

A page about an incident stays in that incident's log, as everything that happened in it; what goes is its row, its
notices and their attempts. Of a page about nothing (tests, synthetic ones, by hand) its log goes as well.
"""

from datetime import timedelta

from stanch.incidents.tables import find
from stanch.oncall.pages.tables import drop_pages, old_pages
from stanch.operations.world import World
from stanch.store import Transaction, deliveries, log

_MOST_OPEN = 100_000


def forget_old(tx: Transaction, world: World, *, limit: int) -> int:
    """Delete up to `limit` pages that are over and older than configured, and return how many those were."""
    before = world.clock.now() - timedelta(days=world.catalog.oncall.keep_days)
    still_open = [row.number for row in find(tx.connection, open_only=True, limit=_MOST_OPEN)]
    old = old_pages(tx.connection, before=before, not_about=still_open, limit=limit)
    if not old:
        return 0
    deliveries.forget(tx.connection, [f"page{page.number}/n{one.number}" for page in old for one in page.notices])
    log.forget(tx.connection, [f"page/{page.number}" for page in old if page.incident is None])
    drop_pages(tx.connection, [page.number for page in old])
    return len(old)
