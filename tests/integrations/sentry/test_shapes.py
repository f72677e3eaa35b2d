"""Our fakes of Sentry are held against its own description: the facts are the document's, and what is not told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply
from tests.support.sentry import plain_issue
from tests.support.sentry_writing import blocks
from tests.support.sentryshapes import FACTS, NOT_REQUIRED, PARTIAL, UNDESCRIBED, complaints, recorded, shaped

DOCUMENT = os.environ.get("STANCH_SENTRY_OPENAPI", "")
ROOT = "/api/0/organizations/shop/"


def wrong(asked: str, answer: JSON, *, status: int = 200, body: JSON = None) -> list[str]:
    """Return what is complained of a call, without the name of it."""
    method, _, path = asked.partition(" ")
    sent = b"" if body is None else json.dumps(body).encode()
    request = Asked(method=method, path=path if path.startswith("/") else ROOT + path, headers={}, body=sent)
    found = complaints(request, Reply(status=status, body=json.dumps(answer)))
    return [one.partition("/: ")[2] or one for one in found]


@pytest.mark.skipif(not Path(DOCUMENT or "-").is_file(), reason="STANCH_SENTRY_OPENAPI names no OpenAPI document")
def test_the_facts_are_those_of_the_document(tmp_path: Path) -> None:
    """Written again from it, they are the same."""
    script = Path(__file__).parents[3] / "scripts" / "sentry_shapes.py"
    (tmp_path / "scripts").mkdir()
    (tmp_path / "tests" / "support").mkdir(parents=True)
    copied, out = tmp_path / "scripts" / script.name, tmp_path / "tests" / "support" / FACTS.name
    copied.write_bytes(script.read_bytes())
    out.write_bytes(FACTS.read_bytes())
    subprocess.run([sys.executable, copied, DOCUMENT], check=True)

    assert FACTS.read_text(encoding="utf-8") == out.read_text(encoding="utf-8")


def test_what_is_right_is_not_complained_of() -> None:
    """A call that the document describes, asked and answered as it says."""
    issue = plain_issue("1", project="payments", title="TypeError: x")

    assert [] == wrong("PUT issues/1/", issue, body={"status": "resolved", "assignedTo": "team:77"})


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ("GET issues/1/hashtags/", "Sentry describes no such call"),
        ("GET issues", "GET /api/0/organizations/shop/issues: Sentry describes no such call"),
        ("GET issues/?sorted=freq", "there is no parameter sorted"),
        ("GET issues/?sort=loudest", "sort=loudest is none of its values"),
        ("GET issues/?limit=many", "limit=many is none of its values"),
        ("GET issues/?sort=freq&sort=new", "the parameter sort is given 2 times"),
    ],
)
def test_a_wrong_question_is_complained_of(asked: str, complaint: str) -> None:
    """A path, a parameter or a value that Sentry does not know."""
    assert [complaint] == wrong(asked, [])


def test_a_missing_parameter_is_complained_of() -> None:
    """A table of events needs its dataset."""
    table: JSON = {"data": [], "meta": {"fields": {}}}

    assert ["the parameter dataset is missing"] == wrong("GET events/?field=count()", table)


def test_a_field_of_the_body_that_is_unknown_is_complained_of() -> None:
    """As is a word that is none of its values."""
    found = wrong("POST issues/1/autofix/", {"run_id": 1, "sentry_run_id": None}, status=202, body={"stop": "solution"})

    assert ["the body sent, as a whole: Additional properties are not allowed ('stop' was unexpected)"] == found


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"run_id": 1}, "the answer, as a whole: 'sentry_run_id' is a required property"),
        ({"run_id": "1", "sentry_run_id": None}, "the answer, run_id: '1' is not of type 'integer'"),
        (
            {"run_id": 1, "sentry_run_id": None, "ok": True},
            "the answer, as a whole: Additional properties are not allowed ('ok' was unexpected)",
        ),
    ],
)
def test_a_wrong_answer_is_complained_of(answer: JSON, complaint: str) -> None:
    """What is missing, of another type, or invented by the fake."""
    assert [complaint] == wrong("POST issues/1/autofix/", answer, status=202, body={})


def test_another_status_is_complained_of() -> None:
    """Sentry answers 202 where Seer is started, and not 200."""
    found = wrong("POST issues/1/autofix/", {"run_id": 1, "sentry_run_id": None}, body={})

    assert ["Sentry answers it never with 200"] == found


def test_of_a_refused_question_only_the_path_counts() -> None:
    """A test may ask for nonsense on purpose."""
    assert [] == wrong("GET events/?dataset=all", {"detail": "Invalid query"}, status=400)


def test_a_fake_that_is_wrong_fails_its_test() -> None:
    """When it ends, with everything that was wrong, each once."""
    with (
        pytest.raises(AssertionError, match="there is no parameter sorted"),
        shaped(lambda _: Reply(body="[]")) as fake,
    ):
        for _ in range(2):
            subprocess.run(
                [sys.executable, "-c", f"import urllib.request as u; u.urlopen('{fake.url}{ROOT}issues/?sorted=1')"],
                check=True,
            )


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_an_analysis_has_the_recorded_shape(status: str) -> None:
    """The document leaves it open; what was recorded has these fields, and these types."""
    assert [] == recorded("autofix", {"autofix": blocks(status)})


def test_a_call_that_is_described_is_not_listed_as_undescribed() -> None:
    """The list of exceptions only shrinks: an entry goes when the document has its call."""
    told = json.loads(FACTS.read_text(encoding="utf-8"))["operations"]

    assert [] == [name for name in UNDESCRIBED if name in told]


def test_every_exception_is_about_a_described_call() -> None:
    """And says why."""
    told = json.loads(FACTS.read_text(encoding="utf-8"))["operations"]

    assert [] == [name for name in (*NOT_REQUIRED, *PARTIAL) if name not in told]
