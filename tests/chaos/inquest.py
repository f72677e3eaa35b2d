"""What is left of a story: right after its process was killed, and at its end. Reads the store; decides nothing."""

from collections import Counter

from stanch.app.wiring import PROJECTORS
from stanch.incidents import events as ev
from stanch.incidents.clocks import update_every
from stanch.incidents.folding import fold_all
from stanch.incidents.state import ActionState, IncidentState
from stanch.store import Store, deliveries, timers
from stanch.store.model import DeliveryState
from tests.chaos.story import Scene

RECORDED_AS = {
    "acknowledge": "incident.acknowledged",
    "approve": "action.approved",
    "note": "incident.note_added",
    "resolve": "incident.resolved",
}
"""The event that must be in the log once a person was told that this was done."""


def after_death(scene: Scene) -> dict[str, object]:
    """Return what a death has cost: answered acts that are not in the log, timers that an open incident lacks."""
    store = Store(scene.database, projectors=PROJECTORS)
    with store.reading() as view:
        events = view.events()
        waiting = {timer.id for timer in timers.find(view.connection)}
    store.close()
    kinds = {event.kind for event in events}
    said = scene.said.read_text(encoding="utf-8").split() if scene.said.exists() else []
    state = fold_all(events)
    return {
        "forgotten": [word for word in said if RECORDED_AS[word] not in kinds],
        "lost_timers": sorted(_needed(state) - waiting),
    }


def _needed(state: IncidentState | None) -> set[str]:
    """Return the ids of the timers without which something would never happen."""
    needed = {"check/payments/1", "changes/poll", "watch/forget"}
    if state is None or not state.is_open:
        return needed
    prefix = f"inc{state.number}"
    needed.add(f"{prefix}/measure")
    if update_every(state.ruling.severity) is not None:
        needed.add(f"{prefix}/remind")
    if state.acknowledged_at is None:
        needed.add(f"{prefix}/target/acknowledge")
    if not state.hypotheses:
        needed.add(f"{prefix}/collect")
    for action in state.actions.values():
        if action.state in (ActionState.APPROVED, ActionState.RUNNING):
            needed.add(f"{prefix}/run/{action.plan.id}")
        if action.state in (ActionState.SUCCEEDED, ActionState.UNKNOWN):
            needed.add(f"{prefix}/verify")
            needed |= set() if action.verdict else {f"{prefix}/effect/{action.plan.id}"}
    return needed


def at_the_end(scene: Scene) -> dict[str, object]:
    """Return how the story ended, in figures."""
    store = Store(scene.database, projectors=PROJECTORS)
    with store.reading() as view:
        events = view.events()
        owed = deliveries.find(view.connection)
        attempts = {one.id: deliveries.attempts_of(view.connection, one.id) for one in owed}
    stored = store.dump_projections()
    store.rebuild()
    rebuilt = store.dump_projections()
    store.close()
    state = fold_all(events)
    typed = [ev.typed(event) for event in events]
    ends = Counter(one.delivery for one in typed if isinstance(one, ev.MessageEnded))
    resolved = next((one for one in typed if isinstance(one, ev.Resolved)), None)
    ran = scene.ran.read_text(encoding="utf-8").splitlines() if scene.ran.exists() else []
    return {
        "incidents": sum(isinstance(one, ev.Declared) for one in typed),
        "status": state.status.value if state else "",
        "forced": resolved.forced if resolved else None,
        "drafts": sum(isinstance(one, ev.PostmortemDrafted) for one in typed),
        "approvals": sum(isinstance(one, ev.Approved) for one in typed),
        "runs_begun": sum(isinstance(one, ev.RunStarted) for one in typed),
        "unknown": sum(isinstance(one, ev.RunOutcomeUnknown) for one in typed),
        "ran_by_stanch": sum(line.startswith("to ") for line in ran),
        "owed": sorted(one.id for one in owed),
        "not_sent": [one.id for one in owed if one.state is not DeliveryState.SENT],
        "sent_twice": [name for name, made in attempts.items() if [one.outcome for one in made].count("sent") > 1],
        "ended_twice": [name for name, times in ends.items() if times > 1],
        "unsaid": [one.id for one in owed if one.id not in ends],
        "projections_differ": sorted(name for name in stored if stored[name] != rebuilt[name]),
    }
