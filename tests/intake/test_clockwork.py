"""Every case again on a clock that is moved by hand, on both databases."""

import pytest

from tests.intake.cases import CASES
from tests.intake.clockwork import run_by_hand
from tests.intake.story import Case


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_by_the_clock(case: Case, database_url: str) -> None:
    """The notifications of the case come, each in its interval, and no others."""
    wrong = "\n".join(run_by_hand(case, database_url))

    assert "" == wrong
