"""Reading a git repository: commits, tags, diffs and lines, whatever the names in it are."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.git import Repository
from stanch.kernel.errors import Unavailable

from .conftest import Workshop

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
Make = Callable[[str], Workshop]


def minute(number: int) -> datetime:
    """Return an instant so many minutes after 14:00."""
    return START + timedelta(minutes=number)


def test_commits_of_a_window_are_listed_oldest_first(workshop: Make) -> None:
    """The window holds its start and not its end; each commit says who, when, what and which files."""
    shop = workshop("shop")
    for number in (0, 10, 20):
        shop.commit(f"change {number}", at=minute(number), files={f"f{number}": "x"}, author="Bob")
    found = Repository(shop.folder).commits_in(start=minute(0), end=minute(20))
    told = [(commit.title, commit.author, commit.at, commit.paths) for commit in found]

    assert [("change 0", "Bob", minute(0), ("f0",)), ("change 10", "Bob", minute(10), ("f10",))] == told


def test_commits_of_one_second_keep_their_order(workshop: Make) -> None:
    """Of two commits with one date the child comes after its parent."""
    shop = workshop("shop")
    hashes = [shop.commit(f"c{number}", at=minute(0), files={"f": str(number)}) for number in range(3)]

    assert hashes == [commit.hash for commit in Repository(shop.folder).commits_in(start=minute(0), end=minute(1))]


def test_a_merge_counts_when_it_was_merged(workshop: Make) -> None:
    """Work written the day before arrives with the merge, which has all its files."""
    shop = workshop("shop")
    shop.commit("base", at=minute(-3000), files={"a": "1"})
    shop.git("checkout", "--quiet", "-b", "feature")
    shop.commit("work", at=minute(-1500), files={"b": "1", "c": "1"})
    shop.git("checkout", "--quiet", "main")
    shop.git("merge", "--quiet", "--no-ff", "--message", "merge feature", "feature", at=minute(5))
    found = Repository(shop.folder).commits_in(start=minute(0), end=minute(10))

    assert [("merge feature", ("b", "c"))] == [(commit.title, commit.paths) for commit in found]


def test_a_tagged_commit_off_the_branch_is_seen(workshop: Make) -> None:
    """A hotfix that is only tagged counts as well."""
    shop = workshop("shop")
    shop.commit("base", at=minute(-10), files={"a": "1"})
    shop.git("checkout", "--quiet", "-b", "hotfix")
    shop.commit("hotfix", at=minute(1), files={"a": "2"})
    shop.tag("v1.0.1", at=minute(1))
    shop.git("checkout", "--quiet", "main")
    shop.git("branch", "--quiet", "-D", "hotfix")

    assert ["hotfix"] == [commit.title for commit in Repository(shop.folder).commits_in(start=minute(0), end=minute(9))]


def test_tags_say_what_they_point_to(workshop: Make) -> None:
    """An annotated tag has its own date and words, a lightweight one those of its commit."""
    shop = workshop("shop")
    first = shop.commit("first", at=minute(0), files={"a": "1"})
    shop.tag("v1", at=minute(1))
    second = shop.commit("second", at=minute(2), files={"a": "2"})
    shop.tag("v2", at=minute(5), message="release two")
    told = [(tag.name, tag.at, tag.commit, tag.title) for tag in Repository(shop.folder).tags()]

    assert [("v1", minute(0), first, "first"), ("v2", minute(5), second, "release two")] == told


def test_the_tag_before_is_of_the_same_family(workshop: Make) -> None:
    """Before payments/v2 was payments/v1, though a tag of another service lies between."""
    shop = workshop("shop")
    for number, name in enumerate(("payments/v1", "checkout/v7", "payments/v2")):
        shop.commit(name, at=minute(number), files={"a": name})
        shop.tag(name, at=minute(number))
    repository = Repository(shop.folder)
    newest = repository.tags()[-1]

    assert ("payments/v2", "payments/v1") == (newest.name, repository.tag_before(newest))


def test_commits_between_two_releases_are_listed(workshop: Make) -> None:
    """What v2 has and v1 has not, and of that what touches a folder."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"pay/a": "1"})
    shop.tag("v1", at=minute(0))
    shop.commit("two", at=minute(1), files={"pay/a": "2"})
    shop.commit("three", at=minute(2), files={"web/a": "1"})
    shop.tag("v2", at=minute(2))
    repository = Repository(shop.folder)
    listed = [
        [commit.title for commit in repository.commits_between("v1", "v2", paths=paths)] for paths in ((), ("pay",))
    ]

    assert [["two", "three"], ["two"]] == listed


