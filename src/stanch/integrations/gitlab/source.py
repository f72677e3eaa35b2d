"""Understands webhooks of a project or a group. All of them become changes; none is an alert."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.signals import Inbound, Parsed

_NONE: Final = "0" * 40
_ENDED: Final = frozenset({"success", "failed", "canceled"})
_SIGNING: Final = "whsec_"
# Older than this is a message that somebody kept and sends again (standardwebhooks.com asks for a tolerance).
_TOLERANCE: Final = timedelta(minutes=10)


class GitLab:
    """Webhooks with a plain token, or signed as https://www.standardwebhooks.com describes it."""

    @property
    def name(self) -> str:
        """Return `gitlab`."""
        return "gitlab"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the signature when `secret` is a signing key (`whsec_...`), otherwise `X-Gitlab-Token`."""
        if secret.startswith(_SIGNING):
            _check_signature(request, secret.removeprefix(_SIGNING), now=now)
        elif not hmac.compare_digest(request.headers.get("x-gitlab-token", "").encode(), secret.encode()):
            raise Forbidden("the token does not fit", reason="bad_token", hint="set the webhook's secret token")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the change; an event that changes nothing is taken and remarked on."""
        message = read_object(request.body)
        headers = request.headers
        delivery = headers.get("idempotency-key") or headers.get("webhook-id") or headers.get("x-gitlab-event-uuid", "")
        match message.text("object_kind"):
            case "deployment":
                found = _deployment(message, now)
            case "push" | "tag_push":
                found = _push(message, now)
            case "release":
                found = _release(message, now)
            case kind:
                found = f"{kind or 'the event'} changes nothing"
        if isinstance(found, str):
            return Parsed(delivery=delivery, remark=found)
        return Parsed(changes=(found,), delivery=delivery)


def _check_signature(request: Inbound, encoded: str, *, now: datetime) -> None:
    id, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Forbidden("the signing key is not base64", reason="bad_secret") from None
    signed = b".".join((id.encode(), stamp.encode(), request.body))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = request.headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise Forbidden("the signature does not fit", reason="bad_signature")
    # Signed, so it can be believed: a repetition of an old message is not taken.
    if not stamp.isdecimal() or len(stamp) > 12 or abs(now.timestamp() - int(stamp)) > _TOLERANCE.total_seconds():
        raise Forbidden("the message is too old", reason="too_old", hint="check the clocks of both machines")


def _service(message: JsonObject) -> str:
    project = message.object("project")
    return project.text("path_with_namespace").rpartition("/")[2] or project.text("name")


def _project(message: JsonObject) -> str:
    project = message.object("project")
    return project.text("path_with_namespace") or project.text("id")


def _deployment(message: JsonObject, now: datetime) -> Change | str:
    status = message.needed("status").lower()
    if status not in _ENDED:
        return f"the deployment is {status}"
    environment = message.text("environment")
    commit = message.text("commit_url").rpartition("/")[2] or message.text("short_sha")
    failed = "" if status == "success" else f" ({status})"
    return Change(
        id=f"gitlab/{_project(message)}/deployment/{message.needed('deployment_id')}",
        at=message.instant("status_changed_at") or now,
        kind=ChangeKind.DEPLOY,
        service=_service(message),
        title=f"{message.text('commit_title') or message.text('short_sha')} deployed to {environment}{failed}",
        version=message.text("short_sha"),
        commit=commit,
        author=message.object("user").text("name"),
        source="gitlab",
        url=message.text("deployable_url"),
        data={"environment": environment, "state": status},
    )


def _push(message: JsonObject, now: datetime) -> Change | str:
    ref, after = message.needed("ref"), message.text("checkout_sha") or message.text("after")
    if after == _NONE or message.text("after") == _NONE:
        return f"{ref} was deleted"
    is_tag = ref.startswith("refs/tags/")
    branch, default = ref.removeprefix("refs/heads/"), message.object("project").text("default_branch")
    if not is_tag and default and branch != default:
        return f"{branch} is not the default branch"
    commits = message.objects("commits")
    last = commits[-1] if commits else JsonObject({})
    tag = ref.removeprefix("refs/tags/") if is_tag else ""
    said = last.text("title") or last.text("message").strip()
    names = (name for one in commits for kind in ("added", "modified", "removed") for name in one.words(kind))
    return Change(
        id=f"gitlab/{_project(message)}/push/{tag or after}",
        at=last.instant("timestamp") or now,
        kind=ChangeKind.TAG if is_tag else ChangeKind.COMMIT,
        service=_service(message),
        title=f"tag {tag}" if is_tag else said.split("\n", 1)[0] or f"a push to {branch}",
        version=tag,
        previous="" if message.text("before") == _NONE else message.text("before"),
        commit=after,
        author=message.text("user_name"),
        paths=tuple(dict.fromkeys(names))[:1000],
        source="gitlab",
        url=last.text("url"),
    )


def _release(message: JsonObject, now: datetime) -> Change | str:
    tag = message.needed("tag")
    action = message.text("action")
    if action not in ("create", "update", ""):
        return f"the release {tag}: {action}"
    return Change(
        id=f"gitlab/{_project(message)}/release/{tag}",
        at=message.instant("released_at") or message.instant("created_at") or now,
        kind=ChangeKind.TAG,
        service=_service(message),
        title=f"release {message.text('name') or tag}",
        version=tag,
        commit=message.object("commit").text("id"),
        source="gitlab",
        url=message.text("url"),
    )
