"""Which commands to run next: read-only, complete, ready to be copied into a shell, each aimed at this incident. Pure.

Owns the order: what would tell most about the likeliest causes, the change that lies nearest, the code behind the
endpoint, then what the symptom itself asks for. Nothing here is run by Stanch.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from stanch.incidents.state import IncidentState
from stanch.ports.evidence import FindingStatus

MOST: Final = 8
_CAUSES: Final = 3
_CHANGES: Final = 3
# Errors that lead to the symptom are often logged a little before somebody notices.
_BEFORE: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class NextCommand:
    """A command and what it would tell."""

    why: str
    command: str


def next_commands(
    state: IncidentState, *, folder: str, repositories: Mapping[str, str] | None = None
) -> tuple[NextCommand, ...]:
    """Return at most `MOST` commands, the most telling first.

    `repositories` says in which folder the code of a service is kept; what it does not name is kept in `folder`.
    """
    if not state.is_open:
        return ()
    code = _Code(folder=folder, repositories=repositories or {})
    ordered = (*_of_causes(state), *_of_changes(state, code), *_of_endpoint(state, code), *_of_symptom(state))
    found: dict[str, NextCommand] = {}
    for one in (*ordered, *_of_findings(state), *_of_log(state)):
        found.setdefault(one.command, one)
    return tuple(found.values())[:MOST]


@dataclass(frozen=True, kw_only=True)
class _Code:
    """Where code is kept."""

    folder: str
    repositories: Mapping[str, str]

    def git(self, service: str) -> str:
        """Return how git is called on the code of a service."""
        return f"git -C {shlex.quote(self.repositories.get(service) or self.folder)}"


def _of_causes(state: IncidentState) -> Iterator[NextCommand]:
    for one in state.hypotheses[:_CAUSES]:
        # Where only a commit is blamed, reading it comes with the changes; an angle bracket is still to be filled in.
        is_commit = one.commit and not one.version
        if one.next_command and not is_commit and "<the " not in one.next_command:
            yield NextCommand(why=f"{one.next_test or 'Look'}: {one.title}", command=one.next_command)


def _of_changes(state: IncidentState, code: _Code) -> Iterator[NextCommand]:
    ranked = state.changes.changes if state.changes else ()
    commits = [one.change for one in ranked if one.change.commit]
    for change in commits[:_CHANGES]:
        why = f"Read {change.title or change.commit[:10]}"
        # What names no service touched several, which then share a repository: the affected service's.
        git = code.git(change.service or next(iter(state.services), ""))
        yield NextCommand(why=why, command=f"{git} show --stat --patch {change.commit[:10]}")


def _of_endpoint(state: IncidentState, code: _Code) -> Iterator[NextCommand]:
    if state.endpoint and _could_look(state, "git"):
        git = code.git(next(iter(state.services), ""))
        command = f"{git} grep -n -F -e {shlex.quote(state.endpoint)}"
        yield NextCommand(why=f"Find the code behind {state.endpoint}", command=command)


def _of_symptom(state: IncidentState) -> Iterator[NextCommand]:
    match state.symptom:
        case "resource":
            yield NextCommand(
                why="What fills the disks", command="df -h && du -xh --max-depth=2 / | sort -h | tail -20"
            )
            yield NextCommand(why="Who takes the memory", command="ps aux --sort=-%mem | head -15")
        case "latency":
            yield NextCommand(why="What the machine waits for", command="vmstat 1 5")
            yield NextCommand(why="Who takes the time", command="ps aux --sort=-%cpu | head -15")
        case "outage":
            yield NextCommand(why="What listens at all", command="ss -ltnp")
        case _:
            return


def _of_findings(state: IncidentState) -> Iterator[NextCommand]:
    """Yield what shows again the findings that stand out."""
    prefix = f"f{state.round}-"
    for finding in state.findings.values():
        stands_out = any(signal.data.get("raised") for signal in finding.signals)
        if finding.id.startswith(prefix) and finding.command and stands_out:
            yield NextCommand(why=f"Look again: {finding.summary}", command=finding.command)


def _of_log(state: IncidentState) -> Iterator[NextCommand]:
    since = f"{state.started_at - _BEFORE:%Y-%m-%d %H:%M:%S} UTC"
    yield NextCommand(
        why="Errors this machine logged since then",
        command=f"journalctl --no-pager --priority=err --since={shlex.quote(since)}",
    )


def _could_look(state: IncidentState, collector: str) -> bool:
    looks = [one for one in state.findings.values() if one.collector == collector]
    return any(one.status in (FindingStatus.OK, FindingStatus.NO_DATA) for one in looks)
