"""Hypotheses from hand-built findings: the right cause first, with its evidence, or "not known yet"."""

import math

import pytest

from stanch.diagnose.kinds import KINDS
from stanch.diagnose.model import Graph
from stanch.diagnose.rank import FLOOR, UNSEEN
from stanch.incidents.events import HypothesesRanked
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import FindingStatus, Signal
from tests.diagnose.causes import (
    BUG,
    CONFIG,
    DEPLOY,
    DOCS,
    REFUSED,
    RIGHT,
    STEADY_LOAD,
    bad_deploy,
    crash_loop,
    leak,
    slow_acquirer,
    unreachable_acquirer,
)
from tests.diagnose.scene import change, error, failing, finding, ranked, reading, top, upstream_errors


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_comes_first_on_its_own_evidence(kind: str) -> None:
    """Each kind of cause is the likeliest when the evidence that defines it is there."""
    assert kind == top(RIGHT[kind]).kind


@pytest.mark.parametrize("ranking", RIGHT.values(), ids=RIGHT.keys())
def test_scores_are_a_share_of_what_is_not_kept_for_the_unseen(ranking: HypothesesRanked) -> None:
    """Scores of all hypotheses together leave the share of the cause nobody thought of."""
    total = sum(each.score for each in ranking.hypotheses)

    assert 0 < total <= 1 - UNSEEN + 0.001


@pytest.mark.parametrize("ranking", RIGHT.values(), ids=RIGHT.keys())
def test_weights_add_up_to_the_log_odds(ranking: HypothesesRanked) -> None:
    """The prior and the weights that are shown add up to the log-odds that decide."""
    hypothesis = top(ranking)
    kind = next(kind for kind in KINDS if kind.name == hypothesis.kind)
    shown = sum(each.weight for each in (*hypothesis.evidence_for, *hypothesis.evidence_against))
    rivals = round(math.exp(kind.prior + shown - hypothesis.log_odds))

    assert kind.prior - math.log(max(1, rivals)) + shown == pytest.approx(hypothesis.log_odds, abs=0.06)


@pytest.mark.parametrize("ranking", RIGHT.values(), ids=RIGHT.keys())
def test_every_citation_names_a_finding_that_was_given(ranking: HypothesesRanked) -> None:
    """Evidence for the top hypothesis cites findings that exist, but for what the catalog itself says."""
    cited = {each.finding for each in top(ranking).evidence_for} - {""}

    assert cited and all(id.startswith("f1-") for id in cited)


@pytest.mark.parametrize("ranking", RIGHT.values(), ids=RIGHT.keys())
def test_sentences_have_no_holes(ranking: HypothesesRanked) -> None:
    """No placeholder and no doubled blank is left in what people read."""
    texts = [
        text
        for each in ranking.hypotheses
        for text in (each.title, each.next_test, *(one.text for one in (*each.evidence_for, *each.evidence_against)))
    ]

    assert [] == [text for text in texts if "{" in text or "}" in text or "  " in text or text.endswith(": ")]


def test_bad_deploy_names_version_previous_and_line() -> None:
    """The bad deploy says which version, which to go back to, and where the stack trace ends."""
    first = top(bad_deploy())

    assert ("payments", "v3.2.1", "v3.2.0", "payments/validation.py:31 in card_of") == (
        first.service,
        first.version,
        first.previous,
        first.culprit,
    )


def test_bad_deploy_blames_the_commit_that_touched_the_failing_file() -> None:
    """Of the commits of a release, the one that touched the file in the trace is blamed, not the newest."""
    assert "c0ffee1" == top(bad_deploy()).commit


def test_bad_deploy_shows_the_diff_of_the_culprit_file() -> None:
    """The next test of a bad deploy is the diff of the file in which the trace ends."""
    assert "git diff v3.2.0..v3.2.1 -- payments/validation.py" == top(bad_deploy()).next_command


def test_bad_deploy_proposes_the_roll_back_first() -> None:
    """A bad deploy suggests the roll-back before anything else."""
    assert "rollback" == top(bad_deploy()).mitigations[0]


def test_harmless_deploy_of_a_caller_does_not_win() -> None:
    """Documentation deployed to the gateway later than the bad release of payments is not blamed."""
    assert DEPLOY.id == top(bad_deploy(DOCS)).change


def test_harmless_deploy_has_the_reason_against_it() -> None:
    """A documentation-only deploy is weighed down by what it touched."""
    ranking = slow_acquirer(changes=(DOCS,))
    decoys = [each for each in ranking.hypotheses if each.kind == "bad_deploy"]

    assert all("touched nothing that runs" in each.evidence_against[0].text for each in decoys)


def test_a_release_without_a_commit_for_its_service_is_not_blamed() -> None:
    """Deploying a version that brings nothing of the service itself does not explain what the service does."""
    empty = change(ChangeKind.DEPLOY, "payments", "v3.2.0+docs1", 15, previous="v3.2.0", data={"commits": []})

    assert "crash_loop_bug" == top(crash_loop(empty)).kind


