"""What every provider that speaks HTTP keeps: it hands over once a call, says how that ended, and tells no secret."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stanch.ports.pager import Failure, NotTaken, Page, Pager
from tests.integrations.pagers.cases import CASES, Case, Homeserver
from tests.integrations.pagers.far import NOWHERE, SECRET, Answer, Far, far_end


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Give one provider."""
    found: Case = request.param
    return replace(found, speak=Homeserver()) if isinstance(found.speak, Homeserver) else found


@pytest.fixture
def far(case: Case) -> Iterator[Far]:
    """Give its far end."""
    with far_end(case.speak) as server:
        yield server


@pytest.fixture
def pager(case: Case, far: Far) -> Iterator[Pager]:
    """Give the provider, pointed at its far end."""
    made = case.make(case.settings(far))
    yield made
    made.close()


def trouble_with(pager: Pager, page: Page) -> NotTaken:
    """Return why a page was not taken."""
    with pytest.raises(NotTaken) as trouble:
        pager.page(page)
    return trouble.value


def test_it_is_a_pager(pager: Pager, case: Case) -> None:
    """It keeps the port's protocol and serves its kind."""
    assert isinstance(pager, Pager)
    assert case.kind in pager.kinds


def test_a_page_is_handed_over(pager: Pager, case: Case, far: Far) -> None:
    """One call hands over one page, and the receipt has the provider's own reference."""
    receipt = pager.page(case.page(far))

    assert (1, case.reference) == (len(case.handed(far)), receipt.reference)


def test_the_page_says_how_to_answer(pager: Pager, case: Case, far: Far) -> None:
    """What is handed over holds the way to acknowledge: the link, or for a call the key that posts back."""
    pager.page(case.page(far))
    said = case.handed(far)[0].body.decode()

    assert "7.3.x.y" in said or "gather" in said


def test_the_same_page_has_the_same_key(pager: Pager, case: Case, far: Far) -> None:
    """Handed over twice, a page has one key; another page of an idempotent provider has another."""
    pager.page(case.page(far))
    pager.page(case.page(far))
    pager.page(case.page(far, id="page7/n4"))
    first, again, other = (case.key_of(one) for one in case.handed(far))

    assert (True, pager.idempotent) == (first == again, first != other)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Failure.REFUSED),
        (401, Failure.CREDENTIALS),
        (403, Failure.CREDENTIALS),
        (404, Failure.REFUSED),
        (429, Failure.THROTTLED),
        (500, Failure.UNREACHABLE),
        (503, Failure.UNREACHABLE),
        (502, Failure.UNKNOWN),
        (504, Failure.UNKNOWN),
    ],
)
def test_a_refusal_says_what_it_means(pager: Pager, case: Case, far: Far, status: int, expected: Failure) -> None:
    """Statuses tell apart what was refused for good, what may be tried again, and what may have arrived."""
    far.trouble = [Answer(status, {"error": "no", "message": "no"})]

    assert expected is trouble_with(pager, case.page(far)).failure


def test_it_waits_as_long_as_it_is_asked_to(pager: Pager, case: Case, far: Far) -> None:
    """The seconds of Retry-After come with the failure."""
    far.trouble = [Answer(429, {"error": "slow down"}, {"Retry-After": "17"})]

    assert 17.0 == trouble_with(pager, case.page(far)).retry_after_s


def test_no_answer_may_have_arrived(pager: Pager, case: Case, far: Far) -> None:
    """A far end that reads the page and hangs up may have taken it."""
    far.trouble = [Answer(hang_up=True)]

    assert Failure.UNKNOWN is trouble_with(pager, case.page(far)).failure


def test_nobody_there_has_not_taken_it(case: Case) -> None:
    """Where nothing listens, nothing has arrived."""
    pager = case.make(case.settings(NOWHERE))

    assert Failure.UNREACHABLE is trouble_with(pager, case.page(NOWHERE)).failure


@pytest.mark.parametrize("status", [400, 429, 500])
def test_no_secret_is_told(pager: Pager, case: Case, far: Far, status: int) -> None:
    """Neither the token nor a URL that holds one stands in an error."""
    far.trouble = [Answer(status, {"error": "no"})]

    assert SECRET not in str(trouble_with(pager, case.page(far)))
