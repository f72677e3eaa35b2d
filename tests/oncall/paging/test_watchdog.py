"""What watches Stanch itself: the ping outwards, the synthetic page, and what is not ready."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.catalog.model import ChannelSpec
from stanch.catalog.watchdog import Watchdog
from stanch.engine.watchdog import next_monday, schedule_watchdog
from stanch.kernel.errors import Refused
from stanch.operations.board.views import AlertPage
from stanch.operations.oncall.readiness import Readiness
from stanch.ports.fetch import Got
from stanch.ports.pager import Failure
from stanch.store import deliveries
from tests.oncall.paging.exchange import Exchange, Provider, catalog_of, somebody


@dataclass
class Asked:
    """A fetch that remembers what it was asked for."""

    urls: list[str] = field(default_factory=list)

    def __call__(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout_s: float = 5.0, most_bytes: int = 1
    ) -> Got:
        """Answer 200."""
        self.urls.append(url)
        return Got(status=200, body=b"", took_s=0.0)


@pytest.fixture
def asked() -> Asked:
    """Give a fetch."""
    return Asked()


@pytest.fixture
def exchange(sqlite_url: str, asked: Asked) -> Iterator[Exchange]:
    """Give an exchange that is watched."""
    watched = Watchdog(ping_url="https://hc.example/ping/s3cr3t", ping_every_s=60.0, synthetic=("person:alice",))
    made = Exchange(sqlite_url, catalog=replace(catalog_of(), watchdog=watched))
    made.world = replace(made.world, fetch=asked)
    made.engine.world = made.world
    with made.world.store.writing() as tx:
        schedule_watchdog(tx, made.world)
    yield made
    made.close()


def test_the_ping_goes_out_again_and_again(exchange: Exchange, asked: Asked) -> None:
    """While the engine works, the URL is asked for as often as it is configured."""
    for _ in range(3):
        exchange.engine.run_due()
        exchange.clock.advance(timedelta(seconds=61))

    assert ["https://hc.example/ping/s3cr3t"] * 3 == asked.urls


def test_the_synthetic_page_goes_the_whole_way(exchange: Exchange) -> None:
    """A day later a page that says that nothing is wrong has reached the provider, and is over."""
    exchange.clock.advance(timedelta(days=1, seconds=1))
    exchange.engine.run_due()
    exchange.settle()

    assert (["alice"], "handed over after 0.00 s") == (exchange.people, exchange.page().ended)


def test_readiness_shows_what_the_synthetic_page_measured(exchange: Exchange) -> None:
    """How long the last synthetic page took stands in the readiness."""
    exchange.clock.advance(timedelta(days=1, seconds=1))
    exchange.engine.run_due()
    exchange.settle()
    ready = exchange.call("oncall.readiness")
    assert isinstance(ready, Readiness)

    assert ready.synthetic is not None
    assert ready.synthetic.took_s == 0.0


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 21, 3, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), datetime(2026, 3, 30, 7, 0, tzinfo=UTC)),
    ],
)
def test_monday_at_nine(now: datetime, expected: datetime) -> None:
    """The weekly word is due at nine on the wall of the installation's zone, in winter and in summer."""
    assert expected == next_monday(now, "Europe/Berlin")


def test_what_is_not_ready(sqlite_url: str) -> None:
    """People without a method, unverified ones and kinds that no provider serves are said with their names."""
    crew = (somebody("alice"), somebody("bob", "sms"), replace(somebody("carol"), methods=()))
    exchange = Exchange(sqlite_url, Provider(), catalog=catalog_of(*crew))
    ready = exchange.call("oncall.readiness")
    exchange.close()
    assert isinstance(ready, Readiness)

    assert {
        ("not_verified", "person alice"),
        ("no_provider", "person bob"),
        ("not_verified", "person bob"),
        ("no_method", "person carol"),
    } == {(one.lack.value, one.what) for one in ready.shortcomings if one.grave and one.what.startswith("person")}


