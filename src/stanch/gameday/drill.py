"""The drill: the sample shop breaks for real, and Stanch has to notice, explain and mend it.

The drill knows what it broke; Stanch is told nothing. It acts as people do, through the HTTP API: it acknowledges,
looks, approves as the drill's approver, resolves once the recovery is verified, and reads the post-mortem.
"""

import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from stanch.gameday.client import Client, Reply
from stanch.gameday.shop.faults import Truth, fault_named, inject, undo
from stanch.gameday.shop.shop import Shop
from stanch.kernel.errors import Refused
from stanch.kernel.percentage import percent

APPROVER: Final = "drill-approver"
_POLL_S: Final = 0.25
_DETECT_WITHIN_S: Final = 120.0
_PROPOSE_WITHIN_S: Final = 90.0
_VERIFY_WITHIN_S: Final = 240.0
_LEARN_WITHIN_S: Final = 120.0
_LEAST_LOOKS: Final = 10
"""Eight before the start tell what is normal; the start is estimated, and may be put a little early."""

_MOST_EARLY: Final = 3
_NOTHING_BROKEN: Final = "the shop has just started, and nothing is broken yet"

Narrate = Callable[[str], None]
Decide = Callable[[str, Callable[[], bool]], bool]


class DrillFailed(Exception):
    """The drill did not come to its end; the message says where it stopped."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a drill went. Seconds count from the injection of the fault."""

    incident: str
    fault: str
    severity: str
    detected_after_s: float
    declared_after_s: float
    proposed_after_s: float | None
    top_hypothesis: dict[str, object]
    mitigation: dict[str, object] | None
    verified: bool
    resolved_after_s: float
    postmortem: str
    url: str
    hypotheses: list[dict[str, object]] = field(default_factory=list)
    cause_known: bool = True
    right: bool = True


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill against a Stanch that already watches the shop.

    `decide` is asked before a plan is approved, with its title and what tells whether somebody has decided on it
    elsewhere, in the browser or by a command; `narrate` is told what happens.
    """

    client: Client
    shop: Shop
    fault: str
    baseline_s: float
    narrate: Narrate
    decide: Decide
    folder: Path
    decoy: bool = False
    patience_s: float = 3600.0

    def run(self) -> Outcome:
        """Go through to the end. Raises `DrillFailed` when something that must happen does not."""
        self.narrate(f"Learning what is normal for {self.baseline_s:.0f} s")
        self._learn()
        self.narrate(f"Injecting the fault: {fault_named(self.fault).title}. Nobody tells Stanch.")
        injected = inject(self.fault, self.shop, decoy=self.decoy)
        began = injected.at
        incident = self._until(self._open_incident, _DETECT_WITHIN_S, "no incident was declared")
        number = incident.number("number")
        self._say_declared(incident, began)
        self.client.write("incident/acknowledge", incident=number)
        if fault_named(self.fault).expected.can_be_found:
            plan, proposed_at = self._decided(number)
            mitigation = self._approve(number, plan) if plan else None
        else:
            self._look_in_vain(number)
            proposed_at, mitigation = None, None
        self._until(lambda: self._verified(number), _VERIFY_WITHIN_S, self._why_not_verified)
        self.narrate("Recovery verified: every figure held for the whole window")
        view = self._until(lambda: self._resolved(number), _VERIFY_WITHIN_S, self._why_not_verified)
        path = self._keep_postmortem(number)
        self.narrate(f"Resolved. Post-mortem: {path}")
        return self._outcome(view, began, proposed_at, mitigation, path)

    def _learn(self) -> None:
        """Watch until it is known what is normal. What a busy machine does to a shop that starts is no fault."""
        early: list[str] = []
        while True:
            self._look_on()
            card = self._open_incident()
            if card is None:
                return
            early.append(f"{card.text('key')} {card.text('title')}")
            if len(early) == _MOST_EARLY:
                raise DrillFailed(f"incidents were declared before anything was broken: {', '.join(early)}")
            self.narrate(f"Dismissed, as nothing is broken yet: {early[-1]}")
            self.client.write("incident/dismiss", incident=card.number("number"), reason=_NOTHING_BROKEN)

    def _look_on(self) -> None:
        began = time.monotonic()
        looks: dict[str, set[str]] = {}
        while time.monotonic() - began < self.baseline_s or not _is_enough(looks):
            if time.monotonic() - began > self.baseline_s + _LEARN_WITHIN_S:
                told = ", ".join(f"{name} {len(times)} times" for name, times in sorted(looks.items()))
                raise DrillFailed(f"too little was seen to know what is normal ({told or 'nothing'})")
            time.sleep(_POLL_S)
            for one in self.client.read("incident/overview").items("services"):
                if not one.flag("external"):
                    # Several checks may look at a service: of a second one look counts.
                    at = {one.text("seen_at")[: len("2026-11-21T03:00:00")]} - {""}
                    looks.setdefault(one.text("name"), set()).update(at)

    def _until(self, look: Callable[[], Reply | None], within_s: float, otherwise: str | Callable[[], str]) -> Reply:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(_POLL_S)
        reason = otherwise if isinstance(otherwise, str) else otherwise()
        raise DrillFailed(f"{reason} within {within_s:.0f} s")

    def _open_incident(self) -> Reply | None:
        cards = self.client.read("incident/overview").items("incidents")
        return cards[0] if cards else None

    def _say_declared(self, card: Reply, began: datetime) -> None:
        after_s = (card.instant("declared_at") - began).total_seconds()
        self.narrate(
            f"{card.text('key')} {card.text('severity')} declared {after_s:.1f} s after the fault: {card.text('title')}"
        )
        self.narrate(f"Look at it: {card.text('url')}")

    def _decided(self, number: int) -> tuple[Reply | None, datetime | None]:
        def look() -> Reply | None:
            view = self.client.read("incident/show", incident=number)
            return view if view.has("proposal") and view.get("proposal").has("plan") else None

        view = self._until(look, _PROPOSE_WITHIN_S, lambda: self._why_no_plan(number))
        proposal = view.get("proposal")
        plan = proposal.get("plan")
        top = view.items("hypotheses")[0]
        self.narrate(f"Likely cause: {top.text('title')} ({percent(top.real('score'))})")
        for fork in proposal.items("path"):
            self.narrate(f"  {fork.text('question')} {fork.text('answer')}: {fork.text('reason')}")
        undone = "reversible" if plan.flag("reversible") else "not reversible"
        self.narrate(f"Proposed: {plan.text('title')} (risk {plan.text('risk')}, {undone})")
        for step in plan.items("steps"):
            self.narrate(f"  {_step(step)}")
        return plan, self._first_at(number, "mitigation.proposed")

    def _look_in_vain(self, number: int) -> None:
        """Wait until the causes are ranked, tell what is said, and let the fault end by itself."""

        def look() -> Reply | None:
            view = self.client.read("incident/show", incident=number)
            return view if view.text("diagnosis") else None

        view = self._until(look, _PROPOSE_WITHIN_S, "the causes were not ranked")
        self.narrate(f"There is no cause to be found. Stanch says: {view.text('diagnosis')}")
        self.narrate(f"Next test: {view.text('next_test')}")
        undo(self.fault, self.shop)
        self.narrate("The fault ends by itself")

    def _approve(self, number: int, plan: Reply) -> dict[str, object] | None:
        name = plan.text("id")
        if plan.items("dry_run"):
            tried = self.client.write("mitigation/dry_run", incident=number, plan=name)
            for action in tried.items("actions"):
                if action.get("plan").text("id") == name:
                    for line in action.text("dry_run").splitlines():
                        self.narrate(f"  dry run: {line.removeprefix('dry run: ')}")

        def is_settled() -> bool:
            return self._state_of(number, name) != "proposed"

        if is_settled():
            self.narrate(f"{plan.text('title')}: {self._state_of(number, name)} by itself")
        elif self.decide(plan.text("title"), is_settled):
            self._say_yes(number, plan, is_settled)
        elif is_settled():
            self.narrate(f"{plan.text('title')}: {self._state_of(number, name)}, decided elsewhere")
        else:
            self.narrate(f"Waiting for somebody to approve a plan: stanch approve INC-{number}, or in the browser")
        return self._until(lambda: self._run_ended(number), self.patience_s, "no plan was run").plain()

    def _say_yes(self, number: int, plan: Reply, is_settled: Callable[[], bool]) -> None:
        try:
            self.client.write("mitigation/approve", incident=number, plan=plan.text("id"), digest=plan.text("digest"))
        except Refused:
            # Two people may say yes at the same time: whoever comes second finds it said.
            if not is_settled():
                raise
        self.narrate("Approved; it runs")

    def _state_of(self, number: int, plan: str) -> str:
        actions = self.client.read("incident/show", incident=number).items("actions")
        return next((one.text("state") for one in actions if one.get("plan").text("id") == plan), "")

    def _run_ended(self, number: int) -> Reply | None:
        view = self.client.read("incident/show", incident=number)
        for action in view.items("actions"):
            if action.text("state") == "proposed" and action.text("not_run"):
                raise DrillFailed(f"{action.get('plan').text('title')} was not run: {action.text('not_run')}")
            if action.text("state") in ("succeeded", "failed", "unknown"):
                if action.text("state") != "succeeded":
                    raise DrillFailed(f"{action.get('plan').text('title')}: {action.text('state')}")
                approvals = action.items("approvals")
                plan = action.get("plan")
                return Reply(
                    {
                        "kind": plan.text("mitigation"),
                        "title": plan.text("title"),
                        "target": plan.text("target"),
                        "approved_by": approvals[0].get("person").text("id") if approvals else "",
                    }
                )
        return None

    def _verified(self, number: int) -> Reply | None:
        view = self.client.read("incident/show", incident=number)
        if view.has("progress") and view.get("progress").get("verification").has("passed_at"):
            return view
        return None

    def _resolved(self, number: int) -> Reply | None:
        """Resolve it; None where a figure broke after it was verified, which is watched on."""
        try:
            return self.client.write("incident/resolve", incident=number)
        except Refused as refused:
            if refused.reason != "http_409" or self._verified(number) is not None:
                raise
            return None

    def _why_not_verified(self) -> str:
        card = self._open_incident()
        if card is None:
            return "the recovery was not verified"
        view = self.client.read("incident/show", incident=card.number("number"))
        failing = view.get("progress").values("failing") if view.has("progress") else ["it was not watched"]
        return f"the recovery was not verified ({'; '.join(str(one) for one in failing)})"

    def _why_no_plan(self, number: int) -> str:
        view = self.client.read("incident/show", incident=number)
        said = view.get("proposal").text("verdict") if view.has("proposal") else view.text("diagnosis")
        return f"no plan was proposed ({said})"

    def _first_at(self, number: int, kind: str) -> datetime | None:
        entries = self.client.read_list("incident/timeline", incident=number)
        return next((entry.instant("at") for entry in entries if entry.text("kind") == kind), None)

    def _keep_postmortem(self, number: int) -> Path:
        written = self.client.read("postmortem/show", incident=number)
        path = self.folder / f"postmortem-{written.text('key')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written.text("markdown"), encoding="utf-8")
        return path

    def _outcome(
        self,
        view: Reply,
        began: datetime,
        proposed_at: datetime | None,
        mitigation: dict[str, object] | None,
        path: Path,
    ) -> Outcome:
        card = view.get("card")
        number = card.number("number")
        truth = fault_named(self.fault).expected
        ranked = view.items("hypotheses")
        known = view.flag("cause_known")
        detected_at = self._first_at(number, "incident.alert_attached") or card.instant("declared_at")
        return Outcome(
            incident=card.text("key"),
            fault=self.fault,
            severity=card.text("severity"),
            detected_after_s=_after(detected_at, began),
            declared_after_s=_after(card.instant("declared_at"), began),
            proposed_after_s=_after(proposed_at, began) if proposed_at else None,
            top_hypothesis=_hypothesis(ranked[0]) if ranked else {},
            mitigation=mitigation,
            verified=view.get("progress").get("verification").has("passed_at"),
            resolved_after_s=_after(card.instant("resolved_at"), began),
            postmortem=str(path),
            url=card.text("url"),
            hypotheses=[_hypothesis(one) for one in ranked[:3]],
            cause_known=known,
            right=_is_right(truth, ranked[0]) if known else not truth.can_be_found,
        )


def _is_enough(looks: Mapping[str, Set[str]]) -> bool:
    """Tell whether each service was seen so often that it is known what is normal for it."""
    return bool(looks) and all(len(times) >= _LEAST_LOOKS for times in looks.values())


def _step(step: Reply) -> str:
    """Return what a step does as a line: a command, or what carries it out and what that is told."""
    if words := step.values("argv"):
        return "$ " + " ".join(str(word) for word in words)
    told = step.get("data").plain()
    # Whom a look has named stands in the dry run, a line each.
    return " ".join(
        [step.text("actuator"), *(f"{key}={value}" for key, value in told.items() if isinstance(value, str))]
    )


def _is_right(truth: Truth, top: Reply) -> bool:
    return truth.is_told_by(kind=top.text("kind"), service=top.text("service"), target=top.text("target"))


def _hypothesis(one: Reply) -> dict[str, object]:
    return {
        "kind": one.text("kind"),
        "title": one.text("title"),
        "service": one.text("service"),
        "target": one.text("target"),
        "change": " ".join(part for part in (one.text("service"), one.text("version")) if part)
        if one.text("change")
        else "",
        "commit": one.text("commit"),
        "culprit": one.text("culprit"),
        "score": round(one.real("score"), 4),
    }


def _after(at: datetime, began: datetime) -> float:
    return round((at - began).total_seconds(), 2)
