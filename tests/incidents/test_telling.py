"""Every event in words, the same wherever it is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import Reading, Role, Severity, SeverityRuling, Status
from stanch.incidents.quantities import beside_normal, quantity
from stanch.incidents.recorded.thinking import Outcome, Use
from stanch.incidents.telling import tell
from stanch.kernel.blocks import clean
from stanch.oncall.escalation import events as paging
from stanch.oncall.escalation.model import FrozenPolicy, Notice, NoticeState, Purpose
from tests.incidents.lives import DECLARED, NOW, PLAN, PROPOSED, RANKED, whole_life

MEETING = ev.MeetingSet(
    uid="m@stanch",
    sequence=0,
    starts_at=NOW,
    length_s=3600,
    channel="mail",
    invited=(
        ev.Invited(person="alice", address="alice@example.com"),
        ev.Invited(person="bob", address="bob@x.example"),
    ),
)
ITEM = ev.ActionItem(number=2, title="Test guest checkout", owner="bob", due_on=NOW.date())
MORE: tuple[ev.IncidentEvent, ...] = (
    ev.AlertAttached(alert="a1", summary="checkout error rate 45 %", reading=None, starts_at=NOW, trend="sudden"),
    ev.AlertEnded(alert="a1", summary="checkout error rate back to 0.2 % after 4m 20s"),
    ev.StatusChanged(status=Status.MONITORING, reason="Roll payments back to v3.2.0 is done"),
    ev.SeverityChanged(
        ruling=SeverityRuling(severity=Severity.SEV1, rule="critical-majority", reason="a third or more failing"),
        previous=Severity.SEV2,
        overridden=False,
    ),
    ev.SeverityChanged(
        ruling=SeverityRuling(severity=Severity.SEV3, rule="by-hand", reason="only the test shop"),
        previous=Severity.SEV1,
        overridden=True,
    ),
    ev.RoleAssigned(role=Role.TECHNICAL_LEAD, person="bob"),
    ev.RoleAssigned(role=Role.TECHNICAL_LEAD, person=""),
    ev.NoteAdded(text="pool looks full"),
    ev.NoteAdded(text="call +44 ...", pinned=True),
    ev.TargetMissed(target="acknowledge", due_at=NOW),
    ev.ChangesRanked(round=1, changes=(), none_explains=True, verdict="No change explains this"),
    ev.OnsetEstimated(at=NOW, low=NOW, high=NOW, text="two series agree", first="payments moved first"),
    ev.NextTestAsked(test="1", hypothesis="", text="Read the log", clue="", collectors=("logs",)),
    ev.NextTestEnded(test="1", findings=("t1-logs-1",), summary="bad deploy 40 % to 90 %"),
    ev.HypothesisAdded(hypothesis="own/1", title="the new firewall rule", reason="it went live then"),
    ev.HypothesisConfirmed(hypothesis="own/1", title="the new firewall rule", reason="taken back, it is well"),
    ev.HypothesisRefuted(hypothesis="own/1", title="the new firewall rule", reason="it does not apply there"),
    replace(RANKED, known=False, verdict="not known yet"),
    replace(PROPOSED, plan=None, alternatives=(), verdict="go on investigating"),
    ev.DryRunFinished(plan=PLAN.id, code=0, output="would roll back"),
    ev.DryRunFinished(plan=PLAN.id, code=2, output="no such version"),
    ev.PlanAdded(plan=PLAN, runbook="crash-loop", block=4),
    *(
        ev.RunbookChecked(
            runbook="crash-loop",
            block=1,
            heading="Checks",
            asked="SELECT 1",
            on="orders-db",
            outcome=outcome,
            answer="1",
            expects=expects,
            took_s=0.1,
        )
        for outcome, expects in (("as_expected", "is 1"), ("not_as_expected", "is 2"), ("told", ""), ("failed", ""))
    ),
    ev.Rejected(plan=PLAN.id, reason="a fix is on its way"),
    ev.LookedAgain(plan=replace(PLAN, warnings=("an HPA owns the replicas",))),
    ev.LookedAgain(plan=replace(PLAN, unseen="the cluster does not answer")),
    *(
        ev.RunRefused(plan=PLAN.id, reason=reason, detail="it was at 7, and is at 8 now")
        for reason in ("world_changed", "far_end_down", "expired", "not_open", "cannot_run")
    ),
    *(ev.PlanAdded(plan=replace(PLAN, origin=origin), reason="as asked") for origin in ("person", "undo", "runbook:x")),
    *(ev.OutcomeSettled(plan=PLAN.id, happened=happened, reason="read its log") for happened in (True, False)),
    *(
        ev.AutomaticDecided(
            plan=PLAN.id, acts=acts, reason="score", detail="at 80%", digest=PLAN.digest, expires_at=NOW
        )
        for acts in (True, False)
    ),
    ev.AutomaticStopped(plan=PLAN.id, reason="it did not help"),
    *(ev.AutomaticSwitched(paused=paused, reason="moving") for paused in (True, False)),
    ev.RunRefused(plan=PLAN.id, reason="paused", detail="alice: moving"),
    ev.RunStarted(plan=PLAN.id, node="n1", undo=True),
    ev.RunFinished(plan=PLAN.id, code=3, took_s=1.04, detail="exit 3"),
    ev.RunOutcomeUnknown(plan=PLAN.id, detail="the process that ran it died"),
    ev.EffectChecked(plan=PLAN.id, verdict="no_effect", summary="errors still 45 %"),
    ev.EffectChecked(plan=PLAN.id, verdict="worse", summary="errors 90 %"),
    ev.VerificationStarted(window_s=20, checks=("checkout error ratio at most 5 %",), shortened="shortened: a drill"),
    ev.VerificationExtended(window_s=1800, reason="it is SEV1 now, and was to hold for 900 s"),
    ev.MessageOwed(delivery="d1", channel="room", audience="responders", purpose="update", text="[SEV2] INC-7"),
    ev.MessageEnded(delivery="d1", state="sent", attempts=1),
    ev.MessageEnded(delivery="d1", state="failed", attempts=5, detail="HTTP 500"),
    ev.Resolved(cause="not known", mitigation="none recorded", duration_s=60, forced=True, reason="a test"),
    ev.Reopened(reason="errors are back"),
    ev.Dismissed(reason="a load test"),
    ev.Dismissed(reason="same", merged_into=3),
    MEETING,
    replace(MEETING, sequence=1),
    ev.MeetingCalledOff(uid="m@stanch", sequence=2, reason="nobody has the time"),
    ev.PostmortemDrafted(revision=2, markdown="#"),
    ev.PostmortemReviewed(revision=2, agreed=True),
    ev.PostmortemReviewed(revision=2, agreed=False, note="the second page is missing"),
    ev.PostmortemPublished(revision=2),
    ev.UpdateMissed(due_at=NOW, person="bob"),
    ev.UpdateMissed(due_at=NOW),
    ev.ItemAdded(item=ITEM),
    ev.ItemChanged(item=replace(ITEM, owner="", due_on=None)),
    ev.ItemEnded(number=2, status=ev.ItemStatus.DONE),
    ev.ItemEnded(number=2, status=ev.ItemStatus.OPEN, note="the test is skipped"),
    ev.ItemLinked(number=2, tracker="github", reference="shop#41", url="https://git.example/shop/41"),
    ev.ItemsReminded(numbers=(1, 2), due_at=NOW),
    ev.WritingEnded(
        writing="w",
        desk="sentry",
        act="note",
        moment="declared",
        outcome=ev.WritingOutcome.DONE,
        issue="4400",
        detail="note written",
    ),
    ev.WritingEnded(
        writing="w",
        desk="sentry",
        act="deploy",
        moment="rolled_back",
        outcome=ev.WritingOutcome.REFUSED,
        detail="the token lacks project:releases",
    ),
    ev.AnalysisAsked(analysis="a1", desk="sentry", issue="4400"),
    ev.AnalysisStarted(analysis="a1", run="12345"),
    ev.AnalysisStarted(analysis="a1", run="12345", adopted=True),
    ev.AnalysisEnded(analysis="a1", outcome=ev.AnalysisOutcome.COMPLETED),
    ev.AnalysisEnded(analysis="a1", outcome=ev.AnalysisOutcome.NOT_ENABLED, detail="Seer is not enabled"),
    ev.StatusOffered(
        number=1,
        purpose="initial",
        stage="investigating",
        title="Problems with Checkout",
        text="We are looking into it.",
        severity="SEV2",
        started_at=NOW,
        digest="0123456789ab",
    ),
    ev.StatusPublished(number=1, stage="investigating", automatic=True),
    ev.StatusPublished(number=1, stage="investigating", text="Payments fail at times."),
    ev.StatusDiscarded(number=1, reason="no customer sees it"),
    ev.ThoughtAsked(
        call=1,
        use=Use.HYPOTHESES,
        provider="anthropic",
        place="models.example",
        model="scripted",
        digest="d" * 64,
        characters=12_000,
        reserved_tokens=6_000,
        redacted={"password": 2, "email": 1},
    ),
    ev.ThoughtSent(call=1),
    ev.ThoughtEnded(
        call=1,
        use=Use.HYPOTHESES,
        outcome=Outcome.ANSWERED,
        digest="d" * 64,
        model="scripted",
        tokens_in=3_000,
        tokens_out=200,
        dropped={"uncited": 2},
    ),
    ev.ThoughtEnded(
        call=2, use=Use.SUMMARY, outcome=Outcome.LOST, digest="d" * 64, model="scripted", detail="it did not answer"
    ),
)
NOTICE = Notice(number=1, person="alice", method="push", kind="push", hint="ntfy ...ice", due_at=NOW)
POLICY = FrozenPolicy(name="default", steps=(), fallback=("person:bob",))
PAGES = (
    paging.PagingStarted(
        number=1, incident=7, purpose=Purpose.INCIDENT, severity=2, title="t", policy=POLICY, reason="SEV2"
    ),
    paging.NotPaged(reason="no policy"),
    paging.LevelPaged(round=1, step=1, level=1, people=("alice",), notices=(NOTICE,), unreached=("bob",), next_at=NOW),
    paging.LevelPaged(round=1, step=1, level=1, people=("alice",), notices=(NOTICE,), unreached=(), next_at=None),
    paging.LevelEmpty(round=1, step=1, level=1, targets=("schedule:checkout",), unreached=("bob",)),
    *(paging.NoticeMoved(notice=1, state=state, provider="ntfy", detail="HTTP 500") for state in NoticeState),
    paging.NoticeRepeated(notice=NOTICE),
    paging.PageAcknowledged(person="alice", how="link", notice=1),
    paging.PageAcknowledged(person="alice", how="terminal"),
    paging.PageAnsweredToo(person="bob", how="link", notice=2),
    paging.AckWentStale(last_act_at=NOW),
    paging.PageRaised(severity=1, policy=POLICY),
    paging.PageHurried(reason="a target was missed"),
    paging.NobodyAnswered(fallback=("person:bob",)),
    paging.NobodyAnswered(fallback=()),
    paging.PagingEnded(reason="acknowledged"),
)
TOLD = [*(ev.typed(event) for event in whole_life().events), *MORE, *PAGES]
TONES = {"alert", "change", "person", "action", "good", "bad", "note", "system"}


def test_every_kind_of_event_is_told() -> None:
    """The tests of this file tell each kind there is."""
    assert set(ev.EVENT_TYPES) == {record.kind for record in TOLD}


@pytest.mark.parametrize("record", TOLD, ids=lambda record: record.kind)
def test_a_title_is_a_sentence_and_no_code(record: ev.IncidentEvent) -> None:
    """People read what happened, never the kind's own name."""
    assert (True, False) == (bool(tell(record).title), tell(record).title == record.kind)


