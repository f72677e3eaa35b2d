"""Clues about a change: when it came, where, and whether the errors point into what it touched."""

import re
from datetime import timedelta
from typing import Final

from stanch.diagnose.clues.clue import Clue, findings_of
from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.origin import origins, own_errors, troubles
from stanch.diagnose.picture import Picture, is_running
from stanch.diagnose.wording import change_name, clock, distance, place
from stanch.ports.changes import Change, ChangeKind

# How fast the suspicion of a change fades with the time between it and the onset. Most regressions show at once or
# at the next peak of load; the figures are judgement, to be calibrated.
_FADING: Final = (
    (timedelta(minutes=2), 1.0),
    (timedelta(minutes=15), 0.7),
    (timedelta(hours=1), 0.4),
    (timedelta(hours=6), 0.15),
)
_ONSET_ONLY_TOLD: Final = 0.5
"""Share of a timing's weight where nothing measured shows when the trouble began."""
_CLOCK_SLACK: Final = timedelta(seconds=5)
_AT_ONCE: Final = timedelta(seconds=3)
_NEAR: Final = timedelta(minutes=30)
_INERT: Final = re.compile(
    r"(?:^|/)(?:docs?|documentation|tests?|spec|examples?|\.github|\.gitlab)/|(?:^|/)(?:README|CHANGELOG|LICENSE|OWNERS|CODEOWNERS)"
    r"|\.(?:md|rst|adoc|png|svg|jpg)$|(?:^|/)test_[^/]*$|_test\.\w+$",
    re.IGNORECASE,
)
_INDEX: Final = re.compile(r"\b(?:DROP|ALTER)\s+INDEX\b|\bdrop_index\b|\bremove_index\b", re.IGNORECASE)


def is_inert(path: str) -> bool:
    """Tell whether a file cannot change what a service does: documentation, tests, pictures."""
    return _INERT.search(path) is not None


def _is_inert_change(change: Change) -> bool:
    if change.paths:
        return all(is_inert(path) for path in change.paths)
    return bool(change.previous) and change.data.get("commits") == []


def touches(change: Change, file: str) -> str:
    """Return the touched path that a stack frame's file is, by their common end; empty when there is none.

    A frame names the file where it is installed, a diff where it lies in the repository, so one must end with the
    other, at a folder's border, and a bare file name is enough only where the path has no folder.
    """
    shown = file.replace("\\", "/").lstrip("./")
    for path in change.paths:
        longer, shorter = (shown, path) if len(shown) >= len(path) else (path, shown)
        if longer == shorter or (longer.endswith(f"/{shorter}") and ("/" in shorter or "/" not in path)):
            return path
    return ""


def same_service_changes(picture: Picture, service: str) -> list[Change]:
    """Return the changes to what runs of a service shortly before the onset, inert ones left out, oldest first."""
    return [
        change
        for change in picture.changes
        if change.service in ("", service)
        and is_running(change)
        and not picture.after_onset(change)
        and picture.lead(change) <= _NEAR
        and not _is_inert_change(change)
    ]


