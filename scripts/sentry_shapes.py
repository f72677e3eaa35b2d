"""Writes down what Sentry's OpenAPI document says of the calls that we make: tests/support/sentry_shapes.json.

Usage: .venv/bin/python scripts/sentry_shapes.py OPENAPI [--recorded FOLDER]. The document is `openapi-derefed.json` of
https://github.com/getsentry/sentry-api-schema. Only facts are kept: paths, parameters, types, what is required and
which words are allowed. `--recorded` also writes which fields recorded answers and webhooks have, for what the
document leaves open; without it those stay as they are.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

OUT: Final = Path(__file__).resolve().parent.parent / "tests" / "support" / "sentry_shapes.json"
_ORGANIZATION: Final = "/api/0/organizations/{organization_id_or_slug}/"
OPERATIONS: Final = (
    "GET ",
    "GET issues/",
    "GET issues/{issue_id}/",
    "PUT issues/{issue_id}/",
    "GET issues/{issue_id}/autofix/",
    "POST issues/{issue_id}/autofix/",
    "GET issues/{issue_id}/events/{event_id}/",
    "GET issues/{issue_id}/tags/{key}/",
    "GET releases/",
    "GET releases/{version}/",
    "GET releases/{version}/deploys/",
    "POST releases/{version}/deploys/",
    "GET sessions/",
    "GET events/",
    "GET events-timeseries/",
    "GET teams/",
)
RECORDED: Final = {
    "autofix": "fixture_autofix_state.json",
    "autofix steps": "api_issue_autofix_state_legacy_steps.json",
    "webhook issue": "webhook_issue_created.json",
    "webhook seer": "webhook_seer_root_cause_completed.json",
}
_KEPT: Final = frozenset(
    {"type", "nullable", "enum", "required", "items", "additionalProperties", "anyOf", "oneOf", "allOf", "maxLength"}
)
_OPEN: Final = frozenset({"metadata"})
"""What these hold depends on the kind of error."""

# A schema may be any JSON.
Schema = Any


def main(arguments: list[str]) -> None:
    """Write the facts."""
    document = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    recorded = json.loads(OUT.read_text(encoding="utf-8"))["recorded"] if OUT.is_file() else {}
    if "--recorded" in arguments:
        folder = Path(arguments[arguments.index("--recorded") + 1])
        recorded = {
            name: shape_of(json.loads((folder / file).read_text(encoding="utf-8"))) for name, file in RECORDED.items()
        }
    OUT.write_text(written(facts(document), recorded), encoding="utf-8")


def facts(document: Schema) -> dict[str, Schema]:
    """Return the facts on each of our calls, by `METHOD path`."""
    found = {}
    for one in OPERATIONS:
        method, _, path = one.partition(" ")
        found[f"{method} {_ORGANIZATION}{path}"] = _operation(document["paths"][_ORGANIZATION + path][method.lower()])
    return found


def written(operations: Schema, recorded: Schema) -> str:
    """Return the file's text: a line for each call and each recorded shape, so that a change of one shows as one."""
    parts = []
    for name, table in (("operations", operations), ("recorded", recorded)):
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(one, sort_keys=True)}" for key, one in table.items())
        parts.append(f'"{name}": {{\n{lines}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def shape_of(value: Schema) -> Schema:
    """Return the schema of a recorded value: its fields and their types; a list's items may have any of the shapes."""
    if isinstance(value, dict):
        shapes_by_name = {name: {} if name in _OPEN else shape_of(one) for name, one in value.items()}
        return {"type": "object", "properties": shapes_by_name}
    if isinstance(value, list):
        shapes: list[Schema] = []
        for one in value:
            if (shape := shape_of(one)) not in shapes:
                shapes.append(shape)
        return {"type": "array", "items": {"anyOf": shapes} if shapes else {}}
    if value is None:
        return {}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names[type(value)], "nullable": True}


def _operation(said: Schema) -> Schema:
    asked = [one for one in said.get("parameters", []) if one["in"] == "query"]
    answers = {
        status: _reduced(answer.get("content", {}).get("application/json", {}).get("schema", {}))
        for status, answer in said["responses"].items()
        if status.startswith("2")
    }
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "query": {one["name"]: _reduced(one["schema"]) for one in asked},
        "needed": sorted(one["name"] for one in asked if one.get("required")),
        "body": _reduced(body) if body else None,
        "answers": answers,
    }


def _reduced(schema: Schema) -> Schema:
    if isinstance(schema, list):
        return [_reduced(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _reduced(value) for key, value in schema.items() if key in _KEPT}
    if "properties" in schema:
        found["properties"] = {name: _reduced(one) for name, one in schema["properties"].items()}
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
