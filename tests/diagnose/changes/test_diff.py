"""A diff is read for what it does, whatever the language."""

import pytest

from stanch.diagnose.changes.diff import PathKind, Turned, path_kind, read_diff

EXTRACTED = """\
-\tf, err := open(path)
-\tif err != nil { return err }
-\treturn write(f, line)
+\treturn writeLine(path, line)
+}
+
+func writeLine(path string, line []byte) error {
+\tf, err := open(path)
+\tif err != nil { return err }
+\treturn write(f, line)
"""


@pytest.mark.parametrize(
    ("diff", "turned"),
    [
        ("-const maxConns = 50\n+const maxConns = 10", Turned(name="maxConns", old=50, new=10)),
        ("-  ttl: 15m\n+  ttl: 15s", Turned(name="ttl", old=900, new=15)),
        ("-\tTTL: 15 * time.Minute,\n+\tTTL: 15 * time.Second,", Turned(name="TTL", old=900, new=15)),
        ("-p = Policy{Max: 8, Delay: 5}\n+p = Policy{Max: 2}", Turned(name="Max", old=8, new=2)),
        (
            "-a = with_timeout(ctx, 5 * s)\n+b = with_timeout(ctx, 300 * ms)",
            Turned(name="with_timeout", old=5, new=0.3),
        ),
    ],
)
def test_a_setting_that_was_turned_is_found(diff: str, turned: Turned) -> None:
    """A number that changed is found with its name, durations in seconds."""
    assert (turned,) == read_diff(diff, ["a.go"]).turned


def test_an_extraction_takes_nothing_away() -> None:
    """Code that moved into a function of its own leaves no removed lines."""
    reading = read_diff(EXTRACTED, ["a.go"])

    assert ((), 3) == (reading.removed, reading.moved_lines)


def test_comments_and_white_space_are_no_change() -> None:
    """A diff of comments and indentation has only words."""
    reading = read_diff("-// old words\n-  x = 1\n+// new words\n+    x = 1", ["a.go"])

    assert reading.only_words


def test_a_protection_taken_away_is_named() -> None:
    """The words of what kept a query in bounds are listed when they go."""
    assert ("limit",) == read_diff("-  ORDER BY a\n-  LIMIT 50\n+  ORDER BY a", ["q.sql"]).gone


def test_dependency_versions_have_a_level() -> None:
    """A bump says which part of the version changed."""
    diff = "-\texample.org/a v1.2.3\n-\texample.org/b v1.2.3\n+\texample.org/a v1.2.4\n+\texample.org/b v2.0.0"
    reading = read_diff(diff, ["go.mod"])

    assert (("example.org/a", "patch"), ("example.org/b", "major")) == reading.bumps


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("docs/a.md", PathKind.DOCUMENT),
        ("pkg/a_test.go", PathKind.TEST),
        (".github/workflows/x.yml", PathKind.PIPELINE),
        ("web/a.css", PathKind.STYLE),
        ("svc/go.sum", PathKind.MANIFEST),
        ("db/migrations/0042_x.sql", PathKind.MIGRATION),
        ("svc/config/a.yaml", PathKind.SETTINGS),
        ("svc/a.go", PathKind.CODE),
    ],
)
def test_a_path_tells_what_a_file_is_for(path: str, kind: PathKind) -> None:
    """The kinds of files are told by their paths."""
    assert kind is path_kind(path)
