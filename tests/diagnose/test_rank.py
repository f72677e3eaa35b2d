"""Hypotheses from hand-built findings: the right cause first, with its evidence, or "not known yet"."""

import math

import pytest

from stanch.diagnose.kinds import KINDS
from stanch.diagnose.model import Graph
from stanch.diagnose.rank import FLOOR, UNSEEN
from stanch.incidents.events import HypothesesRanked
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal
from tests.diagnose.scene import TYPE_ERROR, change, error, failing, finding, ranked, reading, top, upstream_errors

SERVICES = ("gateway", "checkout", "payments")
STEADY_LOAD = tuple(reading("request_rate", service, 20, 20) for service in SERVICES)

BUG = error(
    "payments",
    TYPE_ERROR,
    1247,
    after=-2,
    versions=["v3.2.1"],
    culprit="payments/validation.py:31 in card_of",
    files=["shoplib/server.py", "payments/service.py", "payments/validation.py"],
)
DEPLOY = change(
    ChangeKind.DEPLOY,
    "payments",
    "v3.2.1",
    40,
    previous="v3.2.0",
    commit="c0ffee2",
    paths=("payments/validation.py", "gateway/texts.py"),
    data={
        "commits": [
            {"commit": "c0ffee1", "paths": ["payments/validation.py"]},
            {"commit": "c0ffee2", "paths": ["gateway/texts.py"]},
        ]
    },
)
DOCS = change(ChangeKind.DEPLOY, "gateway", "v3.2.0+docs1", 15, previous="v3.2.0", paths=("docs/metrics.md",))
CONFIG = change(ChangeKind.CONFIG, "payments", "c42", 12, previous="c41")


def bad_deploy(*decoys: Change) -> HypothesesRanked:
    """Rank a bad release of payments, with harmless changes beside it."""
    logs = finding("f1-logs-1", BUG, *upstream_errors(["v3.2.0+docs1"]))
    return ranked([finding("f1-metrics-1", *failing()), logs], [DEPLOY, *decoys])


def slow_acquirer(*extra: Finding, changes: tuple[Change, ...] = ()) -> HypothesesRanked:
    """Rank an acquirer that became slow."""
    slow = (
        reading("latency_p95_ms", "payments", 2300, 60),
        reading("latency_p95_ms", "checkout", 2400, 90),
        reading("latency_p95_ms", "gateway", 2450, 110),
        reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
        reading("dependency_latency_p95_ms", "checkout", 2310, 62, target="payments"),
        reading("dependency_latency_p95_ms", "gateway", 2410, 92, target="checkout"),
        reading("dependency_error_ratio", "payments", 0.01, 0.001, target="acquirer"),
        reading("error_ratio", "payments", 0.01, 0.002),
    )
    return ranked([finding("f1-metrics-1", *slow, *STEADY_LOAD), *extra], changes)


def crash_loop(*changes: Change) -> HypothesesRanked:
    """Rank payments starting again and again."""
    metrics = (
        reading("restarts", "payments", 6, 0),
        reading("up", "payments", 0.4, 1),
        reading("error_ratio", "checkout", 0.6, 0.001),
        reading("error_ratio", "gateway", 0.6, 0.001),
        reading("dependency_error_ratio", "checkout", 0.6, 0.001, target="payments"),
        reading("dependency_error_ratio", "gateway", 0.6, 0.001, target="checkout"),
    )
    died = error("payments", "KeyError: 'batch'", 6, level="fatal", culprit="payments/settlement.py:27 in _run")
    return ranked([finding("f1-metrics-1", *metrics), finding("f1-logs-1", died)], changes)


def leak(**shape: float) -> HypothesesRanked:
    """Rank a pool that is full, after it filled as `shape` says."""
    pool = reading("saturation", "payments", 1.0, 0.15, resource="db_pool", **shape)
    text = "PoolTimeout: connection pool timeout: 20 of 20 connections in use, none free after 2 s"
    logs = finding("f1-logs-1", error("payments", text, 300), *upstream_errors())
    return ranked([finding("f1-metrics-1", *failing(0.3), pool), logs])


def overloaded(*, load: float) -> HypothesesRanked:
    """Rank a checkout whose workers are all busy, under this many requests a second instead of 20."""
    metrics = (
        *(reading("request_rate", service, load, 20) for service in SERVICES),
        reading("error_ratio", "checkout", 0.4, 0.001),
        reading("error_ratio", "gateway", 0.4, 0.001),
        reading("dependency_error_ratio", "gateway", 0.4, 0.001, target="checkout"),
        reading("saturation", "checkout", 1.0, 0.3, resource="worker_slots"),
    )
    turned_away = error("checkout", "HttpError: overloaded: no pricing worker free within 1 s, 2 busy", 300)
    return ranked([finding("f1-metrics-1", *metrics), finding("f1-logs-1", turned_away)])


def slow_payments(*changes: Change) -> HypothesesRanked:
    """Rank payments being slow by itself."""
    metrics = (
        reading("latency_p95_ms", "payments", 1800, 60),
        reading("latency_p95_ms", "checkout", 1900, 90),
        reading("dependency_latency_p95_ms", "checkout", 1810, 62, target="payments"),
        reading("dependency_latency_p95_ms", "payments", 47, 46, target="acquirer"),
    )
    return ranked([finding("f1-metrics-1", *metrics, *STEADY_LOAD)], changes)


