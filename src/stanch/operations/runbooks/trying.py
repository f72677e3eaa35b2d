"""What trials of runbooks have said, for those who look: beside the runbooks, and as a notice on the overview."""

from collections.abc import Sequence

from stanch.mitigate.runbooks.trials.model import Rot, Trial
from stanch.mitigate.runbooks.trials.tables import find_trials
from stanch.operations.runbooks.views import TrialView
from stanch.store import Transaction


def view_of_trial(trial: Trial) -> TrialView:
    """Return a trial as it is shown."""
    return TrialView(
        runbook=trial.runbook,
        part=trial.part,
        line=trial.line,
        verdict=trial.verdict.value,
        rot=trial.rot.value,
        detail=trial.detail,
        tried_at=trial.tried_at,
        tries=trial.tries,
        held_at=trial.held_at,
    )


def notices_of(trials: Sequence[Trial]) -> tuple[str, ...]:
    """Return what has rotted as sentences, one for each runbook."""
    by_runbook: dict[str, list[Trial]] = {}
    for one in trials:
        if one.rot is not Rot.NONE:
            by_runbook.setdefault(one.runbook, []).append(one)
    return tuple(
        f"Runbook {name} will not work as it is written: {found[0].detail} (line {found[0].line})"
        + (f", and {len(found) - 1} more" if len(found) > 1 else "")
        for name, found in by_runbook.items()
    )


def rot_notices(tx: Transaction) -> tuple[str, ...]:
    """Return what has rotted in the runbooks, as the newest trials say."""
    return notices_of(find_trials(tx.connection, rotten=True))
