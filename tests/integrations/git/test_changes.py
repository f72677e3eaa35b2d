"""Git as a source of changes and of evidence: which service a commit is of, what a release brought, what is said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.git import GitChanges, GitCollector
from stanch.kernel.errors import Unavailable
from stanch.ports.changes import Change, ChangeCompleter, ChangeKind, ChangeSource
from stanch.ports.evidence import Collector, Finding, FindingStatus, Question

from .conftest import Workshop

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
Make = Callable[[str], Workshop]


def minute(number: int) -> datetime:
    """Return an instant so many minutes after 14:00."""
    return START + timedelta(minutes=number)


@pytest.fixture
def shop(workshop: Make) -> Workshop:
    """A repository of two services with two releases: v3.2.1 comes at 14:20 with the guest checkout."""
    made = workshop("shop")
    made.commit("start", at=minute(0), files={"payments/card.py": "a\n", "checkout/cart.py": "a\n", "README": "a\n"})
    made.tag("v3.2.0", at=minute(0))
    made.commit("guest checkout", at=minute(10), files={"payments/card.py": "b\n"}, author="Bob")
    made.commit("wording", at=minute(15), files={"README": "b\n"})
    made.tag("v3.2.1", at=minute(20), message="payments: guests")
    made.commit("both", at=minute(30), files={"payments/card.py": "c\n", "checkout/cart.py": "c\n"})
    return made


def source(shop: Workshop) -> GitChanges:
    """Return the source that knows where each service lies."""
    return GitChanges(shop.folder, services={"payments": ("payments/",), "checkout": ("./checkout",)})


def changes(shop: Workshop, *services: str, start: int = 0, end: int = 60) -> list[Change]:
    """Return the changes of these services between two minutes."""
    return source(shop).changes(services=services, start=minute(start), end=minute(end))


def test_commits_belong_to_the_services_they_touch(shop: Workshop) -> None:
    """A commit counts once for each service whose files it touches, and for none where it touches none."""
    told = [(change.kind.value, change.service, change.title) for change in changes(shop, start=5)]
    expected = [
        ("commit", "payments", "guest checkout"),
        ("commit", "", "wording"),
        ("tag", "payments", "payments: guests"),
        ("commit", "payments", "both"),
        ("commit", "checkout", "both"),
    ]

    assert expected == told


def test_other_services_are_left_out(shop: Workshop) -> None:
    """Asked about one service, the source leaves out what is of another, and keeps what is of none."""
    assert {"checkout", ""} == {change.service for change in changes(shop, "checkout", start=5)}


def test_a_change_has_one_id_however_often_it_is_read(shop: Workshop) -> None:
    """Ids are stable over readings and windows, and no two changes share one."""
    first, second = [change.id for change in changes(shop)], [change.id for change in changes(shop, end=90)]

    assert (first, len(first)) == (second, len(set(first)))


def test_paths_and_diff_are_those_of_the_service(shop: Workshop) -> None:
    """Of a commit that touches two services each sees its own part."""
    both = [change for change in changes(shop, start=25) if change.title == "both"]

    assert [(("payments/card.py",), 1), (("checkout/cart.py",), 1)] == [
        (change.paths, change.diff.count("diff --git")) for change in both
    ]


def test_a_tag_names_its_predecessor_and_its_commits(shop: Workshop) -> None:
    """A release says what it came after, which commits it brought and what they changed."""
    tag = next(change for change in changes(shop, start=5) if change.kind is ChangeKind.TAG)
    brought = tag.data["commits"]
    titles = [commit["title"] for commit in brought if isinstance(commit, dict)] if isinstance(brought, list) else []

    assert ("v3.2.1", "v3.2.0", ["guest checkout", "wording"], True) == (
        tag.version,
        tag.previous,
        titles,
        "+b" in tag.diff,
    )


def test_a_tag_of_a_service_belongs_to_it(shop: Workshop) -> None:
    """A tag such as checkout/v9 is the service's, whatever it touches."""
    shop.tag("checkout/v9", at=minute(40), message="nine")

    assert ["checkout"] == [change.service for change in changes(shop, start=35)]


