"""The databases and the browser that other tests build on."""

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, inspect, make_url

from stanch.store import Store
from tests.support.browser import watch


def _tables(url: str) -> set[str]:
    target = make_url(url)
    if target.get_backend_name() == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    engine = create_engine(target)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_database_has_the_schema(database_url: str) -> None:
    """A fresh database has the tables of the store before anybody opens it."""
    assert "events" in _tables(database_url)


def test_bare_database_is_empty(bare_database_url: str) -> None:
    """A bare database has no table, until the store makes its own."""
    assert set() == _tables(bare_database_url)

    Store.open(bare_database_url).close()

    assert "events" in _tables(bare_database_url)


@pytest.mark.parametrize("_round", [1, 2])
def test_databases_are_not_shared(database_url: str, _round: int) -> None:
    """What one test writes, the next one does not see."""
    store = Store.open(database_url)
    with store.writing() as transaction:
        number = transaction.next_number("round")
    store.close()

    assert number == 1


def test_page_reports_errors(chromium: Page) -> None:
    """Console errors, uncaught exceptions and requests to other hosts are all held against a page."""
    # A page of the same browser context that the fixture does not watch.
    page = chromium.context.new_page()
    complaints: list[str] = []
    watch(page, complaints)
    page.route("http://elsewhere.example/*", lambda route: route.fulfill(body=""))

    page.set_content(
        "<script>console.error('said so')</script><script>throw new Error('fell over')</script>"
        "<img src='http://elsewhere.example/pixel.png'>"
    )

    assert complaints == [
        "console: said so",
        "uncaught: fell over",
        "foreign host: http://elsewhere.example/pixel.png",
    ]
