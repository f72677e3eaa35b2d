"""A revert that is proposed: the branch in a real repository and its remote, the request at a fake host."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.git.request import RequestActuator
from stanch.integrations.github.requests import GitHubRequests
from stanch.integrations.gitlab.requests import GitLabRequests
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step, StepResult
from stanch.ports.codehost import CodeHost
from tests.integrations.git.conftest import Workshop
from tests.integrations.git.hosts import DESCRIPTION, TOKEN, CodeHosting, described_wrongs, github, gitlab
from tests.support.farend import Asked

AT = datetime(2026, 11, 21, 14, tzinfo=UTC)
HOSTILE = "Fix `x` $(reboot) @everyone <img src=x onerror=alert(1)> '; drop table y --\" [a](javascript:b)"


class Shop:
    """A repository with a bad commit, its remote, and the host it is on."""

    def __init__(self, workshop: Workshop, host: CodeHosting, provider: CodeHost, far: Path) -> None:
        self.workshop, self.host, self.provider = workshop, host, provider
        workshop.commit("first", at=AT, files={"pay.py": "good\n"})
        self.bad = workshop.commit(HOSTILE, at=AT, files={"pay.py": "bad\n"})
        workshop.git("clone", "--quiet", "--bare", str(workshop.folder), str(far))
        workshop.git("remote", "add", "origin", str(far))

    def step(self, **data: JSON) -> Step:
        """Return a step that takes the bad commit back."""
        told: dict[str, JSON] = {
            "repository": str(self.workshop.folder),
            "commit": self.bad,
            "project": "shop/payments",
            "incident": "INC-7",
            "label": "incident",
            "url": self.host.site.url,
            "token_env": "CODE_TOKEN",
        }
        return Step(actuator=f"{self.provider.name}.revert", data={**told, **data}, timeout_s=20)

    def look(self, **data: JSON) -> Outlook:
        """Look at it."""
        return RequestActuator(self.provider).look(self.step(**data))

    def run(self, **data: JSON) -> StepResult:
        """Carry it out."""
        return RequestActuator(self.provider).run(self.step(**data), emit=lambda _: None)

    def body_of(self, opened: dict[str, object]) -> str:
        """Return the text of a request."""
        return str(opened["body" if self.provider.name == "github" else "description"])

    @property
    def branches_there(self) -> list[str]:
        """Return the branches of the remote."""
        return [line.rpartition("/")[2] for line in self.workshop.git("ls-remote", "--heads", "origin").splitlines()]


@pytest.fixture(params=["github", "gitlab"])
def shop(
    request: pytest.FixtureRequest,
    workshop: Callable[[str], Workshop],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shop]:
    """Give a shop on either host, with a token."""
    monkeypatch.setenv("CODE_TOKEN", TOKEN)
    host, provider = (github(), GitHubRequests()) if request.param == "github" else (gitlab(), GitLabRequests())
    with ExitStack() as stack:
        yield Shop(workshop("shop"), stack.enter_context(host), provider, tmp_path / "far.git")


def test_the_branch_is_pushed_and_its_request_opened(shop: Shop) -> None:
    """From the branch into main, with the label, the incident named; the request is as the host describes it."""
    result = shop.run()
    opened = shop.host.requests[0]
    source, target = ("head", "base") if shop.provider.name == "github" else ("source_branch", "target_branch")
    branch = f"revert-{shop.bad[:10]}"

    assert (0, [], (branch, "main"), True, True, [branch]) == (
        result.code,
        shop.host.wrong,
        (opened[source], opened[target]),
        "INC-7" in opened["title"] and "INC-7" in shop.body_of(opened),
        "incident" in opened["labels"],
        [one for one in shop.branches_there if one != "main"],
    )


def test_it_is_opened_once(shop: Shop) -> None:
    """A step that is carried out again finds what it made."""
    codes = [shop.run().code, shop.run().code]

    assert ([0, 0], 1) == (codes, len(shop.host.requests))


def test_undo_closes_it_and_deletes_the_branch(shop: Shop) -> None:
    """There and here."""
    shop.run()
    result = shop.run(undo=True)

    assert (0, "closed", ["main"], ["main"]) == (
        result.code,
        shop.host.requests[0]["state"],
        shop.branches_there,
        shop.workshop.git("branch", "--format=%(refname:short)").split(),
    )


def test_one_that_was_closed_is_opened_anew(shop: Shop) -> None:
    """After an undo it can be proposed again."""
    shop.run()
    shop.run(undo=True)
    shop.run()

    assert 2 == len(shop.host.requests)


def test_looking_sends_nothing_but_questions(shop: Shop) -> None:
    """The preview shows the difference and what would be posted."""
    outlook = shop.look()
    assert outlook.undo is not None

    assert ("", {"GET"}, True, True, ["main"]) == (
        outlook.refusal,
        {method for method, _ in shop.host.sent},
        "-bad" in outlook.preview and "+good" in outlook.preview,
        any(line.startswith(f"POST {shop.host.site.url}/") for line in outlook.preview),
        shop.branches_there,
    )


def test_without_a_token_a_person_gets_the_command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch is pushed all the same, and every value of the command is one argument of a shell."""
    monkeypatch.delenv("CODE_TOKEN")
    outlook, result = shop.look(), shop.run()
    program = "gh pr create" if shop.provider.name == "github" else "glab mr create"

    assert (0, [], True, 1, 2) == (
        result.code,
        shop.host.sent,
        f"{program} --repo shop/payments" in result.output,
        len(outlook.warnings),
        len(shop.branches_there),
    )


