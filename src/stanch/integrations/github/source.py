"""Understands webhooks of a repository or an organisation. All of them become changes; none is an alert."""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs

from stanch.kernel.errors import Forbidden, Invalid
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.signals import Inbound, Parsed

_NONE: Final = "0" * 40
_ENDED: Final = frozenset({"success", "failure", "error"})
# A run of tests changes nothing; one that delivers something is called so.
_DELIVERS: Final = re.compile(r"deploy|release|rollout|publish|promote|ship", re.IGNORECASE)
_EVENTS: Final = ("deployment_status", "workflow_run", "deployment", "release")


class GitHub:
    """Webhooks, as JSON or as a form, signed with the webhook's secret."""

    @property
    def name(self) -> str:
        """Return `github`."""
        return "github"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check `X-Hub-Signature-256` over the raw body, form or not."""
        expected = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get("x-hub-signature-256", "").encode()):
            raise Forbidden("the signature does not fit", reason="bad_signature", hint="set the webhook's secret")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the change; an event that changes nothing is taken and remarked on."""
        message = _message(request)
        delivery = request.headers.get("x-github-delivery", "")
        event = request.headers.get("x-github-event", "").lower() or _event(message)
        read = _READ.get(event)
        found = f"{event or 'the event'} changes nothing" if read is None else read(message, now)
        if isinstance(found, str):
            return Parsed(delivery=delivery, remark=found)
        return Parsed(changes=(found,), delivery=delivery)


def _message(request: Inbound) -> JsonObject:
    if request.content_type != "application/x-www-form-urlencoded":
        return read_object(request.body)
    try:
        payload = parse_qs(request.body.decode("utf-8", "replace"), max_num_fields=10).get("payload", [""])[0]
    except ValueError as error:
        raise Invalid(f"is no form: {error}", field="body") from None
    if not payload:
        raise Invalid("is missing", field="payload")
    return read_object(payload.encode("utf-8", "replace"))


def _event(message: JsonObject) -> str:
    """Return the event by what is in the body, for proxies in between that dropped the header."""
    found = next((name for name in _EVENTS if name in message), "")
    return found or ("ping" if "zen" in message else "push" if "ref" in message and "commits" in message else "")


def _repository(message: JsonObject) -> JsonObject:
    return message.object("repository")


def _deployment(message: JsonObject, now: datetime) -> Change | str:
    return _deploy(message, now, at=message.object("deployment").instant("created_at"), state="created")


def _deployment_status(message: JsonObject, now: datetime) -> Change | str:
    status = message.object("deployment_status")
    state = status.needed("state").lower()
    if state not in _ENDED:
        return f"the deployment is {state}"
    return _deploy(message, now, at=status.instant("created_at"), state=state)


def _deploy(message: JsonObject, now: datetime, *, at: datetime | None, state: str) -> Change:
    # `deployment` and its final status are one change: whichever comes first sets its time.
    deployment, repository = message.object("deployment"), _repository(message)
    environment = deployment.text("environment") or message.object("deployment_status").text("environment")
    commit, ref = deployment.text("sha"), deployment.text("ref")
    failed = " (failed)" if state in ("failure", "error") else ""
    return Change(
        id=f"github/{repository.text('full_name')}/deployment/{deployment.needed('id')}",
        at=at or now,
        kind=ChangeKind.DEPLOY,
        service=repository.text("name"),
        title=f"{ref or commit[:10]} deployed to {environment or 'its environment'}{failed}",
        version=ref if ref and ref != commit else commit[:10],
        commit=commit,
        author=deployment.object("creator").text("login"),
        source="github",
        url=repository.text("html_url"),
        data={"environment": environment, "state": state},
    )


def _push(message: JsonObject, now: datetime) -> Change | str:
    repository, ref, after = _repository(message), message.needed("ref"), message.text("after")
    if after == _NONE or message.data.get("deleted") is True:
        return f"{ref} was deleted"
    is_tag = ref.startswith("refs/tags/")
    branch = ref.removeprefix("refs/heads/")
    default = repository.text("default_branch")
    if not is_tag and default and branch != default:
        return f"{branch} is not the default branch"
    head, commits = message.object("head_commit"), message.objects("commits")
    tag = ref.removeprefix("refs/tags/") if is_tag else ""
    said = head.text("message").strip().splitlines()
    return Change(
        id=f"github/{repository.text('full_name')}/push/{tag or after}",
        at=head.instant("timestamp") or now,
        kind=ChangeKind.TAG if is_tag else ChangeKind.COMMIT,
        service=repository.text("name"),
        title=f"tag {tag}" if is_tag else (said[0] if said else f"{len(commits)} commits on {branch}"),
        version=tag,
        previous="" if message.text("before") == _NONE else message.text("before"),
        commit=after,
        author=head.object("author").text("name") or message.object("pusher").text("name"),
        paths=_paths([*commits, head]),
        source="github",
        url=message.text("compare"),
    )


def _paths(commits: list[JsonObject]) -> tuple[str, ...]:
    names = (name for one in commits for kind in ("added", "modified", "removed") for name in one.words(kind))
    return tuple(dict.fromkeys(names))[:1000]


def _workflow_run(message: JsonObject, now: datetime) -> Change | str:
    run, repository = message.object("workflow_run"), _repository(message)
    name = run.text("name") or message.object("workflow").text("name")
    if message.text("action") != "completed":
        return f"the run of {name} is not over"
    conclusion = run.text("conclusion")
    if conclusion != "success" or not _DELIVERS.search(name):
        return f"the run of {name} ended with {conclusion or 'nothing'} and delivered nothing"
    commit = run.text("head_sha") or run.object("head_commit").text("id")
    return Change(
        id=f"github/{repository.text('full_name')}/run/{run.needed('id')}/{run.text('run_attempt') or '1'}",
        at=run.instant("updated_at") or now,
        kind=ChangeKind.DEPLOY,
        service=repository.text("name"),
        title=f"{name} ran for {run.text('head_branch') or commit[:10]}",
        version=commit[:10],
        commit=commit,
        author=run.object("actor").text("login"),
        source="github",
        url=run.text("html_url"),
    )


def _release(message: JsonObject, now: datetime) -> Change | str:
    release, repository = message.object("release"), _repository(message)
    action, tag = message.text("action"), release.needed("tag_name")
    if action not in ("published", "released"):
        return f"the release {tag} was {action or 'touched'}"
    return Change(
        id=f"github/{repository.text('full_name')}/release/{tag}",
        at=release.instant("published_at") or now,
        kind=ChangeKind.TAG,
        service=repository.text("name"),
        title=f"release {release.text('name') or tag}",
        version=tag,
        author=release.object("author").text("login"),
        source="github",
        url=release.text("html_url"),
    )


_READ: Final[dict[str, Callable[[JsonObject, datetime], Change | str]]] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "push": _push,
    "workflow_run": _workflow_run,
    "release": _release,
}
