"""What carries actions out: every actuator of this process, by its name."""

from pathlib import Path

from stanch.app.systems import Systems
from stanch.integrations.command import CommandActuator
from stanch.integrations.docker import DockerActuator
from stanch.integrations.flags import FlagActuator, Flagd, LaunchDarkly, TemplatedFlags, Unleash
from stanch.integrations.git import FileOnBranch, HotfixActuator, RequestActuator, RevertActuator
from stanch.integrations.github import GitHubRequests
from stanch.integrations.gitlab import GitLabRequests
from stanch.integrations.http import HttpActuator
from stanch.integrations.kubernetes.acting import kubernetes_actuators
from stanch.integrations.program import LocalPrograms
from stanch.integrations.sessions import KillSessions
from stanch.integrations.statements import StatementActuator, StatementSystem
from stanch.integrations.systemd import SystemdActuator
from stanch.ports.actuator import Actuator
from stanch.ports.keeping import Keeping


def open_actuators(systems: Systems, *, programs: tuple[str, ...] = ()) -> dict[str, Actuator]:
    """Return the actuators by name; connects to nothing."""
    found: list[Actuator] = [CommandActuator(programs), RevertActuator(), HotfixActuator(), HttpActuator()]
    found += [RequestActuator(host) for host in (GitHubRequests(), GitLabRequests())]
    found += [FlagActuator(one) for one in (TemplatedFlags(), LaunchDarkly(), Unleash(), Flagd(_file_on_branch))]
    found += [KillSessions(f"{kind}.kill", servers) for kind, servers in systems.sessions.items()]
    allowed = {
        name: StatementSystem(server=server, allowed=rules) for name, (server, rules) in systems.statements.items()
    }
    found.append(StatementActuator(allowed))
    found += kubernetes_actuators(systems.clusters, programs=LocalPrograms())
    found += [SystemdActuator(programs=LocalPrograms()), DockerActuator()]
    return {one.name: one for one in found}


def _file_on_branch(clone: Path, path: str, branch: str, remote: str) -> Keeping:
    return FileOnBranch(clone, path=path, branch=branch, remote=remote)
