"""The drill's own steps against a server that answers as Stanch does; whole drills are in tests/drill."""

import itertools
import json
from pathlib import Path

import pytest

from stanch.gameday.client import Client
from stanch.gameday.drill import Drill, DrillFailed
from stanch.gameday.shop.places import Places, Ports
from stanch.gameday.shop.shop import Shop
from stanch.kernel.errors import Refused
from tests.support.farend import Asked, Reply, site

RESOLVED = {"card": {"key": "INC-1", "status": "resolved"}}
REFUSED = Reply(status=409, body=json.dumps({"error": {"code": "refused", "message": "no"}}))


def overview(second: int, *incidents: dict[str, object]) -> Reply:
    """Return an overview in which two services were seen last at a second; a third is somebody else's, never seen."""
    at = f"2026-11-21T03:00:{second:02d}.5Z"
    seen = [{"name": name, "external": False, "seen_at": at} for name in ("gateway", "payments")]
    far = {"name": "acquirer", "external": True, "seen_at": None}
    return Reply(body=json.dumps({"services": [*seen, far], "incidents": incidents}))


def drill(url: str, folder: Path) -> Drill:
    """Return a drill whose shop was never started."""
    shop = Shop(places=Places(folder), ports=Ports.of([1] * 6), rate=0.0, seed=1)
    return Drill(
        client=Client(url, actor="drill-approver"),
        shop=shop,
        fault="bad-deploy",
        baseline_s=0.0,
        narrate=lambda words: None,
        decide=lambda title, is_settled: True,
        folder=folder,
    )


def shown(*, passed: bool) -> Reply:
    """Return an incident that is watched, verified or not."""
    verification = {"passed_at": "2026-11-21T03:00:00Z"} if passed else {}
    return Reply(body=json.dumps({"progress": {"verification": verification, "failing": []}}))


def test_it_learns_until_enough_was_seen(tmp_path: Path) -> None:
    """A machine that stood still while it learnt has seen too little to know what is normal: it goes on."""
    seconds = iter([0, 0, 0, *range(20)])
    asked: list[int] = []

    def answer(_: Asked) -> Reply:
        asked.append(next(seconds))
        return overview(asked[-1])

    with site(answer) as far:
        drill(far.url, tmp_path)._learn()

    assert list(range(10)) == sorted(set(asked[:-1]))


@pytest.mark.parametrize(("early", "dismissed"), [(1, 1), (9, 2)], ids=["a slow start", "never quiet"])
def test_what_is_declared_before_the_fault_is_dismissed(tmp_path: Path, early: int, dismissed: int) -> None:
    """A shop that starts on a busy machine is slow; that is watched until it is over, twice at most."""
    told: list[str] = []
    seconds = itertools.count()

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/dismiss"):
            told.append(asked.path)
            return Reply(body="{}")
        slow = {"number": len(told) + 1, "key": f"INC-{len(told) + 1}", "title": "gateway P95 1,587 ms"}
        return overview(next(seconds) % 60, *([slow] if len(told) < early else []))

    with site(answer) as far:
        one = drill(far.url, tmp_path)
        if early > dismissed:
            with pytest.raises(DrillFailed, match=r"broken: INC-1 gateway .*, INC-2 .*, INC-3 "):
                one._learn()
        else:
            one._learn()

    assert dismissed == len(told)


def test_what_breaks_again_before_it_is_resolved_is_watched_on(tmp_path: Path) -> None:
    """Verified, then a figure broke: the resolution is refused, waited for, and given the next time."""
    answers = [REFUSED, Reply(body=json.dumps(RESOLVED))]

    def answer(asked: Asked) -> Reply:
        return answers.pop(0) if asked.path.endswith("/resolve") else shown(passed=False)

    with site(answer) as far:
        one = drill(far.url, tmp_path)
        view = one._until(lambda: one._resolved(1), 60.0, "it was not resolved")

    assert ("resolved", []) == (view.get("card").text("status"), answers)


def test_another_refusal_ends_it(tmp_path: Path) -> None:
    """What is verified and refused all the same will be refused again: that is said at once."""
    with site(lambda asked: REFUSED if asked.path.endswith("/resolve") else shown(passed=True)) as far:
        one = drill(far.url, tmp_path)
        with pytest.raises(Refused, match="no"):
            one._resolved(1)
