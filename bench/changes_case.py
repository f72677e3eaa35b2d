"""Turns a case of the change benchmark into the records that `rank_changes` takes, and its ranking into an answer.

What a live investigation gets from its collectors comes from files here: alert, metrics, traces, commits, deploys.
"""

import csv
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from stanch.diagnose.changes.model import Change, ChangeKind, Evidence, Message, Mover, Start
from stanch.diagnose.changes.rank import first_failing, rank_changes
from stanch.diagnose.logs.compare import ChangeKind as ChangeKindOfTemplate
from stanch.diagnose.logs.counts import TemplateCounts
from stanch.diagnose.logs.model import Level
from stanch.diagnose.logs.records import parse_line
from stanch.diagnose.metrics.onset import Direction, Onset, estimate_onset


def _load(case: Path, name: str) -> list[dict[str, object]]:
    path = case / name
    return json.loads(path.read_text()) if path.exists() else []


def _when(text: object) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))


def answer(case_dir: str) -> dict[str, object]:
    """Return the answer of one case in the form the scorer takes."""
    case = Path(case_dir)
    alert = json.loads((case / "alert.json").read_text())
    fired = _when(alert["fired_at"])
    symptom = str(alert["service"])
    movers = _movers(case, fired)
    graph = _graph(case)
    timed = [mover.at for mover in movers if mover.at is not None]
    began = min(timed, default=fired)
    messages = [*_messages(case, alert), *_spoken(case, began)]
    evidence = Evidence(movers=tuple(movers), messages=tuple(messages), usual=tuple(_usual(case)))
    first = first_failing(movers, graph, symptom=symptom, messages=messages)
    ranked = rank_changes(
        _changes(case),
        onset=Start(at=began, low=began, high=fired),
        symptom_service=symptom,
        graph=graph,
        evidence=evidence,
        first_service=first,
    )
    commits = list(dict.fromkeys(_commit(entry.change) for entry in ranked))
    moved = {mover.service for mover in movers} - {first}
    return {
        "commits": commits,
        "first_failing_service": first,
        "blast_radius": sorted(moved),
        "remediation": "rollback" if commits[0] != "none" else "failover",
        "why": [
            (entry.title, round(entry.score, 2), [(reason.text, round(reason.weight, 2)) for reason in entry.reasons])
            for entry in ranked[:4]
        ],
    }


def _commit(change: Change | None) -> str:
    return change.commit if change is not None and change.commit else "none"


def _changes(case: Path) -> list[Change]:
    deploys = sorted(_load(case, "deploys.json"), key=lambda deploy: str(deploy["timestamp"]))
    by_commit = {str(deploy["commit_sha"]): deploy for deploy in deploys}
    found = []
    for commit in _load(case, "commits.json"):
        sha, at = str(commit["sha"]), _when(commit["timestamp"])
        own = by_commit.get(sha)
        paths = tuple(str(path) for path in commit["files_changed"])  # type: ignore[attr-defined]
        owner = str(own["service"]) if own else _owner(paths, deploys)
        deploy = own or _carrier(at, owner, deploys)
        found.append(
            Change(
                id=sha,
                at=_when(deploy["timestamp"]) if deploy else at,
                kind=ChangeKind.DEPLOY,
                service=owner,
                version=str(deploy.get("version", "")) if deploy else "",
                commit=sha,
                paths=paths,
                title=str(commit["message"]),
                author=str(commit["author"]),
                diff=str(commit["diff"]) if commit["diff"] else None,
                live=deploy is not None,
            )
        )
    for number, flag in enumerate(_load(case, "flags.json")):
        found.append(
            Change(
                id=f"flag-{number}",
                at=_when(flag["timestamp"]),
                kind=ChangeKind.FLAG,
                service=str(flag["service"]),
                title=f"flag {flag['flag']} {flag['change']}",
            )
        )
    return found


def _owner(paths: tuple[str, ...], deploys: list[dict[str, object]]) -> str:
    """Return the service whose name is a folder of the paths, as a catalog's source paths would say."""
    services = {str(deploy["service"]) for deploy in deploys}
    for service in sorted(services):
        bare = service.removesuffix("service").strip("-")
        if any(part in (service, bare) for path in paths for part in path.split("/")):
            return service
    return ""


def _carrier(at: datetime, owner: str, deploys: list[dict[str, object]]) -> dict[str, object] | None:
    """Return the first deploy of the owner after the commit: a deploy carries all that was merged before it."""
    return next((deploy for deploy in deploys if deploy["service"] == owner and _when(deploy["timestamp"]) >= at), None)


def _movers(case: Path, fired: datetime) -> list[Mover]:
    series: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with (case / "metrics.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            series[row["service"], row["metric"]].append((_when(row["timestamp"]).timestamp(), float(row["value"])))
    found = []
    for (service, metric), points in sorted(series.items()):
        times, values = np.array([t for t, _ in points]), np.array([v for _, v in points])
        onset: Onset | None = estimate_onset(times, values)
        if onset is not None and onset.at <= fired.timestamp() + 600:
            at, rose = datetime.fromtimestamp(onset.at, UTC), onset.direction is Direction.UP
            found.append(Mover(service=service, what=metric, at=at, rose=rose))
    return found


def _messages(case: Path, alert: dict[str, object]) -> list[Message]:
    found = [Message(service=str(alert["service"]), text=str(alert["summary"]), count=3)]
    for pattern in _load(case, "patterns.json"):
        delta = int(str(pattern["delta_vs_baseline"]))
        if delta > 0 and delta >= 0.5 * int(str(pattern["count"])) and "feature flag" not in str(pattern["signature"]):
            found.append(Message(service=str(pattern["service"]), text=str(pattern["signature"]), count=delta))
    for span in _load(case, "traces.json"):
        if span.get("status") == "ERROR":
            attributes = span.get("attributes")
            values = [
                str(value) for key, value in span.items() if key not in ("trace_id", "span_id", "parent_id", "start")
            ]
            if isinstance(attributes, dict):
                values += [str(value) for value in attributes.values()]
            found.append(Message(service=str(span["service"]), text=" ".join(values), count=2))
    return found


def _spoken(case: Path, began: datetime) -> list[Message]:
    """Return the templates that are new or spike from the start on, as the product finds them in any log."""
    counts = TemplateCounts()
    with (case / "logs.ndjson").open() as handle:
        for line in handle:
            record = parse_line(line)
            if record is not None and record.level not in (Level.INFO, Level.DEBUG):
                counts.add(record)
    hour = timedelta(hours=1)
    return [
        Message(service=service, text=change.sample, count=change.after)
        for service, changes in counts.changes(began, before=3 * hour, after=hour).items()
        for change in changes
        if change.kind in (ChangeKindOfTemplate.NEW, ChangeKindOfTemplate.SPIKING)
    ]


def _usual(case: Path) -> list[str]:
    return [
        str(pattern["signature"])
        for pattern in _load(case, "patterns.json")
        if abs(int(str(pattern["delta_vs_baseline"]))) < 0.5 * int(str(pattern["count"]))
    ]


def _graph(case: Path) -> dict[str, set[str]]:
    spans = _load(case, "traces.json")
    service = {(span["trace_id"], span["span_id"]): str(span["service"]) for span in spans}
    graph: dict[str, set[str]] = defaultdict(set)
    for span in spans:
        parent = service.get((span["trace_id"], span["parent_id"]))
        if parent is not None and parent != span["service"]:
            graph[parent].add(str(span["service"]))
    return dict(graph)
