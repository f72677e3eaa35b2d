"""The small Sentry's answers against the public OpenAPI document, whose path STANCH_SENTRY_OPENAPI holds."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from tests.support.farend import Asked
from tests.support.sentry import TOKEN, FakeSentry, Issue, Release, Spans, every, fake_sentry

DOCUMENT = os.environ.get("STANCH_SENTRY_OPENAPI", "")
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
START = NOW - timedelta(minutes=2)
ROOT = "/api/0/organizations/{organization_id_or_slug}/"
STRETCH = "start=2026-11-21T14:28:00&end=2026-11-21T14:30:00"

pytestmark = pytest.mark.skipif(
    not DOCUMENT or not Path(DOCUMENT).is_file(), reason="STANCH_SENTRY_OPENAPI names no OpenAPI document"
)


@pytest.fixture(scope="module")
def sentry() -> Iterator[FakeSentry]:
    """Give a Sentry with one of everything."""
    with fake_sentry() as found:
        found.issues.append(Issue(id="1", seen=every(1, start=START, end=NOW), releases=("payments@3.2.1",)))
        found.spans.append(Spans(start=START, end=NOW, ms=20.0))
        found.releases.append(Release(version="payments@3.2.1", deployed_at=START))
        yield found


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("issues/", f"issues/?{STRETCH}"),
        ("issues/{issue_id}/events/{event_id}/", "issues/1/events/latest/"),
        ("issues/{issue_id}/tags/{key}/", "issues/1/tags/release/"),
        ("events/", f"events/?dataset=spans&field=span.op&field=count()&{STRETCH}"),
        ("releases/", "releases/"),
    ],
)
def test_answers_have_the_documented_shape(sentry: FakeSentry, path: str, asked: str) -> None:
    """Types, words and nesting are those of the document; no field is there that it does not know."""
    document = json.loads(Path(DOCUMENT).read_text(encoding="utf-8"))
    answer = document["paths"][f"{ROOT}{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    request = Asked(
        method="GET",
        path=f"/api/0/organizations/shop/{asked}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        body=b"",
    )
    given = json.loads(sentry.answer(request).body)
    validator = Draft4Validator(_plain(answer))

    assert [] == [f"{list(one.absolute_path)}: {one.message}" for one in validator.iter_errors(given)]


def _plain(schema: object) -> object:
    """Return an OpenAPI 3.0 schema as JSON schema: `nullable` is a type, fields may be missing, none may be added."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _plain(value) for key, value in schema.items() if key not in ("nullable", "required", "example")}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found