def unreachable_acquirer(text: str, *extra: Signal) -> HypothesesRanked:
    """Rank payments failing because nearly all calls to the acquirer do."""
    calls = [signal for signal in failing(0.95) if signal.data.get("target") != "acquirer"]
    edge = reading("dependency_error_ratio", "payments", 0.95, 0.001, target="acquirer")
    logs = finding("f1-logs-1", error("payments", text, 500))
    return ranked([finding("f1-metrics-1", *calls, edge), logs, finding("f1-dependencies-1", *extra)])


REFUSED = "UpstreamError: acquirer refused the connection at 192.0.2.1:443"

RIGHT = {
    "bad_deploy": bad_deploy(),
    "dependency_slow": slow_acquirer(),
    "connection_leak": leak(rise_s=85, after=-90),
    "connection_pool_exhausted": ranked(
        [
            finding(
                "f1-metrics-1",
                *(signal for signal in failing(0.3) if signal.name != "request_rate"),
                reading("request_rate", "payments", 60, 20),
                reading("saturation", "payments", 1.0, 0.15, resource="db_pool", rise_s=2, after=0),
                reading("long_queries", "payments", 18, 0),
            ),
            finding("f1-logs-1", error("payments", "TimeoutError: QueuePool limit of size 20 reached", 300)),
        ]
    ),
    "bad_config": crash_loop(CONFIG),
    "crash_loop_bug": crash_loop(),
    "flag_change": slow_payments(change(ChangeKind.FLAG, "payments", "receipt_preview", 20, previous="off")),
    "migration": slow_payments(
        change(ChangeKind.MIGRATION, "payments", "0003", 60, previous="0002", diff="DROP INDEX payments_by_card;")
    ),
    "traffic_spike": overloaded(load=80),
    "resource_exhausted": overloaded(load=20),
    "dependency_down": unreachable_acquirer(REFUSED, reading("dependency_up", "", 0, target="acquirer")),
    "third_party_outage": slow_acquirer(
        finding("f1-dependencies-1", Signal(name="status_page", text="critical", data={"target": "acquirer"})),
        finding("f1-dependencies-2", reading("dependency_up", "", 0, target="acquirer")),
        finding("f1-metrics-2", reading("dependency_error_ratio", "payments", 0.6, 0.001, target="acquirer")),
    ),
    "certificate_expired": unreachable_acquirer(
        "SSLError: certificate verify failed: certificate has expired",
        reading("tls_expires_s", "", -3600, target="acquirer"),
    ),
    "network": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("error_ratio", "checkout", 0.5, 0.001),
                reading("dependency_error_ratio", "checkout", 0.5, 0.001, target="payments"),
                reading("error_ratio", "payments", 0.002, 0.002),
                reading("latency_p95_ms", "payments", 60, 60),
            ),
            finding("f1-logs-1", error("checkout", "the connection to payments broke during POST /payments", 400)),
        ]
    ),
    "memory_leak": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("memory_bytes", "checkout", 900e6, 200e6, trend="gradual increase"),
                reading("latency_p95_ms", "checkout", 900, 90),
                *STEADY_LOAD,
            ),
            finding("f1-logs-1", error("checkout", "MemoryError: out of memory", 12)),
        ]
    ),
    "slow_query": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 5200, 60),
                reading("long_queries", "payments", 14, 0),
                reading("dependency_latency_p95_ms", "payments", 47, 46, target="acquirer"),
            ),
            finding("f1-logs-1", error("payments", "QueryCanceled: canceling statement due to statement timeout", 90)),
        ]
    ),
    "lock_contention": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 5200, 60),
                reading("locks_waiting", "payments", 25, 0),
            ),
            finding("f1-logs-1", error("payments", "OperationalError: database is locked", 90)),
        ]
    ),
    "missing_index": ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 2200, 60, trend="gradual increase"),
                reading("sequential_scans", "payments", 4000, 10),
                reading("long_queries", "payments", 5, 0),
            ),
        ],
        [
            change(ChangeKind.INFRASTRUCTURE, "mailer", "disk", 7200),
        ],
    ),
    "data_problem": ranked(
        [
            finding("f1-metrics-1", *failing(0.1), reading("restarts", "payments", 0, 0)),
            finding(
                "f1-logs-1", error("payments", "JSONDecodeError: unexpected token in feed", 200), *upstream_errors()
            ),
        ],
        [change(ChangeKind.TRAFFIC, "mailer", "campaign", 7200)],
    ),
    "queue_backlog": ranked(
        [
            finding(
                "f1-rabbitmq-1",
                reading("queue_depth", "payments", 41_000, resource="queue of settlements", raised=True),
                reading("queue_unconsumed", "payments", 41_000, resource="queue of settlements", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "pods_cannot_start": ranked(
        [
            finding(
                "f1-kubernetes-1",
                reading("pods_cannot_start", "payments", 2, resource="payments-7d9f-x", raised=True),
                reading("replicas_missing", "payments", 2, resource="payments", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "node_failure": ranked(
        [
            finding(
                "f1-kubernetes-1",
                reading("nodes_in_trouble", "payments", 1, resource="worker-3", raised=True),
                reading("replicas_missing", "payments", 2, resource="payments", raised=True),
            ),
            finding("f1-metrics-1", reading("restarts", "payments", 0, 0), *STEADY_LOAD),
        ]
    ),
    "replication_lag": ranked(
        [
            finding(
                "f1-postgresql-1",
                reading("replication_lag_s", "payments", 900, resource="orders-db", raised=True),
                reading("long_queries", "payments", 0, 0, raised=False),
            ),
            finding("f1-metrics-1", *failing(0.1), reading("restarts", "payments", 0, 0)),
            finding("f1-logs-1", *upstream_errors()),
        ]
    ),
}


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