def test_a_code_verifies_a_method(sqlite_url: str) -> None:
    """The code that came through a method, typed in, makes it count as reach."""
    provider = Provider()
    exchange = Exchange(sqlite_url, provider)
    exchange.call("contact.code", person="alice", method="push")
    code = provider.took[0].text.split("code is ")[1][:6]
    shown = exchange.call("contact.verify", person="alice", method="push", code=code)
    exchange.close()

    assert getattr(shown, "verified", False)


def test_guessing_a_code_ends(sqlite_url: str) -> None:
    """After five wrong codes the right one does not count any more."""
    provider = Provider()
    exchange = Exchange(sqlite_url, provider)
    exchange.call("contact.code", person="alice", method="push")
    code = provider.took[0].text.split("code is ")[1][:6]
    wrong = "000000" if code != "000000" else "111111"
    answers = []
    for typed in [wrong] * 5 + [code]:
        try:
            exchange.call("contact.verify", person="alice", method="push", code=typed)
        except Refused as error:
            answers.append(error.reason)
    exchange.close()

    assert [*["wrong_code"] * 5, "no_code"] == answers


def silent(sqlite_url: str, asked: Asked, *answers: Failure) -> Exchange:
    """Return a watched exchange whose provider does not answer so many times, with a room for responders."""
    watched = Watchdog(ping_url="https://hc.example/ping", synthetic=("person:alice",), synthetic_every_s=3600.0)
    room = ChannelSpec(name="room", kind="file", target="room", audiences=("responders",))
    catalog = replace(catalog_of(), watchdog=watched, channels={"room": room})
    made = Exchange(sqlite_url, Provider(answers=list(answers)), catalog=catalog)
    made.world = replace(made.world, fetch=asked)
    made.engine.world = made.world
    with made.world.store.writing() as tx:
        schedule_watchdog(tx, made.world)
    return made


def run(exchange: Exchange, seconds: float, *, step_s: float = 30.0) -> None:
    """Move the clock, and let duties and pages do what is due at each step."""
    for _ in range(int(seconds / step_s)):
        exchange.clock.advance(timedelta(seconds=step_s))
        exchange.engine.run_due()
        exchange.settle()


def alarms(exchange: Exchange) -> list[tuple[str, str]]:
    """Return name and state of the alerts of the watchdog."""
    page = exchange.call("alert.list", source="watchdog")
    assert isinstance(page, AlertPage)
    return [(one.name, one.state.value) for one in page.alerts]


def test_a_synthetic_page_that_does_not_arrive_is_an_alarm(sqlite_url: str, asked: Asked) -> None:
    """Two minutes after nobody took it over there is an alert, and a word for the responders with the provider's."""
    exchange = silent(sqlite_url, asked, *[Failure.UNREACHABLE] * 99)
    run(exchange, 3600)
    before = alarms(exchange)
    run(exchange, 150)
    after = alarms(exchange)
    with exchange.world.store.reading() as view:
        told = [one.id for one in deliveries.newest_below(view.connection, prefix="oncall/synthetic/", limit=9)]
    exchange.close()

    assert ([], [("SyntheticPageMissing", "firing")], ["oncall/synthetic/1/room"]) == (before, after, told)


def test_the_ping_is_withheld_while_pages_do_not_arrive(sqlite_url: str, asked: Asked) -> None:
    """From then on no ping goes out, so that whoever misses it says so; it comes back with the next that arrives."""
    exchange = silent(sqlite_url, asked, *[Failure.UNREACHABLE] * 99)
    run(exchange, 3600 + 150)
    pinged = len(asked.urls)
    run(exchange, 300)
    withheld = len(asked.urls)
    exchange.providers[0].answers.clear()
    run(exchange, 1200)
    ended = alarms(exchange)
    exchange.close()

    assert (True, pinged, True, [("SyntheticPageMissing", "resolved")]) == (
        pinged > 50,
        withheld,
        len(asked.urls) > withheld + 5,
        ended,
    )


def test_one_that_arrives_alarms_nobody(sqlite_url: str, asked: Asked) -> None:
    """While the synthetic page arrives, nothing is said and the ping goes on."""
    exchange = silent(sqlite_url, asked)
    run(exchange, 7500)
    found = alarms(exchange)
    exchange.close()

    assert ([], True) == (found, len(asked.urls) > 110)
