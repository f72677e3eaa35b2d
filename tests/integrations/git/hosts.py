"""GitHub and GitLab as far as a proposed revert needs them; what GitHub is sent is checked against its description."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema

from tests.support.farend import Asked, Reply, Site, site

# GitHub's OpenAPI description, where it lies beside the checkout.
DESCRIPTION = Path(__file__).parents[3].parent / "shared/reference/specs/github-rest.openapi.json"
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"


@dataclass
class CodeHosting:
    """A project's requests, newest first, and what was wrong with what was sent."""

    site: Site = field(default_factory=lambda: Site(url=""))
    requests: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refuse_labels: bool = False
    races: bool = False
    """Somebody else opens the same request just before ours arrives."""

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Return method and path of all that was asked."""
        return [(one.method, one.path.partition("?")[0]) for one in self.site.asked]


@contextmanager
def github() -> Iterator[CodeHosting]:
    """Serve `/repos/shop/payments` as GitHub does."""
    host = CodeHosting()
    with site(lambda asked: _github(host, asked)) as host.site:
        yield host


@contextmanager
def gitlab() -> Iterator[CodeHosting]:
    """Serve `/projects/shop%2Fpayments` as GitLab does."""
    host = CodeHosting()
    with site(lambda asked: _gitlab(host, asked)) as host.site:
        yield host


def _github(host: CodeHosting, asked: Asked) -> Reply:
    if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _reply(401, {"message": "Bad credentials"})
    host.wrong += described_wrongs(asked)
    path, _, query = asked.path.partition("?")
    body = json.loads(asked.body) if asked.body else {}
    match asked.method, path.split("/")[1:]:
        case "GET", ["repos", "shop", "payments", "pulls"]:
            head = parse_qs(query)["head"][0]
            return _reply(200, [one for one in host.requests if f"shop:{one['head']}" == head])
        case "POST", ["repos", "shop", "payments", "pulls"]:
            if host.races or any(one["head"] == body["head"] and one["state"] == "open" for one in host.requests):
                if host.races:
                    host.races = False
                    _opened(host, body)
                said = f"A pull request already exists for shop:{body['head']}."
                return _reply(422, {"message": "Validation Failed", "errors": [{"message": said}]})
            return _reply(201, _opened(host, body))
        case "POST", ["repos", "shop", "payments", "issues", number, "labels"]:
            if host.refuse_labels:
                return _reply(403, {"message": "Resource not accessible by personal access token"})
            _numbered(host, number)["labels"] = body["labels"]
            return _reply(200, [{"name": one} for one in body["labels"]])
        case "PATCH", ["repos", "shop", "payments", "pulls", number]:
            _numbered(host, number).update(body)
            return _reply(200, _numbered(host, number))
        case _:
            return _reply(404, {"message": "Not Found"})


def _gitlab(host: CodeHosting, asked: Asked) -> Reply:
    if asked.headers.get("PRIVATE-TOKEN", asked.headers.get("Private-Token")) != TOKEN:
        return _reply(401, {"message": "401 Unauthorized"})
    path, _, query = asked.path.partition("?")
    body = json.loads(asked.body) if asked.body else {}
    match asked.method, [unquote(part) for part in path.split("/")[1:]]:
        case "GET", ["projects", "shop/payments", "merge_requests"]:
            source = parse_qs(query)["source_branch"][0]
            return _reply(200, [one for one in host.requests if one["source_branch"] == source])
        case "POST", ["projects", "shop/payments", "merge_requests"]:
            number = len(host.requests) + 1
            url = f"https://gitlab.example/shop/payments/-/merge_requests/{number}"
            host.requests.insert(0, {**body, "iid": number, "state": "opened", "web_url": url})
            return _reply(201, host.requests[0])
        case "PUT", ["projects", "shop/payments", "merge_requests", number]:
            found = next(one for one in host.requests if str(one["iid"]) == number)
            found["state"] = {"close": "closed"}[body["state_event"]]
            return _reply(200, found)
        case _:
            return _reply(404, {"message": "404 Project Not Found"})


def described_wrongs(asked: Asked) -> list[str]:
    """Return how a request is not as GitHub describes it; nothing where the description is not there."""
    if not DESCRIPTION.is_file():
        return []
    paths = _description()["paths"]
    parts = urlsplit(asked.path).path.split("/")
    for template, operations in paths.items():
        names = template.split("/")
        fits = len(names) == len(parts) and all(
            name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)
        )
        if not fits:
            continue
        operation = operations.get(asked.method.lower())
        if operation is None:
            return [f"{template} has no {asked.method}"]
        known = {one.get("name") for one in operation.get("parameters", [])} | {"per_page", "page"}
        found = [f"no parameter {name}" for name in parse_qs(urlsplit(asked.path).query) if name not in known]
        if asked.body:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            found += [
                one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(asked.body))
            ]
        return found
    return [f"there is no path {asked.path}"]


@cache
def _description() -> Any:
    return json.loads(DESCRIPTION.read_text())


def _opened(host: CodeHosting, body: dict[str, Any]) -> dict[str, Any]:
    number = len(host.requests) + 1
    url = f"https://github.example/shop/payments/pull/{number}"
    host.requests.insert(0, {**body, "number": number, "state": "open", "html_url": url, "labels": []})
    return host.requests[0]


def _numbered(host: CodeHosting, number: str) -> dict[str, Any]:
    return next(one for one in host.requests if str(one["number"]) == number)


def _reply(status: int, body: object) -> Reply:
    return Reply(status=status, body=json.dumps(body), headers=(("Content-Type", "application/json"),))
