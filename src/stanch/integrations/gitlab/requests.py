"""Merge requests of GitLab: found, opened with a label, closed. https://docs.gitlab.com/api/merge_requests/"""

import json
import shlex
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import httpx2

from stanch.kernel.errors import Conflict, Invalid, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_json
from stanch.kernel.redaction import redact
from stanch.ports.bounded import bounds
from stanch.ports.codehost import Access, Proposal, Request

URL: Final = "https://gitlab.com/api/v4"
_LONGEST_SAID: Final = 300


class GitLabRequests:
    """The code host port on GitLab, also one of one's own."""

    @property
    def name(self) -> str:
        """Return `gitlab`."""
        return "gitlab"

    @property
    def token_env(self) -> str:
        """Return `GITLAB_TOKEN`."""
        return "GITLAB_TOKEN"

    def find(self, proposal: Proposal, access: Access) -> Request | None:
        """Return the newest merge request of the branch, an open one first."""
        query = urlencode(
            {"source_branch": proposal.source, "target_branch": proposal.target, "state": "all", "per_page": "30"}
        )
        answer = _call("GET", f"{_merge_requests(proposal, access)}?{query}", access)
        found = [_request(one) for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        return next((one for one in found if one.is_open), found[0] if found else None)

    def open(self, proposal: Proposal, access: Access) -> tuple[Request, str]:
        """Open a merge request; that it is there already, from a moment ago, is no failure."""
        url, body = self.opening(proposal, access)
        try:
            answer = _call("POST", url, access, json.loads(body))
        except Conflict:
            if (there := self.find(proposal, access)) is None:
                raise
            return there, ""
        if not isinstance(answer, dict):
            raise Unavailable("GitLab answered no merge request", retry=False)
        return _request(answer), ""

    def close(self, proposal: Proposal, request: Request, access: Access) -> None:
        """Close it without merging."""
        _call("PUT", f"{_merge_requests(proposal, access)}/{request.number}", access, {"state_event": "close"})

    def opening(self, proposal: Proposal, access: Access) -> tuple[str, str]:
        """Return the URL and the JSON body of `POST /projects/:id/merge_requests`."""
        body: dict[str, JSON] = {
            "source_branch": proposal.source,
            "target_branch": proposal.target,
            "title": proposal.title,
            "description": proposal.body,
            "remove_source_branch": True,
        }
        if proposal.label:
            # Several are separated by commas there, so that of one label they become something else.
            body["labels"] = proposal.label.replace(",", " ")
        return _merge_requests(proposal, access), json.dumps(body, indent=1, ensure_ascii=False)

    def by_hand(self, proposal: Proposal) -> str:
        """Return the command of the GitLab CLI."""
        label = ["--label", proposal.label] if proposal.label else []
        return shlex.join(
            [
                *("glab", "mr", "create", "--repo", proposal.project, "--source-branch", proposal.source),
                *("--target-branch", proposal.target, "--title", proposal.title),
                *("--description", proposal.body, *label),
            ]
        )


def _merge_requests(proposal: Proposal, access: Access) -> str:
    return f"{(access.url or URL).rstrip('/')}/projects/{quote(proposal.project, safe='')}/merge_requests"


def _call(method: str, url: str, access: Access, body: Mapping[str, JSON] | None = None) -> JSON:
    """Send one request and return its answer. Raises `Unavailable`, `Refused`, or `Conflict` when it is there."""
    headers = {"Accept": "application/json", "PRIVATE-TOKEN": access.token, "User-Agent": "stanch"}
    try:
        # Over plain HTTP there is nothing to verify, and to read the certificates takes a while.
        verify = url.startswith("https:")
        with httpx2.Client(
            timeout=access.timeout_s, follow_redirects=False, verify=verify, event_hooks=bounds()
        ) as client:
            answer = client.request(method, url, headers=headers, json=body)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(f"GitLab does not answer: {type(error).__name__}", retry=True) from None
    try:
        found = read_json(answer.content) if answer.content else None
    except Invalid:
        found = None
    if answer.is_success:
        return found
    said = redact(
        str(found.get("message") or found.get("error")) if isinstance(found, dict) else "nothing that can be read"
    )
    said = said[:_LONGEST_SAID]
    if answer.status_code == 409:
        raise Conflict(f"GitLab says that it is there already: {said}")
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unavailable(f"GitLab answered {answer.status_code}: {said}", retry=True)
    raise Refused(f"GitLab answered {answer.status_code}: {said}", reason="denied")


def _request(one: Mapping[str, JSON]) -> Request:
    number, url = one.get("iid"), one.get("web_url")
    if not isinstance(number, int) or not isinstance(url, str):
        raise Unavailable("GitLab answered no merge request", retry=False)
    return Request(number=number, url=redact(url), is_open=one.get("state") == "opened")
