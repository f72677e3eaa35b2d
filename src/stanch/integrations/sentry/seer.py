"""Reads what Seer, Sentry's own analysis, says of an issue: both shapes of its state, and its webhook. Pure.

The newer state has `blocks` whose artifacts are those of the webhook, with a status in lower case; the older one has
`steps` and a status in upper case (https://docs.sentry.io/api/seer/). A word that is not known counts as running. All
of it is somebody else's text: it is cut and cleaned here, and what it says is a claim.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.issues import Analysis, AnalysisLimits, AnalysisNews, Stage, line
from stanch.ports.query import SystemSpec

LIMITS: Final = {"context": 1_000}
_MOST_LINES: Final = 8
_OVER: Final = frozenset({"completed", "awaiting_user_input", "need_more_information"})
_FAILED: Final = frozenset({"error", "errored", "cancelled"})


def settings_of(spec: SystemSpec) -> AnalysisLimits:
    """Return what Seer may cost, by the settings of a system."""
    return AnalysisLimits(
        runs_per_incident=int(spec.settings.get("seer_per_incident", "1")),
        runs_per_day=int(spec.settings.get("seer_per_day", "5")),
        wait_s=float(spec.settings.get("seer_wait_s", "900")),
    )


def read_analysis(answer: JSON) -> Analysis:
    """Return the analysis in an answer of the API; one that cannot be understood has failed, and says why."""
    state = answer.get("autofix") if isinstance(answer, dict) else None
    if not isinstance(state, dict):
        return Analysis(stage=Stage.NONE)
    try:
        return _state(JsonObject(state))
    except Invalid as error:
        return Analysis(stage=Stage.FAILED, detail=line(f"Seer's answer cannot be understood: {error.message}"))


def read_news(action: str, data: JsonObject) -> AnalysisNews | None:
    """Return what a webhook tells; None for what says neither a cause nor a solution."""
    found = Analysis(stage=Stage.COMPLETED, run=data.text("run_id"))
    found = _with_cause(found, data.object("root_cause"))
    found = _with_solution(found, data.object("solution"))
    issue = data.text("group_id")
    if not action.endswith("_completed") or not issue or not found.says_something:
        return None
    if action.startswith("root_cause"):
        # The solution is still to come, and is waited for.
        found = replace(found, stage=Stage.RUNNING)
    return AnalysisNews(issue=issue, analysis=found)


def _state(state: JsonObject) -> Analysis:
    word = state.text("status").lower()
    stage = Stage.COMPLETED if word in _OVER else Stage.FAILED if word in _FAILED else Stage.RUNNING
    found = Analysis(stage=stage, run=state.text("run_id"))
    for block in state.objects("blocks"):
        for artifact in block.objects("artifacts"):
            match artifact.text("key"):
                case "root_cause":
                    found = _with_cause(found, artifact.object("data"))
                case "solution":
                    found = _with_solution(found, artifact.object("data"))
    for step in state.objects("steps"):
        match step.text("key"):
            case "root_cause_analysis":
                found = _with_old_cause(found, step)
            case "solution":
                found = _with_old_solution(found, step)
    if stage is Stage.FAILED:
        found = replace(found, detail=line(state.text("error_message") or f"Seer ended with {word}"))
    return found


def _with_cause(found: Analysis, data: JsonObject) -> Analysis:
    said = data.text("one_line_description")
    if not said:
        return found
    return replace(
        found,
        cause=line(said),
        whys=_lines(data.words("five_whys")),
        reproduction=_lines(data.words("reproduction_steps")),
        repository=line(data.text("relevant_repo")),
    )


def _with_solution(found: Analysis, data: JsonObject) -> Analysis:
    said = data.text("one_line_summary")
    return replace(found, solution=line(said), steps=_steps(data.objects("steps"))) if said else found


def _with_old_cause(found: Analysis, step: JsonObject) -> Analysis:
    causes = step.objects("causes")
    if not causes:
        return found
    first = causes[0]
    repositories = first.words("relevant_repos")
    return replace(
        found,
        cause=line(first.text("description")),
        reproduction=_lines([one.text("title") for one in first.objects("root_cause_reproduction")]),
        repository=line(repositories[0]) if repositories else "",
    )


def _with_old_solution(found: Analysis, step: JsonObject) -> Analysis:
    said = step.text("description")
    told = step.data.get("solution")
    steps = _steps(step.objects("solution")) if isinstance(told, list) else ()
    if not said and steps:
        said = steps[0]
    return replace(found, solution=line(said), steps=steps) if said else found


def _steps(steps: Sequence[JsonObject]) -> tuple[str, ...]:
    return _lines([": ".join(part for part in (one.text("title"), one.text("description")) if part) for one in steps])


def _lines(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(told for text in texts[:_MOST_LINES] if (told := line(text)))
