"""Deployments that GitHub and GitLab know of, by their APIs as a small server speaks them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.github import GitHubDeployments
from stanch.integrations.gitlab import GitLabDeployments
from stanch.kernel.errors import Unavailable
from stanch.ports.changes import Change, ChangeKind, ChangeSource
from stanch.ports.query import SystemSpec
from tests.integrations.systems.far import hanging, lying
from tests.support.answering import Heard, answering

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SECRET = "hunter2hunter2"
GITHUB_PATH = "/repos/shop/payments/deployments"
GITLAB_PATH = "/api/v4/projects/shop%2Fpayments/deployments"
GITHUB = [
    {
        "id": 42,
        "sha": "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d",
        "ref": "v3.2.1",
        "environment": "production",
        "description": "by the pipeline",
        "creator": {"login": "alice"},
        "created_at": "2026-11-21T14:20:00Z",
    },
    {"id": 41, "sha": "b1", "ref": "v3.2.0", "environment": "production", "created_at": "2026-11-20T09:00:00Z"},
]
GITLAB = [
    {
        "id": 7,
        "ref": "main",
        "sha": "a91957a858320c0e17f3a0eca7cfacbff50ea29a",
        "status": "success",
        "created_at": "2026-11-21T14:10:00.000Z",
        "updated_at": "2026-11-21T14:20:00.000Z",
        "user": {"username": "bob"},
        "environment": {"name": "production"},
    }
]


class Make(Protocol):
    """Returns the changes of one kind of forge."""

    def __call__(self, url: str, *, timeout_s: float = ...) -> ChangeSource:
        """Return them, at a URL."""


def spec(kind: str, url: str) -> SystemSpec:
    """Return a project as a configured system."""
    settings = {"project": "shop/payments", "environment": "production"}
    return SystemSpec(name="code", kind=kind, url=url, secret=SECRET, services=("payments",), settings=settings)


def github(url: str, *, timeout_s: float = 20.0) -> ChangeSource:
    """Return GitHub at a URL."""
    return GitHubDeployments(spec("github", url), fetch=HttpGet(), timeout_s=timeout_s)


def gitlab(url: str, *, timeout_s: float = 20.0) -> ChangeSource:
    """Return GitLab at a URL."""
    return GitLabDeployments(spec("gitlab", url), fetch=HttpGet(), timeout_s=timeout_s)


BOTH = pytest.mark.parametrize("make", [github, gitlab])


def read(make: Make, answers: dict[str, object], *, status: int = 200) -> tuple[list[Change], Heard]:
    """Return the changes of the last hour and what the server heard."""
    with answering(answers, status=dict.fromkeys(answers, status)) as heard:
        found = make(heard.url).changes(services=(), start=NOW - timedelta(hours=1), end=NOW)
        return found, heard


def test_github_deployments_are_deploys() -> None:
    """A deployment within the window is a deploy with version, commit and author; an older one is left out."""
    (found,), _ = read(github, {GITHUB_PATH: GITHUB})

    assert (
        ChangeKind.DEPLOY,
        "payments",
        "v3.2.1",
        GITHUB[0]["sha"],
        "alice",
        "github/shop/payments/deployment/42",
    ) == (
        found.kind,
        found.service,
        found.version,
        found.commit,
        found.author,
        found.id,
    )


def test_gitlab_deployments_are_deploys_when_they_are_done() -> None:
    """A deployment counts from when it reached the environment."""
    (found,), _ = read(gitlab, {GITLAB_PATH: GITLAB})

    assert (NOW - timedelta(minutes=10), "bob", "payments main to production") == (found.at, found.author, found.title)


def test_the_environment_and_the_token_are_sent() -> None:
    """Only the configured environment is asked for; the token goes in its header."""
    _, first = read(github, {GITHUB_PATH: GITHUB})
    _, second = read(gitlab, {GITLAB_PATH: GITLAB})

    assert [("environment=production" in path, SECRET in repr(headers)) for _, path, headers in first.requests] == [
        (True, True)
    ]
    assert (True, SECRET) == ("environment=production" in second.requests[0][1], second.requests[0][2]["private-token"])


@BOTH
def test_a_missing_right_is_told(make: Make) -> None:
    """404 of a private project says what to check, without the token, and that trying again does not help."""
    with pytest.raises(Unavailable) as denied:
        read(make, {})

    assert (False, False, True) == (
        denied.value.retry,
        SECRET in denied.value.message,
        "answered 404" in denied.value.message,
    )


def test_github_is_asked_no_more_often_than_it_allows() -> None:
    """A second look within a minute is answered from the first."""
    with answering({GITHUB_PATH: GITHUB}) as heard:
        source = github(heard.url)
        for _ in range(3):
            source.changes(services=(), start=NOW - timedelta(hours=1), end=NOW)

    assert 1 == len(heard.requests)


@BOTH
@pytest.mark.parametrize("end", [hanging, partial(lying, http=True)], ids=["hangs", "lies"])
def test_a_far_end_that_misbehaves_is_unavailable(make: Make, end: Callable[[], AbstractContextManager[int]]) -> None:
    """What hangs costs its time-out, what lies is told; neither is silence."""
    with end() as port, pytest.raises(Unavailable):
        make(f"http://127.0.0.1:{port}", timeout_s=0.5).changes(services=(), start=NOW - timedelta(hours=1), end=NOW)


@BOTH
def test_entries_of_another_shape_are_left_out(make: Make) -> None:
    """One odd entry does not hide the others."""
    path = GITHUB_PATH if make is github else GITLAB_PATH
    good = GITHUB[0] if make is github else GITLAB[0]
    found, _ = read(make, {path: ["what", {"id": 1}, good, None]})

    assert 1 == len(found)
