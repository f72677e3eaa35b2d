"""The operation that drafts a silence from alerts that somebody picked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.alerts.board.keeping.tables import find_unplaced
from stanch.alerts.board.model import outside_ref, own_labels
from stanch.alerts.intake.matchers import Matcher, Op
from stanch.alerts.tables import get_alert
from stanch.kernel.errors import Invalid
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.store import Transaction

_MOST: Final = 200
# So many values of one label are named one by one; with more, what they share is all that the draft says.
_MOST_VALUES: Final = 20


@dataclass(frozen=True, kw_only=True)
class DraftSilence:
    """The alerts to keep quiet, by their ids."""

    alerts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SilenceDraft:
    """Matchers that select all of the alerts, as narrow as their labels allow. `left_out` are not there any more."""

    matchers: str
    left_out: tuple[str, ...] = ()


@operation("silence.draft", effect=Effect.READ, example={"alerts": ["x1", "x2"]})
def draft(call: Call, request: DraftSilence) -> SilenceDraft:
    """Draft the matchers of a silence for some alerts."""
    if not 1 <= len(request.alerts) <= _MOST:
        raise Invalid(f"name 1 to {_MOST} alerts", field="alerts")
    labels: list[Mapping[str, str]] = []
    left_out: list[str] = []
    with call.world.store.reading() as view:
        for id in dict.fromkeys(request.alerts):
            found = _labels(view, id, now=call.now)
            if found is None:
                left_out.append(id)
            else:
                labels.append(found)
    matchers = common_matchers(labels)
    return SilenceDraft(matchers=", ".join(str(one) for one in matchers), left_out=tuple(left_out))


def _labels(view: Transaction, id: str, *, now: datetime) -> Mapping[str, str] | None:
    ref = outside_ref(id)
    if ref is not None:
        outside = find_unplaced(view.connection, ref, now=now)
        return outside.labels if outside is not None else None
    own = get_alert(view.connection, id)
    return own_labels(own) if own is not None else None


def common_matchers(many: Sequence[Mapping[str, str]]) -> list[Matcher]:
    """Return matchers that match all of these label sets: the labels they share, and of others the values there are.

    Worked: `{a=1, b=x}` and `{a=1, b=y}` give `a="1", b=~"x|y"`.
    """
    if not many:
        return []
    found = []
    for name in sorted(set.intersection(*(set(labels) for labels in many))):
        values = sorted({labels[name] for labels in many})
        if len(values) == 1:
            found.append(Matcher(name=name, value=values[0]))
        elif len(values) <= _MOST_VALUES:
            found.append(Matcher(name=name, op=Op.REGEX, value="|".join(re.escape(value) for value in values)))
    return found
