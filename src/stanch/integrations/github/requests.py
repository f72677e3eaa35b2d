"""Pull requests of GitHub: found, opened with a label, closed.

https://docs.github.com/en/rest/pulls/pulls and https://docs.github.com/en/rest/issues/labels
"""

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

URL: Final = "https://api.github.com"
_LONGEST_SAID: Final = 300


class GitHubRequests:
    """The code host port on GitHub."""

    @property
    def name(self) -> str:
        """Return `github`."""
        return "github"

    @property
    def token_env(self) -> str:
        """Return `GITHUB_TOKEN`."""
        return "GITHUB_TOKEN"

    def find(self, proposal: Proposal, access: Access) -> Request | None:
        """Return the newest pull request of the branch, an open one first."""
        owner = proposal.project.partition("/")[0]
        query = urlencode(
            {"head": f"{owner}:{proposal.source}", "base": proposal.target, "state": "all", "per_page": "30"}
        )
        answer = _call("GET", f"{_pulls(proposal, access)}?{query}", access)
        found = [_request(one) for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        return next((one for one in found if one.is_open), found[0] if found else None)

    def open(self, proposal: Proposal, access: Access) -> tuple[Request, str]:
        """Open a pull request and label it; that it is there already, from a moment ago, is no failure."""
        url, body = self.opening(proposal, access)
        try:
            opened = _object(_call("POST", url, access, json.loads(body)))
        except Conflict:
            if (there := self.find(proposal, access)) is None:
                raise
            return there, ""
        request = _request(opened)
        if not proposal.label:
            return request, ""
        labels = f"{_repository(proposal, access)}/issues/{request.number}/labels"
        try:
            _call("POST", labels, access, {"labels": [proposal.label]})
        except (Refused, Unavailable) as error:
            return request, f"the label {proposal.label!r} could not be set: {error.message}"
        return request, ""

    def close(self, proposal: Proposal, request: Request, access: Access) -> None:
        """Close it without merging."""
        _call("PATCH", f"{_pulls(proposal, access)}/{request.number}", access, {"state": "closed"})

    def opening(self, proposal: Proposal, access: Access) -> tuple[str, str]:
        """Return the URL and the JSON body of `POST /repos/{owner}/{repo}/pulls`."""
        body = {
            "title": proposal.title,
            "head": proposal.source,
            "base": proposal.target,
            "body": proposal.body,
        }
        return _pulls(proposal, access), json.dumps(body, indent=1, ensure_ascii=False)

    def by_hand(self, proposal: Proposal) -> str:
        """Return the command of the GitHub CLI."""
        label = ["--label", proposal.label] if proposal.label else []
        return shlex.join(
            [
                *("gh", "pr", "create", "--repo", proposal.project, "--head", proposal.source),
                *("--base", proposal.target, "--title", proposal.title, "--body", proposal.body, *label),
            ]
        )


def _repository(proposal: Proposal, access: Access) -> str:
    return f"{(access.url or URL).rstrip('/')}/repos/{quote(proposal.project)}"


def _pulls(proposal: Proposal, access: Access) -> str:
    return f"{_repository(proposal, access)}/pulls"


def _call(method: str, url: str, access: Access, body: Mapping[str, JSON] | None = None) -> JSON:
    """Send one request and return its answer. Raises `Unavailable`, `Refused`, or `Conflict` when it is there."""
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "Authorization": f"Bearer {access.token}",
        "User-Agent": "stanch",
    }
    try:
        # Over plain HTTP there is nothing to verify, and to read the certificates takes a while.
        verify = url.startswith("https:")
        with httpx2.Client(
            timeout=access.timeout_s, follow_redirects=False, verify=verify, event_hooks=bounds()
        ) as client:
            answer = client.request(method, url, headers=headers, json=body)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(f"GitHub does not answer: {type(error).__name__}", retry=True) from None
    try:
        found = read_json(answer.content) if answer.content else None
    except Invalid:
        found = None
    if answer.is_success:
        return found
    said = _said(found)
    if answer.status_code == 422 and "already exists" in said:
        raise Conflict(f"GitHub says that it is there already: {said}")
    if answer.status_code >= 500 or answer.status_code == 429 or "rate limit" in said.lower():
        raise Unavailable(f"GitHub answered {answer.status_code}: {said}", retry=True)
    raise Refused(f"GitHub answered {answer.status_code}: {said}", reason="denied")


def _said(found: JSON) -> str:
    if not isinstance(found, dict):
        return "nothing that can be read"
    errors = found.get("errors")
    inner = [str(one.get("message", "")) for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return redact("; ".join(part for part in (str(found.get("message", "")), *inner) if part))[:_LONGEST_SAID]


def _object(answer: JSON) -> dict[str, JSON]:
    if not isinstance(answer, dict):
        raise Unavailable("GitHub answered no pull request", retry=False)
    return answer


def _request(one: Mapping[str, JSON]) -> Request:
    number, url = one.get("number"), one.get("html_url")
    if not isinstance(number, int) or not isinstance(url, str):
        raise Unavailable("GitHub answered no pull request", retry=False)
    return Request(number=number, url=redact(url), is_open=one.get("state") == "open")
