"""Reading runbooks: what is a block, what it expects, whether it changes anything, whether it can be run."""

import pytest

from stanch.kernel.errors import Invalid
from stanch.mitigate.runbooks.markdown import commands_of, read_runbook
from stanch.mitigate.runbooks.model import Block, Comparison, Language, Part

PLAIN = """# Database Connection Pool Exhausted
## Symptoms
- Error: "Too many connections"
## Checks
1. Check active connections: `SELECT count(*) FROM pg_stat_activity;`

```
kubectl delete everything
```
## Mitigation
1. Restart the application
"""


def block(fence: str, text: str, *, under: str = "Checks", after: str = "") -> Block:
    """Read a runbook with one block and return the block."""
    runbook = read_runbook(f"# Title\n\n## {under}\n\n```{fence}\n{text}\n```\n{after}", id="one")
    return runbook.blocks[0]


def test_a_block_without_a_tag_is_text() -> None:
    """A runbook as people have written them so far is read, and nothing in it runs."""
    runbook = read_runbook(PLAIN, id="pool")

    assert ("Database Connection Pool Exhausted", ()) == (runbook.title, runbook.blocks)


def test_sections_are_told_by_their_headings() -> None:
    """What a section is for follows from the usual words."""
    runbook = read_runbook(PLAIN, id="pool")

    assert [Part.SYMPTOMS, Part.CHECKS, Part.MITIGATION] == [section.part for section in runbook.sections]


@pytest.mark.parametrize(
    ("heading", "part"),
    [
        ("Quick Fix", Part.MITIGATION),
        ("Investigation", Part.CHECKS),
        ("Diagnosis", Part.CHECKS),
        ("Meaning", Part.SYMPTOMS),
        ("Confirm the recovery", Part.VERIFICATION),
        ("Long-term", Part.PREVENTION),
        ("History", Part.OTHER),
    ],
)
def test_other_words_for_the_same(heading: str, part: Part) -> None:
    """Runbooks of other houses use other headings."""
    assert part is block("sql", "SELECT 1", under=heading).part


def test_a_sub_heading_belongs_to_what_it_is_under() -> None:
    """A heading that says nothing of its purpose takes that of the one above it."""
    assert Part.CHECKS is block("sql", "SELECT 1", under="Checks\n\n### PostgreSQL").part


@pytest.mark.parametrize("tag", ["sh", "bash", "shell", "sql", "promql", "http"])
def test_a_tag_makes_a_block_one_that_runs(tag: str) -> None:
    """The tag says what it is written in."""
    language = {"bash": "sh", "shell": "sh"}.get(tag, tag)

    assert Language(language) is block(tag, "GET http://127.0.0.1/health").language


def test_an_expectation_in_the_fence() -> None:
    """The fence may say what to expect."""
    expects = block('sql expect="below 100"', "SELECT 1").expects

    assert (Comparison.BELOW, "100") == (expects and (expects.comparison, expects.value))


@pytest.mark.parametrize("after", ["\nExpect: at most 80 %\n", "Expected: at most 80\n", "- **Expected**: up to 80"])
def test_an_expectation_after_the_block(after: str) -> None:
    """A line after the block may say it too."""
    expects = block("sql", "SELECT 1", after=after).expects

    assert (Comparison.AT_MOST, "80") == (expects and (expects.comparison, expects.value))


def test_an_expectation_that_is_not_understood_is_told() -> None:
    """It is no check that can never fail."""
    assert "'fine'" in block("sql expect=fine", "SELECT 1").why_not


@pytest.mark.parametrize(
    ("fence", "text", "changes"),
    [
        ("sql", "SELECT count(*) FROM pg_stat_activity", False),
        ("sql", "SELECT pg_terminate_backend(1)", True),
        ("sql", "DELETE FROM orders", True),
        ("sh", "df -h", False),
        ("sh", "kubectl get pods", False),
        ("sh", "kubectl delete pod x", True),
        ("sh", "systemctl restart nginx", True),
        ("promql", "sum(rate(http_requests_total[5m]))", False),
        ("http", "GET http://127.0.0.1/health", False),
        ("http", "http://127.0.0.1/health", False),
        ("http", "POST http://127.0.0.1/flags/new-checkout", True),
    ],
)
def test_what_only_reads_is_told_from_what_changes(fence: str, text: str, changes: bool) -> None:
    """What is not known to read only needs an approval."""
    assert changes is block(fence, text).changes


@pytest.mark.parametrize(
    "line", ["ps | grep java", "echo $HOME", "rm -rf *", "a; b", "a > b", "a && b", "`id`", '"$(id)"']
)
def test_what_needs_a_shell_cannot_be_run(line: str) -> None:
    """No shell ever runs, so the block says why it is for a person."""
    assert "needs a shell" in block("sh", line).why_not


def test_one_command_a_line() -> None:
    """Prompts and comments are left out, a backslash goes on, quotes keep words together."""
    text = "$ kubectl get pods \\\n  -l 'app=a b'\n# then\n$ df -h"

    assert (("kubectl", "get", "pods", "-l", "app=a b"), ("df", "-h")) == commands_of(block("sh", text))


def test_the_line_of_a_block_counts_the_front_matter() -> None:
    """It is the line one goes to in an editor."""
    runbook = read_runbook("---\nkinds: [bad_deploy]\n---\n# T\n## Checks\n```sql\nSELECT 1\n```\n", id="one")

    assert (6, ("bad_deploy",)) == (runbook.blocks[0].line, runbook.kinds)


def test_foreign_front_matter_is_read_past() -> None:
    """An export of a wiki has keys of its own."""
    runbook = read_runbook("---\nlayout: page\ntags: [a]\n---\n# T\n", id="one")

    assert ("T", ("layout", "tags")) == (runbook.title, runbook.unknown)


@pytest.mark.parametrize("front", ["kinds: [a", "- a", "services: {a: b}", "labels: [a]"])
def test_front_matter_that_cannot_be_read_is_told(front: str) -> None:
    """The error names the runbook."""
    with pytest.raises(Invalid) as refusal:
        read_runbook(f"---\n{front}\n---\n# T\n", id="one")

    assert refusal.value.problems[0].field.startswith("one")
