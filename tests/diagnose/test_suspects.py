"""What changed near the onset, as it goes on record."""

from stanch.diagnose.picture import Picture, picture_of
from stanch.diagnose.rank import rank_picture
from stanch.diagnose.suspects import rank_suspects
from stanch.incidents.events import ChangesRanked
from stanch.kernel.percentage import percent
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding
from tests.diagnose.scene import NOW, ONSET, SHOP, TYPE_ERROR, change, error, failing, finding, reading

DEPLOY = change(ChangeKind.DEPLOY, "payments", "v3.2.1", 40, previous="v3.2.0", paths=("payments/validation.py",))
BUG = error("payments", TYPE_ERROR, 900, culprit="/srv/payments/validation.py:12 in card_of", versions=["v3.2.1"])
BAD_DEPLOY = (finding("f1-metrics-1", *failing()), finding("f1-logs-1", BUG))
SLOW = finding(
    "f1-metrics-1",
    reading("latency_p95_ms", "payments", 2300, 60),
    reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
)


def seen(*findings: Finding, changes: tuple[Change, ...]) -> Picture:
    """Return the picture of some findings and changes."""
    return picture_of(findings, changes=changes, onset=ONSET, graph=SHOP, now=NOW, services=("checkout",))


def ranked(*findings: Finding, changes: tuple[Change, ...]) -> ChangesRanked:
    """Rank the changes behind some findings."""
    picture = seen(*findings, changes=changes)
    return rank_suspects(picture, rank_picture(picture))


def test_the_change_to_blame_comes_first() -> None:
    """The deploy that explains it leads, before a younger one that does not."""
    docs = change(ChangeKind.DEPLOY, "gateway", "docs1", 5, previous="v3.2.0", paths=("docs/metrics.md",))

    assert DEPLOY.id == ranked(*BAD_DEPLOY, changes=(docs, DEPLOY)).changes[0].change.id


def test_it_is_said_to_explain_it() -> None:
    """The verdict names the change."""
    found = ranked(*BAD_DEPLOY, changes=(DEPLOY,))

    assert (False, "payments v3.2.1 explains it") == (found.none_explains, found.verdict)


def test_no_change_explains_a_slow_dependency() -> None:
    """A known cause that is no change clears the deploy that happened to come before."""
    docs = change(ChangeKind.DEPLOY, "gateway", "docs1", 5, previous="v3.2.0", paths=("docs/metrics.md",))

    assert ranked(SLOW, changes=(docs,)).none_explains


def test_nothing_changed_is_said() -> None:
    """Without changes the verdict says so."""
    found = ranked(SLOW, changes=())

    assert (True, (), "Nothing is known to have changed") == (found.none_explains, found.changes, found.verdict)


def test_a_restart_is_no_suspect() -> None:
    """A restart is what was done about it, or what it led to."""
    restart = change(ChangeKind.RESTART, "payments", "v3.2.0", 2)

    assert () == ranked(SLOW, changes=(restart,)).changes


def test_every_change_has_its_reasons() -> None:
    """Each entry says why it could or could not explain it."""
    assert all(each.reasons and each.verdict for each in ranked(*BAD_DEPLOY, changes=(DEPLOY,)).changes)


def test_diffs_do_not_go_on_record_twice() -> None:
    """The diff stays with the stored change and is not copied into the incident's log."""
    long = Change(**{**vars(DEPLOY), "diff": "x" * 10_000})

    assert "" == ranked(*BAD_DEPLOY, changes=(long,)).changes[0].change.diff


def test_changes_stand_as_the_hypotheses_see_them() -> None:
    """The share beside a change is the score of the hypothesis that blames it, and orders the list."""
    docs = change(ChangeKind.DEPLOY, "gateway", "docs1", 5, previous="v3.2.0", paths=("docs/metrics.md",))
    picture = seen(*BAD_DEPLOY, changes=(docs, DEPLOY))
    hypotheses = rank_picture(picture)
    found = rank_suspects(picture, hypotheses)

    assert f"({percent(hypotheses.hypotheses[0].score)})" in found.changes[0].verdict


def test_what_the_cause_is_stands_in_the_verdict() -> None:
    """That no change explains it is said together with what does."""
    docs = change(ChangeKind.DEPLOY, "gateway", "docs1", 5, previous="v3.2.0", paths=("docs/metrics.md",))

    assert ranked(SLOW, changes=(docs,)).verdict.startswith("No change explains this; what does, at")


def test_an_unlikely_change_is_told_by_what_speaks_against_it() -> None:
    """A commit that touches the failing file and that nothing deployed says that it was not deployed."""
    commit = change(ChangeKind.COMMIT, "payments", "", 9_000, paths=("payments/validation.py",), commit="2f340ffd68")
    found = ranked(*BAD_DEPLOY, changes=(commit, DEPLOY)).changes[1]

    assert "touches payments/validation.py" not in found.verdict


def test_an_unknown_cause_leaves_the_changes_open() -> None:
    """Where the cause is not known no change is said to explain it."""
    found = ranked(changes=(DEPLOY,))

    assert not found.verdict.startswith(("payments v3.2.1 explains", "No change explains"))
