"""Stored changes: recorded once, completed by later readings, read back by time and service."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.catalog.changes import changes_between, latest_changes, record_changes
from stanch.ports.changes import Change, ChangeKind
from stanch.store import Store

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DEPLOY = Change(id="deploylog/1", at=NOON, kind=ChangeKind.DEPLOY, service="payments", version="v3.2.1")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Give a store on each kind of database."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


def record(store: Store, *changes: Change) -> int:
    """Record changes in a transaction of their own."""
    with store.writing() as tx:
        return record_changes(tx.connection, changes, now=NOON)


def between(store: Store, start: datetime, end: datetime, *services: str) -> list[Change]:
    """Read changes back."""
    with store.reading() as view:
        return changes_between(view.connection, start=start, end=end, services=services)


def test_a_change_comes_back_as_it_was(store: Store) -> None:
    """What was recorded is read back, field by field."""
    record(store, DEPLOY)

    assert [DEPLOY] == between(store, NOON, NOON + timedelta(seconds=1))


def test_reading_a_source_again_records_nothing(store: Store) -> None:
    """The same id twice is one change, and the second time counts none as new."""
    counts = [record(store, DEPLOY, DEPLOY), record(store, DEPLOY)]

    assert ([1, 0], 1) == (counts, len(between(store, NOON, NOON + timedelta(hours=1))))


def test_a_later_reading_completes_an_earlier_one(store: Store) -> None:
    """Touched paths that were learnt later are added."""
    record(store, DEPLOY)
    record(store, replace(DEPLOY, paths=("payments/validation.py",), commit="c0ffee"))

    assert ("payments/validation.py",) == between(store, NOON, NOON + timedelta(hours=1))[0].paths


def test_a_later_reading_takes_nothing_away(store: Store) -> None:
    """A source that forgot the version does not erase it."""
    record(store, DEPLOY)
    record(store, replace(DEPLOY, version=""))

    assert "v3.2.1" == between(store, NOON, NOON + timedelta(hours=1))[0].version


def test_the_window_is_half_open(store: Store) -> None:
    """The start belongs to the window, the end does not."""
    record(store, DEPLOY, replace(DEPLOY, id="deploylog/2", at=NOON + timedelta(hours=1)))

    assert ["deploylog/1"] == [each.id for each in between(store, NOON, NOON + timedelta(hours=1))]


def test_changes_that_name_no_service_concern_all(store: Store) -> None:
    """Asked for one service, its changes and those of nobody in particular come back."""
    record(store, DEPLOY, replace(DEPLOY, id="2", service="mailer"), replace(DEPLOY, id="3", service=""))

    assert ["3", "deploylog/1"] == sorted(each.id for each in between(store, NOON, NOON + timedelta(1), "payments"))


def test_a_huge_diff_is_cut(store: Store) -> None:
    """A diff keeps its first 64 Ki characters."""
    record(store, replace(DEPLOY, diff="x" * 1_000_000))

    assert 65_536 == len(between(store, NOON, NOON + timedelta(hours=1))[0].diff)


def test_the_newest_change_of_each_service(store: Store) -> None:
    """However many came before; a service without one is left out."""
    newer = replace(DEPLOY, id="deploylog/2", at=NOON + timedelta(minutes=1), version="v3.2.2")
    record(store, newer, DEPLOY, replace(DEPLOY, id="deploylog/3", service="checkout"))

    with store.reading() as view:
        latest = latest_changes(view.connection, ("payments", "checkout", "gateway"))

    assert {"payments": "deploylog/2", "checkout": "deploylog/3"} == {name: one.id for name, one in latest.items()}