@pytest.mark.parametrize("record", TOLD, ids=lambda record: record.kind)
def test_a_tone_is_one_of_the_words(record: ev.IncidentEvent) -> None:
    """Surfaces know every tone."""
    assert tell(record).tone in TONES


def test_the_words_of_every_event(golden: Callable[[str, str], None]) -> None:
    """What each event says is read and agreed on."""
    lines = []
    for record in TOLD:
        told = tell(record)
        mark = "*" if told.major else " "
        lines.append(f"{mark} {record.kind:32} {told.tone:7} {told.title}" + (f" | {told.text}" if told.text else ""))
    golden("telling.txt", clean("\n".join(lines)) + "\n")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.45, "ratio", "45 %"),
        (0.002, "ratio", "0.2 %"),
        (0.0, "ratio", "0 %"),
        (0.0004, "ratio", "0.04 %"),
        (0.0996, "ratio", "10 %"),
        (1.0, "ratio", "100 %"),
        (4200.4, "ms", "4,200 ms"),
        (512e6, "bytes", "512 MB"),
        (12.34, "1/s", "12.3/s"),
        (1234.5, "", "1,234"),
        (None, "ratio", "–"),
    ],
)
def test_a_figure_is_said_as_people_say_it(value: float | None, unit: str, words: str) -> None:
    """Never more digits than matter."""
    assert words == quantity(value, unit)


def test_a_reading_stands_beside_what_is_normal() -> None:
    """A figure alone says nothing."""
    reading = Reading(metric="error_ratio", service="checkout", value=0.45, unit="ratio", normal=0.002)

    assert "45 %, normal 0.2 %" == beside_normal(reading)


def test_where_nothing_is_normal_yet_none_is_claimed() -> None:
    """Without a baseline the figure stands alone."""
    assert "45 %" == beside_normal(Reading(metric="error_ratio", service="checkout", value=0.45, unit="ratio"))


def test_the_declaration_names_the_channel() -> None:
    """Whoever reads the first entry knows where people meet."""
    assert tell(DECLARED).text.endswith("Channel #incident-2026-11-21-checkout-error-ratio.")