def test_a_token_that_is_not_accepted_is_no_success(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the command for a person, and looking refuses beforehand; the token is shown nowhere."""
    monkeypatch.setenv("CODE_TOKEN", "ghp_wrongwrongwrongwrongwrongwrongwrong00")
    outlook, result = shop.look(), shop.run()

    assert (True, 1, True, False) == (
        "answered 401" in outlook.refusal,
        result.code,
        "By hand:" in result.output,
        "ghp_wrong" in result.output + repr(outlook),
    )


def test_a_hostile_title_stays_a_text(shop: Shop) -> None:
    """Whole in the title, and in the Markdown as code that its own backticks do not end."""
    shop.run()
    opened = shop.host.requests[0]
    line = next(one for one in shop.body_of(opened).splitlines() if one.startswith("Its title:"))

    assert (True, f"Its title: `{HOSTILE.replace('`', chr(39))}`") == (HOSTILE in opened["title"], line)


def test_a_host_that_does_not_answer_leaves_the_branch(shop: Shop) -> None:
    """What was pushed is said, and how a person goes on."""
    result = shop.run(url="http://127.0.0.1:9")

    assert (1, True, 2) == (result.code, "the branch is pushed, but" in result.output, len(shop.branches_there))


def test_a_branch_that_somebody_went_on_with_is_not_deleted(shop: Shop) -> None:
    """Their commits would be lost."""
    shop.run()
    branch = f"revert-{shop.bad[:10]}"
    shop.workshop.git("checkout", "--quiet", branch)
    shop.workshop.commit("more", at=AT, files={"more.py": "x\n"})
    shop.workshop.git("checkout", "--quiet", "main")
    result = shop.run(undo=True)

    assert (1, True) == (result.code, branch in shop.branches_there)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"project": "../../user"}, "is no project"),
        ({"project": "--repo"}, "is no project"),
        ({"url": "file:///etc/passwd"}, "must begin with http"),
        ({"url": "https://a:b@c"}, "hold no password"),
        ({"token_env": "A B"}, "no name of a variable"),
        ({"commit": "--force"}, "no hash"),
        ({"label": "x" * 51}, "more than 50"),
        ({"branch": "--mirror"}, "no name"),
    ],
)
def test_what_cannot_be_done_says_why(shop: Shop, data: dict[str, JSON], why: str) -> None:
    """Before anything is sent or made."""
    assert (True, 1, []) == (why in shop.look(**data).refusal, shop.run(**data).code, shop.host.sent)


@pytest.mark.parametrize(
    "url",
    [
        "git@git.example:shop/payments.git",
        "https://git.example/shop/payments.git",
        "ssh://git@git.example/shop/payments",
    ],
)
def test_the_project_is_read_from_the_remote(shop: Shop, url: str) -> None:
    """Where the settings name none."""
    shop.workshop.git("remote", "set-url", "origin", url)
    shop.workshop.git("remote", "set-url", "--push", "origin", str(shop.workshop.folder.parent / "far.git"))

    assert (0, 1) == (shop.run(project="").code, len(shop.host.requests))


@pytest.fixture
def on_github(workshop: Callable[[str], Workshop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Give a shop on GitHub."""
    monkeypatch.setenv("CODE_TOKEN", TOKEN)
    with github() as host:
        yield Shop(workshop("shop"), host, GitHubRequests(), tmp_path / "far.git")


def test_a_label_that_cannot_be_set_is_told(on_github: Shop) -> None:
    """The pull request is there; it is no failure."""
    on_github.host.refuse_labels = True
    result = on_github.run()

    assert (0, True) == (result.code, "the label 'incident' could not be set" in result.output)


def test_somebody_who_was_faster_is_found(on_github: Shop) -> None:
    """The host says that it exists; it is one and the same."""
    on_github.host.races = True
    result = on_github.run()

    assert (0, 1) == (result.code, len(on_github.host.requests))


def test_the_description_would_find_a_mistake() -> None:
    """So the checks of what is sent can fail."""
    if not DESCRIPTION.is_file():
        pytest.skip("GitHub's OpenAPI description does not lie beside the checkout, and no registry has it")
    asked = Asked(method="POST", path="/repos/shop/payments/pulls", headers={}, body=b'{"title": 1, "head": "x"}')

    assert ["'base' is a required property", "1 is not of type 'string'"] == sorted(described_wrongs(asked))
