"""Providers that fail, are slow, throttle or answer twice: what is tried next, and what the ledger says, on both
databases."""

from collections.abc import Callable, Iterator

import pytest

from stanch.catalog.oncall import NotifyRule, Policy, Step
from stanch.engine.escalate import escalate_due
from stanch.engine.page import begin, claim
from stanch.oncall.escalation.model import NoticeState
from stanch.oncall.pages.tables import read_contacts
from stanch.oncall.readiness import Lack
from stanch.operations.oncall.readiness import readiness_of
from stanch.ports.pager import Failure
from tests.oncall.paging.exchange import Exchange, Provider, catalog_of, somebody

Make = Callable[..., Exchange]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Give what makes an exchange; it is closed at the end."""
    made: list[Exchange] = []

    def opened(*providers: Provider, **settings: object) -> Exchange:
        made.append(Exchange(database_url, *providers, **settings))  # type: ignore[arg-type]  # passed through
        return made[-1]

    yield opened
    for one in made:
        one.close()


def test_a_provider_that_is_down_is_tried_again(make: Make) -> None:
    """A notice that was not taken is handed over later with the same key."""
    exchange = make(Provider(answers=[Failure.UNREACHABLE, Failure.UNREACHABLE]))
    exchange.declare()
    exchange.after(10, step_s=1)

    assert (["alice"], 3, [NoticeState.HANDED_OVER]) == (
        exchange.people,
        exchange.providers[0].tried,
        exchange.states(),
    )


def test_the_next_provider_takes_over(make: Make) -> None:
    """Where two providers serve a method, the second gets at once what the first did not take."""
    first, second = Provider(name="first", always=Failure.UNREACHABLE), Provider(name="second")
    exchange = make(first, second)
    exchange.declare()

    assert (["alice"], "second") == (second.people, exchange.page().notices[0].provider)


def test_falling_back_is_on_record(make: Make) -> None:
    """The ledger holds the provider that did not take it, with its words."""
    exchange = make(Provider(name="first", answers=[Failure.UNREACHABLE]), Provider(name="second"))
    exchange.declare()
    with exchange.world.store.reading() as view:
        moves = [event.data for event in view.events(stream="page/1") if event.kind == "page.notice_moved"]

    assert [("fell_back", "first says unreachable"), ("handed_over", "")] == [
        (move["state"], move["detail"]) for move in moves
    ]


def test_a_throttled_notice_waits_as_asked(make: Make) -> None:
    """After 429 with Retry-After nothing is handed over before that time."""
    provider = Provider(answers=[Failure.THROTTLED], retry_after_s=60.0)
    exchange = make(provider)
    exchange.declare()
    exchange.after(55)
    early = provider.tried
    exchange.after(10)

    assert (1, 2, ["alice"]) == (early, provider.tried, exchange.people)


def test_no_answer_is_repeated_with_the_same_key(make: Make) -> None:
    """A provider that knows keys and gave no answer is handed the same page again: shown once, sent twice."""
    exchange = make(Provider(answers=[Failure.UNKNOWN]))
    exchange.declare()
    exchange.after(5, step_s=1)

    assert ["page1/n1", "page1/n1"] == [page.id for page in exchange.took]


def test_no_answer_without_keys_is_said_again_later(make: Make) -> None:
    """Where the provider knows no keys, one further notice that says that it repeats follows after a minute."""
    exchange = make(Provider(answers=[Failure.UNKNOWN], idempotent=False))
    exchange.declare()
    exchange.after(65)

    assert [("page1/n1", False), ("page1/n2", True)] == [(page.id, "said again" in page.text) for page in exchange.took]


def test_an_answer_makes_the_repetition_needless(make: Make) -> None:
    """Who answered what may not have arrived is not told again."""
    exchange = make(Provider(answers=[Failure.UNKNOWN], idempotent=False))
    exchange.declare()
    exchange.call("incident.acknowledge", incident=1)
    exchange.after(120)

    assert ["page1/n1"] == [page.id for page in exchange.took]


def test_a_refused_method_leads_to_the_next_at_once(make: Make) -> None:
    """When a method fails for good, the person's next one does not wait for its delay."""
    crew = (somebody("alice", "push", "sms"), somebody("bob"), somebody("carol"))
    push, sms = Provider(name="push", always=Failure.REFUSED), Provider(name="sms", kinds=frozenset({"sms"}))
    exchange = make(push, sms, catalog=catalog_of(*crew))
    exchange.declare()

    assert (["alice"], [NoticeState.FAILED, NoticeState.HANDED_OVER]) == (sms.people, exchange.states())


def test_credentials_say_nothing_about_an_address(make: Make) -> None:
    """A provider that does not accept us is passed over for the next one, and the contact keeps its standing."""
    first = Provider(name="first", always=Failure.CREDENTIALS)
    alone = Provider(name="alone", kinds=frozenset({"sms"}), always=Failure.CREDENTIALS)
    second = Provider(name="second")
    exchange = make(first, alone, second, catalog=catalog_of(somebody("alice", "sms", "push"), somebody("bob")))
    exchange.call("contact.code", by="alice", method="push")
    code = second.took[-1].subject.split()[-1]
    exchange.call("contact.verify", by="alice", method="push", code=code)
    exchange.declare()
    with exchange.world.store.reading() as view:
        bounced = [one.bounced_at for one in read_contacts(view.connection).values()]

    assert (["alice", "alice"], [NoticeState.FAILED, NoticeState.HANDED_OVER], [None]) == (
        second.people,
        exchange.states(),
        bounced,
    )