def _just_before(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    if change is None:
        return None
    lead = picture.lead(change)
    cited = picture.finding_of(change)
    if picture.after_onset(change):
        return Sighting(holds=False, findings=cited, words={"lead": distance(lead), "at": clock(change.at)})
    strength = next((weight for within, weight in _FADING if lead <= within), 0.0)
    if not origins(picture):
        strength *= _ONSET_ONLY_TOLD
    when = f"{distance(lead)} before the trouble began" if lead > _AT_ONCE else "as the trouble began"
    return Sighting(holds=True, findings=cited, strength=strength, words={"lead": when, "at": clock(change.at)})


def _at_origin(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    found = origins(picture)
    if change is None or not change.service or not found:
        return None
    where = ", ".join(origin.service for origin in found)
    own = next((origin for origin in found if origin.service == change.service), None)
    if own is not None:
        return Sighting(holds=True, findings=own.findings, words={"origin": own.text})
    cited = tuple(dict.fromkeys(finding for origin in found for finding in origin.findings))
    near = any(picture.graph.on_path(change.service, origin.service) for origin in found)
    # A caller can break its callee by what it sends, a callee its caller by what it returns: unlikely, not absurd.
    strength = 0.4 if near else 1.0
    how = "calls or is called by it, but is not where it starts" if near else "is not on its path"
    return Sighting(
        holds=False,
        findings=cited,
        strength=strength,
        words={"origin": f"trouble starts in {where}; {change.service} {how}"},
    )


def _own_groups(picture: Picture, candidate: Candidate) -> list[Fact]:
    """Return the error groups that may be held against a change: those of a service where trouble starts."""
    change = candidate.change
    if change is None:
        return []
    places = {origin.service for origin in origins(picture)}
    if change.service:
        return own_errors(picture, change.service) if change.service in places else []
    return [fact for place in sorted(places) for fact in own_errors(picture, place)]


def _new_since(picture: Picture, candidate: Candidate) -> Sighting | None:
    # Without a look at the time before, an error cannot be called new.
    change, groups = (
        candidate.change,
        [fact for fact in _own_groups(picture, candidate) if fact.signal.normal is not None],
    )
    if change is None or not groups:
        return None
    # First seen after the change is new, though it be before the onset: one that people report is told too late.
    fresh = [fact for fact in groups if fact.signal.at is not None and fact.signal.at >= change.at - _CLOCK_SLACK]
    shown = (fresh or groups)[0]
    since = clock(shown.signal.at) if shown.signal.at else "an unknown time"
    words = {"error": shown.signal.text, "since": since, "count": f"{shown.value:,.0f}"}
    return Sighting(holds=bool(fresh), findings=(shown.finding,), words=words)


def _only_in_version(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    if change is None or not change.version:
        return None
    for fact in _own_groups(picture, candidate):
        versions = [str(each) for each in _listed(fact, "versions")]
        if versions:
            words = {"error": fact.signal.text, "versions": ", ".join(versions)}
            # A release is `3.2.1` to one source and the tag `v3.2.1` to another.
            same = {one.removeprefix("v") for one in versions} == {change.version.removeprefix("v")}
            return Sighting(holds=same, findings=(fact.finding,), words=words)
    return None


def _trace_in_change(picture: Picture, candidate: Candidate) -> Sighting | None:
    change, groups = candidate.change, _own_groups(picture, candidate)
    if change is None or not change.paths:
        return None
    traced = [fact for fact in groups if fact.signal.data.get("culprit")]
    for fact in traced:
        culprit = str(fact.signal.data["culprit"])
        path = touches(change, culprit.split(":", 1)[0].split(" in ", 1)[0])
        if path:
            return Sighting(
                holds=True, findings=(fact.finding,), words={"culprit": _short(culprit, path), "path": path}
            )
    for fact in traced:
        path = next((hit for file in _listed(fact, "files") if (hit := touches(change, str(file)))), "")
        if path:
            words = {"culprit": place(str(fact.signal.data["culprit"])), "path": path}
            return Sighting(holds=True, findings=(fact.finding,), strength=0.5, words=words)
    if not traced:
        return None
    words = {"culprit": place(str(traced[0].signal.data["culprit"])), "path": ", ".join(change.paths[:3])}
    return Sighting(holds=False, findings=findings_of(traced[:1]), words=words)


def _touches_no_code(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    if change is None:
        return None
    if not change.paths and change.data.get("commits") == [] and change.previous:
        # The version before may be one the repository does not know; then this says less.
        words = {"paths": f"no commit between {change.previous} and {change.version} touches {change.service}"}
        return Sighting(holds=True, findings=picture.finding_of(change), strength=0.7, words=words)
    if not change.paths:
        return None
    inert = all(is_inert(path) for path in change.paths)
    return Sighting(holds=inert, findings=picture.finding_of(change), words={"paths": ", ".join(change.paths[:3])})


def _not_known_to_run(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    if change is None or change.kind not in (ChangeKind.COMMIT, ChangeKind.TAG):
        return None
    return Sighting(holds=True, findings=picture.finding_of(change))


def _superseded(picture: Picture, candidate: Candidate) -> Sighting | None:
    change = candidate.change
    if change is None:
        return None
    later = [
        other
        for other in picture.changes
        if other.kind is change.kind
        and other.service == change.service
        and other.at > change.at
        and not picture.after_onset(other)
        and is_running(other)
    ]
    if not later:
        return None
    return Sighting(
        holds=True, findings=picture.finding_of(later[-1]), words={"later": later[-1].version or later[-1].title}
    )


def _drops_index(picture: Picture, candidate: Candidate) -> Sighting | None:
    near = [candidate.change] if candidate.change else same_service_changes(picture, candidate.service)
    known = [change for change in near if change.diff]
    if not known:
        return None
    hit = next((change for change in known if _INDEX.search(change.diff)), None)
    shown = hit or known[-1]
    return Sighting(
        holds=hit is not None, findings=picture.finding_of(shown), words={"which": shown.version or shown.title}
    )


def _unexplained_by_change(picture: Picture, candidate: Candidate) -> Sighting | None:
    """Nothing that runs was changed shortly before; only meaningful where changes were looked at."""
    if not picture.changes_looked_at and not picture.change_findings:
        return None
    near = same_service_changes(picture, candidate.service)
    wrong = troubles(picture)
    if not near:
        near = [
            change
            for place in sorted(wrong)
            if place in picture.graph.downstream(candidate.service)
            for change in same_service_changes(picture, place)
        ]
    if not near:
        cited = (picture.changes_looked_at, *picture.change_findings.values())
        return Sighting(holds=True, findings=tuple(each for each in cited if each)[:1])
    return Sighting(
        holds=False,
        findings=picture.finding_of(near[-1]),
        words={"near": change_name(near[-1])},
    )


def _short(culprit: str, path: str) -> str:
    """Name the file of a frame as the repository does, without the place where it is installed."""
    file = culprit.split(":", 1)[0].split(" in ", 1)[0]
    return path + culprit.removeprefix(file) if len(path) <= len(file) else culprit


def _listed(fact: Fact, name: str) -> list[object]:
    found = fact.signal.data.get(name)
    return list(found) if isinstance(found, list | tuple) else []


CLUES: Final = (
    Clue(
        name="change_just_before",
        look=_just_before,
        says="{change} came {lead}, at {at}",
        denies="{change} came {lead} after the trouble had begun, at {at}",
    ),
    Clue(
        name="change_at_origin",
        look=_at_origin,
        says="it is the service where the trouble starts: {origin}",
        denies="{origin}",
        test="Find out in which service the failures start",
    ),
    Clue(
        name="errors_new_since_change",
        look=_new_since,
        says="{error}: {count} times since {since}, not seen before {change}",
        denies="{error} was there before {change}, since {since}",
        test="Read the log of {service}: is there an error that was never seen before {change}?",
    ),
    Clue(
        name="errors_only_in_version",
        look=_only_in_version,
        says="{error}: only in version {versions}",
        denies="{error}: in versions {versions}, so not in the new one alone",
        test="Count the errors of {service} by version",
    ),
    Clue(
        name="trace_in_change",
        look=_trace_in_change,
        says="the stack trace ends at {culprit}, and {change} touched {path}",
        denies="the stack trace ends at {culprit}, and {change} touched only {path}",
        test="Does the stack trace point into a file that {change} touched?",
    ),
    Clue(
        name="change_touches_no_code",
        look=_touches_no_code,
        says="{change} touched nothing that runs: {paths}",
        denies="{change} touched code: {paths}",
        test="Look at what {change} touched",
    ),
    Clue(
        name="not_known_to_run",
        look=_not_known_to_run,
        says="nothing tells that {change} was deployed",
        denies="",
    ),
    Clue(
        name="superseded",
        look=_superseded,
        says="{later} replaced it before the trouble began",
        denies="",
    ),
    Clue(
        name="drops_index",
        look=_drops_index,
        says="{which} drops or alters an index",
        denies="{which} leaves the indexes alone",
        test="Does a recent migration of {service} drop an index?",
    ),
    Clue(
        name="no_change_near",
        look=_unexplained_by_change,
        says="nothing that runs in {service} or below it was changed in the half hour before",
        denies="{near} came shortly before, and would explain it too",
        test="List the changes to {service} in the hour before",
    ),
)