def test_harmless_deploy_of_an_unrelated_service_does_not_win() -> None:
    """A deploy of a service that is not on the path of the failing calls is not blamed."""
    elsewhere = change(ChangeKind.DEPLOY, "mailer", "v9", 10, previous="v8")

    assert "dependency_slow" == top(slow_acquirer(changes=(elsewhere,))).kind


def test_deploy_after_the_onset_is_no_cause() -> None:
    """A release that came after the trouble began, as an attempt to mend it, is not blamed."""
    late = change(ChangeKind.DEPLOY, "payments", "v3.2.2", -60, previous="v3.2.1")

    assert DEPLOY.id == top(bad_deploy(late)).change


def test_slow_dependency_names_who_waits_and_for_whom() -> None:
    """A slow dependency is about the deepest of our services, which can act, and the target it waits for."""
    first = top(slow_acquirer())

    assert ("payments", "acquirer") == (first.service, first.target)


def test_slow_dependency_does_not_propose_a_roll_back() -> None:
    """Nothing was deployed, so a roll-back is not among what would help."""
    assert "rollback" not in top(slow_acquirer()).mitigations


def test_slow_dependency_is_known() -> None:
    """A slow call that explains its caller's latency is enough to say what it is."""
    assert slow_acquirer().known


def test_leak_proposes_a_restart() -> None:
    """Lost connections come back with a restart."""
    assert "restart" == top(leak(rise_s=85, after=-90)).mitigations[0]


def test_full_pool_of_unknown_shape_asks_for_the_shape() -> None:
    """Where a leak and exhaustion cannot be told apart, the next test is the one that tells them apart."""
    ranking = leak()

    assert (False, "Plot db_pool of payments: a slope or a step?") == (ranking.known, ranking.next_test)


def test_crash_loop_after_a_configuration_change_names_the_revision() -> None:
    """A process that dies after its configuration changed blames the revision and knows the one before."""
    first = top(crash_loop(CONFIG))

    assert ("bad_config", "c42", "c41", "rollback_config") == (
        first.kind,
        first.version,
        first.previous,
        first.mitigations[0],
    )


def test_crash_loop_beside_a_harmless_deploy_is_a_bug() -> None:
    """A documentation deploy elsewhere does not explain a crash loop."""
    assert "crash_loop_bug" == top(crash_loop(DOCS)).kind


@pytest.mark.parametrize(
    "changes", [(), (change(ChangeKind.DEPLOY, "payments", "v3.2.1", 40),)], ids=["no change", "a deploy alone"]
)
def test_without_evidence_it_is_not_known_yet(changes: tuple[Change, ...]) -> None:
    """No data is never a cause, not even when something was deployed just before."""
    ranking = ranked([finding("f1-metrics-1", status=FindingStatus.NO_DATA)], changes)

    assert not ranking.known


def test_not_known_yet_says_so_and_what_to_do_next() -> None:
    """Below the floor the verdict says that it is not known, and a next test is named."""
    ranking = ranked([finding("f1-metrics-1", status=FindingStatus.NO_DATA)])

    assert ranking.verdict.startswith("Not known yet") and ranking.next_test


def test_what_hardly_can_be_is_no_best_guess() -> None:
    """For which nothing speaks is not offered as a guess, a commit of hours after the trouble began neither."""
    late = change(ChangeKind.COMMIT, "payments", "727e273ad8", -9_840)
    ranking = ranked([finding("f1-metrics-1", status=FindingStatus.NO_DATA)], (late,))

    assert "Not known yet: nothing that was found points at a cause" == ranking.verdict


def test_new_errors_without_any_other_sign_are_not_known_yet() -> None:
    """An error nobody can place, with nothing changed and nothing full, has no known cause."""
    logs = finding("f1-logs-1", error("payments", "LedgerError: the sums differ", 300), *upstream_errors())
    ranking = ranked([finding("f1-metrics-1", *failing()), logs])

    assert ranking.hypotheses[0].score < FLOOR and not ranking.known


def test_failed_findings_say_nothing() -> None:
    """A finding that failed is not read, whatever signals it carries."""
    broken = finding("f1-metrics-1", *failing(), status=FindingStatus.FAILED)

    assert not ranked([broken, finding("f1-logs-1", BUG, status=FindingStatus.FAILED)], [DEPLOY]).known


def test_later_rounds_replace_earlier_readings() -> None:
    """The newest reading of a thing counts: a call that was slow and no longer is does not stay the cause."""
    calm = finding("f2-metrics-1", reading("dependency_latency_p95_ms", "payments", 46, 46, target="acquirer"))

    assert "dependency_slow" != top(slow_acquirer(calm)).kind


