"""Every case in real time, against servers on ports and webhooks on ports."""

import pytest

from tests.intake.cases import CASES
from tests.intake.live import run_live

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("intake_cases")]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Run all cases side by side and give what is wrong with each."""
    return run_live(CASES, tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_case_in_real_time(name: str, outcomes: dict[str, list[str]]) -> None:
    """The notifications of the case arrive, each in its interval, and no others."""
    wrong = "\n".join(outcomes[name])

    assert "" == wrong