def test_a_diff_is_bounded(workshop: Make) -> None:
    """A diff is cut at its limit and says so."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"a": "1\n"})
    shop.commit("two", at=minute(1), files={"a": "word\n" * 100_000})
    diff = Repository(shop.folder).diff_of("HEAD", most_bytes=1_000)

    assert diff.startswith("diff --git a/a b/a") and diff.endswith("[the rest of the diff is left out]")


def test_secrets_in_a_diff_are_taken_out(workshop: Make) -> None:
    """A password that was committed does not leave the repository through a diff."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"a": "\n"})
    shop.commit("set password=hunter2", at=minute(1), files={"env": "DB_PASSWORD=hunter2\n"})
    repository = Repository(shop.folder)
    said = repository.diff_of("HEAD") + repository.commits_in(start=minute(1), end=minute(2))[0].title

    assert ("hunter2" in said, said.count("[redacted:password]")) == (False, 2)


def test_a_line_is_blamed_on_its_commit(workshop: Make) -> None:
    """The commit that wrote a line is named, with the line as it reads."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"pay/card.py": "a\nb\n"})
    second = shop.commit("guest checkout", at=minute(1), files={"pay/card.py": "a\nB\n"}, author="Bob")
    blame = Repository(shop.folder).blame("pay/card.py", 2)

    assert blame and (second, "Bob", minute(1), "guest checkout", "B") == (
        blame.commit,
        blame.author,
        blame.at,
        blame.title,
        blame.text,
    )


@pytest.mark.parametrize(("path", "line"), [("pay/card.py", 9), ("pay/card.py", 0), ("missing", 1), ("--help", 1)])
def test_a_line_that_is_not_there_is_blamed_on_nobody(workshop: Make, path: str, line: int) -> None:
    """A line or file that does not exist has no author."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"pay/card.py": "a\n"})

    assert Repository(shop.folder).blame(path, line) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/app/pay/card.py", "pay/card.py"),
        ("pay/card.py", "pay/card.py"),
        ("C:\\app\\web\\card.py", "web/card.py"),
        ("card.py", ""),  # two files end in this
        ("/usr/lib/python3/json/decoder.py", ""),
    ],
)
def test_the_file_of_a_stack_trace_is_found(workshop: Make, path: str, expected: str) -> None:
    """An installed path means the file whose end agrees with it, if there is exactly one."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"pay/card.py": "a", "web/card.py": "b", "README": "c"})

    assert expected == Repository(shop.folder).locate(path)


@pytest.mark.parametrize(
    "revision", ["", "--help", "-n1", "--output=/tmp/x", "HEAD..", "nowhere", "a\0b", "HEAD:f", "@{upstream}"]
)
def test_a_name_that_is_no_commit_resolves_to_nothing(workshop: Make, revision: str) -> None:
    """An option, a range, a file or nonsense in the place of a revision is no commit and no command."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"f": "1"})

    assert Repository(shop.folder).resolve(revision) is None


HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "a\x1b[31mred",
    "a\x1e\x1fb",
    "-rf",
    "<script>",
    "%H%x00",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_titles_and_names_are_data(workshop: Make, title: str) -> None:
    """Whatever a title, an author, a file or a branch is called, it is text, and commits do not get mixed up."""
    shop = workshop("shop")
    shop.commit("base", at=minute(0), files={"f": "1"})
    branch = "".join(letter for letter in title if letter.isalnum()) or "b"
    shop.git("checkout", "--quiet", "-b", f"x/{branch};touch-pwned")
    name = f"d/{title.replace('/', '_')}"
    shop.commit(title, at=minute(1), files={name: "1", "a" * 40: "2"}, author=title.replace("<", "").replace(">", ""))
    found = Repository(shop.folder).commits_in(start=minute(0), end=minute(5))
    printable = "".join(letter for letter in title.replace("\x1b[31m", "") if letter.isprintable())

    assert (["base", printable], 2, False) == (
        [commit.title for commit in found],
        len(found[1].paths),
        (shop.folder / "pwned").exists(),
    )


def test_a_repository_cannot_make_git_run_programs(workshop: Make, tmp_path: Path) -> None:
    """Diff drivers, text converters, file-system monitors, signature checkers and pagers of a repository stay idle."""
    shop = workshop("shop")
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\ncat\n")
    script.chmod(0o755)
    shop.commit("base", at=minute(0), files={".gitattributes": "* diff=evil\n", "f": "1\n"})
    shop.commit("two", at=minute(1), files={"f": "2\n"})
    for setting in ("diff.evil.command", "diff.evil.textconv", "diff.external", "core.fsmonitor", "gpg.program"):
        shop.git("config", setting, str(script))
    shop.git("config", "log.showSignature", "true")
    shop.git("config", "core.pager", str(script))
    repository = Repository(shop.folder)
    repository.commits_in(start=minute(0), end=minute(5))
    read = repository.diff_of("HEAD"), repository.blame("f", 1), repository.tags()

    assert ("+2" in read[0], (tmp_path / "pwned").exists()) == (True, False)


