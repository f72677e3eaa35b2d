"""Makes changes of releases and deploys, in the shape in which tools post them to Sentry's API.

The API is described at https://docs.sentry.io/api/releases/. A release names its projects, and the first of them is
taken for the service.
"""

from datetime import datetime
from urllib.parse import unquote

from stanch.kernel.jsontext import JsonObject
from stanch.ports.changes import Change, ChangeKind


def release_of(message: JsonObject, *, now: datetime) -> tuple[Change, dict[str, object]]:
    """Return the change that a new release is, and the answer that a tool expects."""
    version = message.needed("version")
    service = _project(message)
    commits = message.objects("commits")
    refs = message.objects("refs")
    commit = (
        message.text("ref") or (refs[0].text("commit") if refs else "") or (commits[0].text("id") if commits else "")
    )
    change = Change(
        id=f"sentry/release/{service}/{version}",
        at=message.instant("dateReleased") or now,
        kind=ChangeKind.TAG,
        service=service,
        title=f"release {version}",
        version=version,
        previous=refs[0].text("previousCommit") if refs else "",
        commit=commit,
        author=commits[0].text("author_name") if commits else "",
        source="sentry",
        url=message.text("url"),
    )
    projects: list[object] = [{"slug": service, "name": service}] if service else []
    return change, {"version": version, "dateCreated": now.isoformat(), "projects": projects}


def deploy_of(message: JsonObject, path: str, *, now: datetime) -> tuple[Change, dict[str, object]]:
    """Return the change that a deploy is; its version stands in the path."""
    version = unquote(path.rstrip("/").rsplit("/", 2)[-2])
    environment = message.needed("environment")
    service = _project(message)
    finished_at = message.instant("dateFinished") or now
    change = Change(
        id=f"sentry/deploy/{service}/{version}/{environment}/{finished_at.isoformat()}",
        at=finished_at,
        kind=ChangeKind.DEPLOY,
        service=service,
        title=f"{message.text('name') or version} deployed to {environment}",
        version=version,
        source="sentry",
        url=message.text("url"),
        data={"environment": environment},
    )
    return change, {"id": change.id, "environment": environment, "dateFinished": finished_at.isoformat()}


def _project(message: JsonObject) -> str:
    words = message.words("projects")
    if words:
        return words[0]
    projects = message.data.get("projects")
    if isinstance(projects, list) and projects and isinstance(projects[0], dict):
        return message.objects("projects")[0].text("slug")
    return ""