def test_readiness_tells_of_credentials(make: Make) -> None:
    """A provider that does not accept us is not ready, gravely where none stands in for it, until it takes a page."""
    provider = Provider(name="push")
    exchange = make(provider)
    told = []
    for always in (Failure.CREDENTIALS, None):
        provider.always = always
        exchange.call("oncall.page", title="join", targets=["person:carol"])
        exchange.settle()
        with exchange.world.store.reading() as view:
            found = readiness_of(view, exchange.world).shortcomings
        told.append([(one.what, one.grave) for one in found if one.lack is Lack.CREDENTIALS])

    assert [[("provider push", True)], []] == told


def test_what_no_provider_serves_leads_to_the_next_method(make: Make) -> None:
    """A notice of a kind that no provider serves fails at once, and the person's next method is used."""
    crew = (somebody("alice", "sms", "push"), somebody("bob"), somebody("carol"))
    exchange = make(Provider(), catalog=catalog_of(*crew))
    exchange.declare()

    assert (["alice"], [NoticeState.FAILED, NoticeState.HANDED_OVER], "no provider serves sms") == (
        exchange.people,
        exchange.states(),
        exchange.page().notices[0].detail,
    )


def test_what_no_provider_serves_leads_to_the_next_level(make: Make) -> None:
    """A level that no provider can reach is not waited for."""
    exchange = make(Provider(), catalog=catalog_of(somebody("alice", "sms"), somebody("bob"), somebody("carol")))
    exchange.declare()

    assert ["bob"] == exchange.people


def test_a_provider_that_is_removed_after_the_claim(make: Make) -> None:
    """A notice that was claimed for a provider that is gone when it would begin fails at once."""
    exchange = make(Provider(), Provider(name="mail", kinds=frozenset({"email"})))
    exchange.call("incident.declare", title="it fails", services=["checkout"], severity="SEV3", reason="a test")
    escalate_due(exchange.world)
    claimed = claim(exchange.world, "push", limit=10)
    del exchange.world.pagers["provider"]
    begin(exchange.world, claimed)

    assert [NoticeState.FAILED] == exchange.states()


def test_a_lost_level_leads_to_the_next_at_once(make: Make) -> None:
    """When nothing of a level could be handed over, nobody is waited for."""
    provider = Provider(answers=[Failure.REFUSED])
    exchange = make(provider)
    exchange.declare()

    assert ["bob"] == exchange.people


def test_an_acknowledgement_stops_what_is_retried(make: Make) -> None:
    """A notice that is being tried again is dropped by the acknowledgement."""
    provider = Provider(always=Failure.UNREACHABLE)
    exchange = make(provider)
    exchange.declare()
    exchange.call("incident.acknowledge", incident=1)
    before = provider.tried
    exchange.after(200)

    assert (before, [NoticeState.CANCELLED]) == (provider.tried, exchange.states())


def test_delays_of_a_person_hold(make: Make) -> None:
    """A person's methods are used in the order and after the times that they asked for."""
    rules = (NotifyRule(method="push"), NotifyRule(method="sms", after_s=120.0))
    crew = (somebody("alice", "sms", "push", rules=rules), somebody("bob"), somebody("carol"))
    provider = Provider(kinds=frozenset({"push", "sms"}))
    exchange = make(provider, catalog=catalog_of(*crew))
    exchange.declare()
    early = [page.kind for page in provider.took]
    exchange.after(121)

    assert (["push"], ["push", "sms"]) == (early, [page.kind for page in provider.took])


def test_an_empty_level_is_passed_by(make: Make) -> None:
    """A level where nobody can be told is an event, and the next one comes at once."""
    crew = (somebody("alice"), somebody("bob"))
    policy = Policy(name="default", steps=(Step(targets=("schedule:gone",)), Step(targets=("person:bob",))))
    exchange = make(catalog=catalog_of(*crew, policy=policy))
    exchange.declare()

    assert (["bob"], 1) == (exchange.people, exchange.kinds().count("page.level_empty"))


def test_two_nodes_page_once(make: Make) -> None:
    """Two nodes on one database hand every notice over once between them."""
    first, second = Provider(), Provider()
    one = make(first)
    two = make(second, node="node-2")
    one.call("incident.declare", by="dora", title="it fails", services=["checkout"])
    for _ in range(5):
        two.settle()
        one.settle()

    assert ["alice"] == [*first.people, *second.people]


def test_a_dead_node_is_taken_over(make: Make) -> None:
    """What a node had begun to send when it died is handed over again by another, with the same key."""
    first, second = Provider(), Provider()
    one, two = make(first), make(second, node="node-2")
    two.clock.set(one.clock.now())
    one.call("incident.declare", by="dora", title="it fails", services=["checkout"])
    die_while_sending(one)
    two.after(20)

    assert ([], ["page1/n1"]) == (first.took, [page.id for page in second.took])


def die_while_sending(exchange: Exchange) -> None:
    """Let a node escalate, claim and mark, and never come back."""
    escalate_due(exchange.world)
    assert begin(exchange.world, claim(exchange.world, "push", limit=10))


def test_a_policy_edited_during_paging_changes_nothing(make: Make) -> None:
    """A page goes on by the policy that held when it started, whatever the configuration says since."""
    exchange = make()
    exchange.declare()
    other = Policy(name="default", steps=(Step(targets=("person:carol",)),))
    edited = make(catalog=catalog_of(policy=other), node="node-2")
    edited.clock.set(exchange.clock.now())
    edited.after(301)

    assert ["bob"] == edited.people
