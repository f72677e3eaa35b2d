"""The actuator of a revert that is proposed: the branch, pushed, and the pull or merge request for it.

Opened once: the branch and its request are found again. Without a token the branch is pushed all the same, and what a
person has to type is said. A commit's title is somebody else's text: it goes out as data, and into Markdown as code.
"""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from stanch.integrations.git.branching import shown
from stanch.integrations.git.revert import RevertOrder, look_at_revert, revert_problems, run_revert
from stanch.integrations.git.runner import run_git
from stanch.kernel.errors import Refused, StanchError
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out
from stanch.ports.codehost import Access, CodeHost, Proposal

_PUSH: Final = "origin"
_PROJECT: Final = re.compile(r"(?![./-])[\w.-]+(?:/(?![./-])[\w.-]+){1,9}", re.ASCII)
# `git@host:owner/name.git`, where the part after the colon is the project.
_SCP: Final = re.compile(r"[\w.-]+@[\w.-]+:(?P<path>[^\s:]+)", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_TITLE: Final = 200
_LONGEST_LABEL: Final = 50


class RequestActuator:
    """Reverts one commit on a branch, pushes it and opens a request for it. Undone by closing it and deleting both."""

    def __init__(self, host: CodeHost) -> None:
        self._host = host

    @property
    def name(self) -> str:
        """Return the host's name and `.revert`, e.g. `github.revert`."""
        return f"{self._host.name}.revert"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it cannot be done: what speaks against the revert, or a project, URL or variable that is none."""
        order = _order(step)
        if found := revert_problems(order):
            return found
        told = _texts(step)
        if not _PROJECT.fullmatch(project := _project(step, order)):
            found = (*found, f"{project!r} is no project: say it with `project`, as owner/name")
        if (url := told.get("url", "")) and (urlsplit(url).scheme not in ("http", "https") or "@" in url):
            found = (*found, "the URL must begin with http:// or https:// and hold no password")
        if not _VARIABLE.fullmatch(told.get("token_env", "") or self._host.token_env):
            found = (*found, "token_env is no name of a variable")
        if len(told.get("label", "")) > _LONGEST_LABEL:
            found = (*found, f"the label has more than {_LONGEST_LABEL} characters")
        return found

    def look(self, step: Step) -> Outlook:
        """Try the revert where nothing is kept, and say what would be opened; raises `Unavailable`."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        order, access = _order(step), self._access(step)
        outlook = look_at_revert(step, order)
        if outlook.refusal:
            return outlook
        proposal = _proposal(step, order)
        if not access.token:
            return replace(outlook, warnings=(*outlook.warnings, self._without_token(step)))
        try:
            there = self._host.find(proposal, access)
        except Refused as refusal:
            return replace(outlook, refusal=refusal.message)
        if there and there.is_open:
            done = "would be closed" if order.undo else "is there already"
            return replace(outlook, preview=(*outlook.preview, f"#{there.number} {done}: {there.url}"))
        if order.undo:
            return outlook
        url, body = self._host.opening(proposal, access)
        return replace(outlook, preview=(*outlook.preview, f"POST {url}", *map(shown, body.splitlines())))

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Make and push the branch and open the request; with `undo` close and delete; with `dry_run` only try."""
        return carried_out(lambda say: self._run(step, say), emit=emit)

    def _run(self, step: Step, say: Say) -> int:
        if found := self.problems(step):
            say("; ".join(found))
            return 1
        order, access = _order(step), self._access(step)
        proposal = _proposal(step, order)
        if step.data.get("dry_run") is True:
            outlook = self.look(step)
            for line in (*outlook.preview, *(f"note: {one}" for one in outlook.warnings)):
                say(line)
            say(outlook.refusal or "nothing was kept: this was a try")
            return 1 if outlook.refusal else 0
        if order.undo:
            closed = self._close(proposal, access, say) if access.token else True
            return run_revert(step, order, say=say) if closed else 1
        if code := run_revert(step, order, say=say):
            return code
        if not access.token:
            say(f"{self._without_token(step)}:")
            say(self._host.by_hand(proposal))
            return 0
        return self._open(proposal, access, say)

    def _open(self, proposal: Proposal, access: Access, say: Say) -> int:
        try:
            there = self._host.find(proposal, access)
            if there and there.is_open:
                say(f"#{there.number} is there already: {there.url}")
                return 0
            opened, trouble = self._host.open(proposal, access)
        except StanchError as error:
            say(f"the branch is pushed, but its request could not be opened: {error.message}. By hand:")
            say(self._host.by_hand(proposal))
            return 1
        say(f"#{opened.number} opened: {opened.url}")
        if trouble:
            say(trouble)
        return 0

    def _close(self, proposal: Proposal, access: Access, say: Say) -> bool:
        try:
            there = self._host.find(proposal, access)
            if there and there.is_open:
                self._host.close(proposal, there, access)
                say(f"#{there.number} closed")
        except StanchError as error:
            say(f"its request could not be closed, so the branch stays: {error.message}")
            return False
        return True

    def _access(self, step: Step) -> Access:
        told = _texts(step)
        token = os.environ.get(told.get("token_env", "") or self._host.token_env, "").strip()
        return Access(url=told.get("url", ""), token=token, timeout_s=min(step.timeout_s, 15.0))

    def _without_token(self, step: Step) -> str:
        variable = _texts(step).get("token_env", "") or self._host.token_env
        return f"without a token in {variable} the branch is pushed and a person opens the request"


def _order(step: Step) -> RevertOrder:
    return RevertOrder.of(step, push=_PUSH)


def _proposal(step: Step, order: RevertOrder) -> Proposal:
    told = _texts(step)
    incident = shown(told.get("incident", "")).strip()
    title = run_git(order.repository, "show", "--no-patch", "--format=%s", order.commit).text
    title = shown(title.strip()) or order.commit[:10]
    full = run_git(order.repository, "rev-parse", f"{order.commit}^{{commit}}").text.strip()
    for_incident = f" ({incident})" if incident else ""
    # Between backticks nothing is Markdown, a mention or a link; those of the title itself would end it.
    quoted = title.replace("`", "'")
    why = f", to mitigate {incident}" if incident else ""
    body = (
        f"Takes back {full} on `{order.base}`{why}.\n\n"
        f"Its title: `{quoted}`\n\n"
        "Made by Stanch from a plan that was approved. Please review the difference before merging: what was built on "
        "top of the commit stays.\n"
    )
    return Proposal(
        project=_project(step, order),
        source=order.branch,
        target=order.base,
        title=f'Revert "{title[:_LONGEST_TITLE]}"{for_incident}',
        body=body,
        label=told.get("label", ""),
    )


def _project(step: Step, order: RevertOrder) -> str:
    """Return the project that is told, else the one that the remote's URL names, empty when it names none."""
    if told := _texts(step).get("project", ""):
        return told
    url = run_git(order.repository, "remote", "get-url", order.push).text.strip()
    found = _SCP.fullmatch(url)
    path = found["path"] if found else urlsplit(url).path
    return path.strip("/").removesuffix(".git")


def _texts(step: Step) -> dict[str, str]:
    return {name: value for name, value in step.data.items() if isinstance(value, str)}