def test_settings_that_change_the_output_do_not(workshop: Make) -> None:
    """A user's taste in colours, prefixes and quoting leaves the reading as it is."""
    shop = workshop("shop")
    shop.commit("base", at=minute(0), files={"é f": "1\n"})
    shop.commit("two", at=minute(1), files={"é f": "2\n"})
    for setting, value in (
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("core.quotePath", "true"),
        ("log.decorate", "full"),
        ("format.pretty", "fuller"),
        ("diff.orderFile", "nowhere"),
        ("log.follow", "true"),
    ):
        shop.git("config", setting, value)
    repository = Repository(shop.folder)
    newest = repository.commits_in(start=minute(1), end=minute(2))[0]

    assert (("é f",), True, "2") == (
        newest.paths,
        repository.diff_of("HEAD").startswith("diff --git a/é f b/é f"),
        getattr(repository.blame("é f", 1), "text", None),
    )


def test_the_surroundings_do_not_redirect_git(workshop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_DIR and its like of the caller, as within a hook, do not lead to another repository."""
    other = workshop("other")
    other.commit("other", at=minute(0), files={"o": "1"})
    shop = workshop("shop")
    shop.commit("mine", at=minute(0), files={"m": "1"})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))

    assert ["mine"] == [commit.title for commit in Repository(shop.folder).commits_in(start=minute(0), end=minute(1))]


def test_an_empty_repository_has_nothing(workshop: Make) -> None:
    """Before the first commit there are no commits, tags or lines, and no error."""
    repository = Repository(workshop("empty").folder)
    repository.check()

    assert ([], [], None) == (
        repository.commits_in(start=minute(0), end=minute(1)),
        repository.tags(),
        repository.resolve("HEAD"),
    )


def test_a_shallow_clone_does_not_blame_its_first_commit(workshop: Make, tmp_path: Path) -> None:
    """Where history is cut off, every file would seem new, so that commit has no files."""
    shop = workshop("shop")
    for number in range(3):
        shop.commit(f"c{number}", at=minute(number), files={f"f{number}": "1"})
    clone = tmp_path / "clone"
    shop.git("clone", "--quiet", "--depth=2", f"file://{shop.folder}", str(clone))
    repository = Repository(clone)
    told = [(commit.title, commit.paths) for commit in repository.commits_in(start=minute(0), end=minute(9))]

    assert (True, [("c1", ()), ("c2", ("f2",))]) == (repository.is_shallow, told)


def test_a_bare_repository_is_read(workshop: Make, tmp_path: Path) -> None:
    """A mirror without a working tree does as well."""
    shop = workshop("shop")
    shop.commit("one", at=minute(0), files={"f": "1"})
    bare = tmp_path / "mirror.git"
    shop.git("clone", "--quiet", "--bare", str(shop.folder), str(bare))
    repository = Repository(bare)

    assert ("mirror", ["one"]) == (
        repository.name,
        [commit.title for commit in repository.commits_in(start=minute(0), end=minute(1))],
    )


def test_a_folder_that_is_no_repository_says_so(tmp_path: Path) -> None:
    """No folder and no repository are told apart, in words."""
    (tmp_path / "plain").mkdir()
    said = []
    for name in ("missing", "plain"):
        with pytest.raises(Unavailable) as caught:
            Repository(tmp_path / name).check()
        said.append(caught.value.message)

    assert [
        f"there is no folder {tmp_path}/missing",
        f"cannot read {tmp_path}/plain as a git repository: it is not in a repository",
    ] == said


def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no git, the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match="install it"):
        Repository(tmp_path).check()


def test_git_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that does not answer is killed with what it started, when its time is over."""
    program, pipe = tmp_path / "git", tmp_path / "pipe"
    program.write_text(f"#!/bin/sh\nexec 3>{pipe}; echo started >&3; sleep 600 & sleep 600\n")
    program.chmod(0o755)
    os.mkfifo(pipe)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(Unavailable, match="took longer than 4 s"):
        Repository(tmp_path, timeout_s=4).check()

    # The pipe ends when the last of the processes that hold it has ended.
    os.set_blocking(reader, True)
    with os.fdopen(reader) as stream:
        assert "started\n" == stream.read()