def test_commits_stand_in_where_nobody_records_deploys() -> None:
    """Without deploy records the commit whose file the trace ends in is the best guess."""
    commit = change(ChangeKind.COMMIT, "", "", 900, commit="c0ffee1", title="read the saved card")
    commit = Change(**{**vars(commit), "id": "c0ffee1", "paths": ("payments/validation.py",)})
    ranking = ranked([finding("f1-metrics-1", *failing()), finding("f1-logs-1", BUG)], [commit])

    assert ("bad_deploy", "c0ffee1") == (top(ranking).kind, top(ranking).commit)


def test_a_commit_alone_is_never_called_the_cause() -> None:
    """A commit seconds before the trouble that nothing tells was deployed stays a guess, wherever it started."""
    commit = change(ChangeKind.COMMIT, "payments", "", 16, commit="c0ffee1", title="rename a variable")
    ranking = ranked([finding("f1-metrics-1", *failing())], [commit])

    assert ("bad_deploy", False) == (top(ranking).kind, ranking.known)


def test_order_of_findings_changes_nothing() -> None:
    """The ranking depends on what was found, not on which collector came back first."""
    logs = finding("f1-logs-1", BUG, *upstream_errors())
    metrics = finding("f1-metrics-1", *failing())

    assert ranked([metrics, logs], [DEPLOY]) == ranked([logs, metrics], [DEPLOY])


def test_a_service_of_ours_that_nobody_looked_into_is_no_cause() -> None:
    """That payments fails for checkout is the symptom: without a look inside payments the cause is not known."""
    ours = Graph(depends_on={"checkout": (), "payments": ()})
    seen = finding(
        "f1-calls-1",
        reading("error_ratio", "checkout", 0.5, 0.0),
        reading("dependency_error_ratio", "checkout", 0.5, 0.0, target="payments"),
    )

    assert not ranked([seen], graph=ours).known


def test_the_same_of_somebody_elses_service_is_one() -> None:
    """A far end that is not ours can be down, and then that is the cause."""
    seen = finding(
        "f1-calls-1",
        reading("error_ratio", "checkout", 0.5, 0.0),
        reading("dependency_error_ratio", "checkout", 0.5, 0.0, target="bank"),
    )

    assert ranked([seen], graph=Graph(depends_on={"checkout": ()})).known


def waited(held: float) -> HypothesesRanked:
    """Rank full places of a checkout whose median is as ever by now and was `held` ms at its worst."""
    metrics = (
        reading("saturation", "checkout", 1.0, 0.0, resource="worker_slots"),
        reading("latency_p95_ms", "checkout", 72, 71, held=held),
        *STEADY_LOAD,
    )
    return ranked([finding("f1-metrics-1", *metrics)])


def test_places_that_filled_while_it_was_slow_are_no_cause() -> None:
    """A slowness that is over by the next look still is what filled the places."""
    full = [
        next(one.score for one in waited(held).hypotheses if one.kind == "resource_exhausted") for held in (900, 75)
    ]

    assert (True, True) == (full[0] < 0.3, full[1] > 0.5)


def test_an_error_before_a_late_onset_is_new_since_the_deploy() -> None:
    """Who reports an incident dates it late: what was first seen between the deploy and that instant is new."""
    text = "TypeError: 'NoneType' object is not subscriptable"
    early = error("payments", text, 900, normal=60, after=-60, versions=["v3.2.1"])
    deploy = change(ChangeKind.DEPLOY, "payments", "v3.2.1", 90, previous="v3.2.0")
    found = top(ranked([finding("f1-metrics-1", *failing()), finding("f1-logs-1", early)], (deploy,)))

    assert ("bad_deploy", True) == (found.kind, any("not seen before" in one.text for one in found.evidence_for))


def test_what_says_the_same_is_no_rival() -> None:
    """That the far end is down and that there is an outage there is one cause, with one score, that is known."""
    page = reading("status_page", "", 0, target="acquirer")
    probe = reading("dependency_up", "", 0, target="acquirer")
    admitted = Signal(**{**vars(page), "text": "critical"})
    found = unreachable_acquirer(REFUSED, probe, admitted)
    about = [one.kind for one in found.hypotheses if one.kind in ("dependency_down", "third_party_outage")]

    assert (True, 1, True) == (found.known, len(about), found.hypotheses[0].score > 0.85)


@pytest.mark.parametrize(
    ("looked_with", "shown"),
    [("stanch query run sqlite.write_lock --on ledger", "stanch query run sqlite.write_lock"), ("", "psql -c")],
)
def test_the_next_command_is_for_the_system_that_was_looked_at(looked_with: str, shown: str) -> None:
    """Who blocks whom is asked of SQLite or MySQL as of PostgreSQL, each in its own way; without a look, in general."""
    locks = finding("f1-sqlite-1", reading("locks_waiting", "payments", 25, 0), command=looked_with)
    found = top(ranked([finding("f1-metrics-1", *failing()), locks]))

    assert ("lock_contention", True) == (found.kind, found.next_command.startswith(shown))