def test_a_deploy_is_completed_from_the_repository(shop: Workshop) -> None:
    """A deploy told by version gets the commit, the files, the commits it brought and the diff of its service."""
    deploy = Change(
        id="d1", at=minute(21), kind=ChangeKind.DEPLOY, service="payments", version="v3.2.1", previous="v3.2.0"
    )
    known = source(shop).complete(deploy)
    commits = known.data["commits"]

    assert (shop.git("rev-parse", "v3.2.1^{commit}"), ("payments/card.py",), 1, True, "d1") == (
        known.commit,
        known.paths,
        len(commits) if isinstance(commits, list) else None,
        known.diff.startswith("diff --git a/payments/card.py"),
        known.id,
    )


@pytest.mark.parametrize(("service", "version"), [("search", "v3.2.1"), ("payments", "v9"), ("payments", "--help")])
def test_a_deploy_of_something_else_stays_as_it_is(shop: Workshop, service: str, version: str) -> None:
    """A service or a version that is not in the repository adds nothing."""
    deploy = Change(id="d1", at=minute(21), kind=ChangeKind.DEPLOY, service=service, version=version)

    assert deploy == source(shop).complete(deploy)


def test_without_services_every_commit_is_of_none(shop: Workshop) -> None:
    """In a repository nobody has described, changes are listed without a service."""
    found = GitChanges(shop.folder).changes(services=("anything",), start=minute(5), end=minute(60))

    assert (4, {""}) == (len(found), {change.service for change in found})


def test_a_folder_that_is_no_repository_is_unavailable(tmp_path: Path) -> None:
    """The source cannot look, and trying again does not help."""
    with pytest.raises(Unavailable) as caught:
        GitChanges(tmp_path).changes(services=(), start=minute(0), end=minute(1))

    assert not caught.value.retry


def ask(collector: GitCollector, *services: str, start: int = 5) -> list[Finding]:
    """Ask about an onset at 14:21 in a window that ends at 14:25."""
    question = Question(incident=7, services=services, start=minute(start), end=minute(25), onset=minute(21))
    return collector.collect(question)


def test_the_finding_names_the_nearest_change(shop: Workshop) -> None:
    """The sentence counts what arrived and names what came last before the onset."""
    expected = '2 commits and 1 tag; the nearest is v3.2.1 "payments: guests" by Alice, 1m before the onset.'
    (finding,) = ask(GitCollector(source(shop)))

    assert (FindingStatus.OK, expected, 3) == (finding.status, finding.summary, len(finding.signals))


def test_each_signal_leads_to_its_change(shop: Workshop) -> None:
    """A signal of the finding holds the id of the change it speaks of."""
    (finding,) = ask(GitCollector(source(shop)))
    known = {change.id for change in changes(shop, start=5, end=25)}

    assert known == {signal.data["id"] for signal in finding.signals}


def test_nothing_in_the_window_is_no_data(shop: Workshop) -> None:
    """A window without a commit is said to be empty; it is not said that nothing changed."""
    (finding,) = ask(GitCollector(source(shop)), start=24)

    assert (FindingStatus.NO_DATA, "No commit and no tag in shop within 1 minute.") == (finding.status, finding.summary)


def test_no_repository_is_a_failed_finding(tmp_path: Path) -> None:
    """A collector that cannot look says why and raises nothing."""
    (finding,) = ask(GitCollector(GitChanges(tmp_path)))

    assert (FindingStatus.FAILED, True) == (finding.status, "not in a repository" in finding.summary)


def test_a_question_about_other_services_gets_no_answer(shop: Workshop) -> None:
    """A repository that holds none of the services in question stays silent."""
    assert [] == ask(GitCollector(source(shop)), "search")


def test_the_ports_are_implemented(shop: Workshop) -> None:
    """The source and the collector are what their ports ask for."""
    made: tuple[ChangeSource, Collector] = (source(shop), GitCollector(source(shop)))

    assert (["git:shop", "git"], True) == ([part.name for part in made], isinstance(made[0], ChangeCompleter))
