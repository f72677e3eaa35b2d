"""An API server that keeps what it is told: the calls that a roll-out, a scale or a patch is made of.

It speaks discovery, GET and lists with label selectors, POST of a SelfSubjectAccessReview, PUT, and PATCH in the three
kinds (JSON, merge, strategic) with resource versions, generations and `dryRun=All`; and it plays the controller of
deployments, which comes one replica further each time the deployment is read.
"""

import copy
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

# JSON of any shape: what a test's server holds is whatever kubectl sends.
Object = dict[str, Any]

APPS = "/apis/apps/v1/namespaces/shop"
CORE = "/api/v1/namespaces/shop"
SCALING = "/apis/autoscaling/v2/namespaces/shop"
NETWORK = "/apis/networking.k8s.io/v1/namespaces/shop"
_REVISION = "deployment.kubernetes.io/revision"
_KINDS = {
    ("", "v1"): {"pods": "Pod", "services": "Service", "configmaps": "ConfigMap", "events": "Event"},
    ("apps", "v1"): {
        "deployments": "Deployment",
        "replicasets": "ReplicaSet",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
        "controllerrevisions": "ControllerRevision",
    },
    ("autoscaling", "v2"): {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    ("networking.k8s.io", "v1"): {"ingresses": "Ingress"},
    ("authorization.k8s.io", "v1"): {"selfsubjectaccessreviews": "SelfSubjectAccessReview"},
}
_SCALABLE = ("deployments", "statefulsets", "replicasets")


class Failure(Exception):
    """An answer that is a Status."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        self.code, self.reason, self.message, self.details = code, reason, message, details or {}
        super().__init__(message)


@dataclass
class ApiServer:
    """A cluster of one namespace. `denied` are `verb resource[/subresource]`; `stuck` roll-outs get no new replica."""

    url: str = ""
    objects: dict[str, Object] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    stuck: bool = False
    heard: list[tuple[str, str, str]] = field(default_factory=list)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    """What happens just before the next patches are applied, one each: somebody else's change."""
    version: int = 100

    def put(self, path: str, item: Object) -> Object:
        """Keep an object as a new one."""
        metadata = item.setdefault("metadata", {})
        metadata.setdefault("name", path.rpartition("/")[2])
        metadata.setdefault("namespace", "shop")
        metadata.setdefault("uid", f"uid-{metadata['name']}-{path.split('/')[-2]}")
        metadata.setdefault("generation", 1)
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.objects[path] = {"kind": _kind_of(path), "apiVersion": _api_of(path), **item}
        return self.objects[path]

    def touch(self, path: str, change: Callable[[Object], None]) -> None:
        """Change an object as somebody else does: a new resource version, a new generation with a new spec."""
        before = copy.deepcopy(self.objects[path])
        change(self.objects[path])
        self._stamp(self.objects[path], before)

    def writes(self) -> list[tuple[str, str]]:
        """Return method and path of what was changed, dry runs and questions left out."""
        return [
            (method, path.partition("?")[0])
            for method, path, _ in self.heard
            if method not in ("GET", "POST") and "dryRun=All" not in path
        ]

    def _stamp(self, item: Object, before: Object) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        if item.get("spec") != before.get("spec"):
            item["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1

    def answer(self, method: str, target: str, body: bytes, kind: str) -> tuple[int, Object]:
        """Answer one request."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.heard.append((method, target, body.decode()))
        try:
            if method == "POST" and parts.path.endswith("/selfsubjectaccessreviews"):
                return 201, self._review(json.loads(body))
            if method == "GET":
                return 200, self._get(parts.path, query)
            self._refuse_denied({"PATCH": "patch", "PUT": "update"}.get(method, method.lower()), parts.path)
            if method == "PATCH":
                return 200, self._patch(parts.path, json.loads(body), kind, dry=query.get("dryRun") == "All")
            if method == "PUT":
                whole = json.loads(body)
                return 200, self._patch(parts.path, whole, "replace", dry=query.get("dryRun") == "All")
            raise Failure(405, "MethodNotAllowed", "the server does not allow this method")
        except Failure as failure:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {}}
            return failure.code, {
                **status,
                "message": failure.message,
                "reason": failure.reason,
                "code": failure.code,
                "details": failure.details,
            }

    def _get(self, path: str, query: dict[str, str]) -> Object:
        if (found := _discovery(path)) is not None:
            return found
        if path in self.objects:
            self._control(path)
            return self.objects[path]
        if path.endswith("/scale") and path.removesuffix("/scale") in self.objects:
            return self._scale(path.removesuffix("/scale"))
        resource = path.rpartition("/")[2]
        if "/namespaces/" not in path:
            raise Failure(404, "NotFound", "the server could not find the requested resource")
        if resource not in {name for kinds in _KINDS.values() for name in kinds}:
            group = "" if path.startswith("/api/v1") else "." + path.split("/")[2]
            what = f"{path.split('/')[-2]}{group}"
            raise Failure(404, "NotFound", f'{what} "{resource}" not found')
        self._refuse_denied("list", path + "/")
        wanted = dict(one.split("=", 1) for one in query.get("labelSelector", "").split(",") if "=" in one)
        items = [
            item
            for at, item in self.objects.items()
            if at.rpartition("/")[0] == path
            and wanted.items() <= item["metadata"].get("labels", {}).items()
            and query.get("fieldSelector", "").removeprefix("metadata.name=") in ("", item["metadata"]["name"])
        ]
        return {
            "kind": f"{_kind_of(path + '/x')}List",
            "apiVersion": _api_of(path),
            "metadata": {"resourceVersion": str(self.version)},
            "items": items,
        }

    def _scale(self, path: str) -> Object:
        item = self.objects[path]
        metadata = {name: item["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
        # A number that is zero is left out, as the real one does.
        spec = {"replicas": item["spec"]["replicas"]} if item["spec"]["replicas"] else {}
        status = {"replicas": item.get("status", {}).get("replicas", 0)}
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}

    def _patch(self, path: str, patch: Any, kind: str, *, dry: bool) -> Object:
        owner = path.removesuffix("/scale")
        if owner not in self.objects:
            resource, name = owner.split("/")[-2:]
            raise Failure(404, "NotFound", f'{resource}.apps "{name}" not found')
        if self.meanwhile and not dry:
            self.meanwhile.pop(0)()
        before = self._scale(owner) if path != owner else self.objects[owner]
        after = _patched(copy.deepcopy(before), patch, kind)
        resource = f"{owner.split('/')[-2]}.apps"
        if after["metadata"].get("resourceVersion") != before["metadata"]["resourceVersion"]:
            said = "the object has been modified; please apply your changes to the latest version and try again"
            name = owner.rpartition("/")[2]
            raise Failure(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": {said}')
        self._complain(after, owner)
        if dry:
            return after
        if path != owner:
            self.touch(owner, lambda item: item["spec"].update(replicas=after["spec"].get("replicas", 0)))
            return self._scale(owner)
        self._stamp(after, before)
        self.objects[owner] = after
        return after

    def _complain(self, item: Object, path: str) -> None:
        selector = item.get("spec", {}).get("selector", {})
        template = item.get("spec", {}).get("template")
        if (
            template is not None
            and not selector.get("matchLabels", {}).items() <= template["metadata"]["labels"].items()
        ):
            where, said = "spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`"
            name = path.rpartition("/")[2]
            causes = [{"reason": "FieldValueInvalid", "message": said, "field": where}]
            details = {"name": name, "group": "apps", "kind": item["kind"], "causes": causes}
            raise Failure(422, "Invalid", f'{item["kind"]}.apps "{name}" is invalid: {where}: {said}', details)

    def _refuse_denied(self, verb: str, path: str) -> None:
        parts = path.rstrip("/").split("/")
        resource = parts[-2] if not path.endswith("/") and parts[-1] != "scale" else parts[-1]
        what = f"{parts[-3]}/scale" if parts[-1] == "scale" else resource
        if f"{verb} {what}" in self.denied:
            user = 'User "system:serviceaccount:stanch:stanch"'
            raise Failure(403, "Forbidden", f'{what} is forbidden: {user} cannot {verb} resource "{what}"')

    def _review(self, review: Object) -> Object:
        asked = review["spec"]["resourceAttributes"]
        what = asked["resource"] + (f"/{asked['subresource']}" if asked.get("subresource") else "")
        allowed = f"{asked['verb']} {what}" not in self.denied
        return {**review, "status": {"allowed": allowed, "reason": "" if allowed else "no rule of RBAC allows it"}}

    def _control(self, path: str) -> None:
        """Come one step further with a deployment, as its controller does."""
        item = self.objects[path]
        if item["kind"] != "Deployment" or item["spec"].get("paused"):
            return
        status = item.setdefault("status", {})
        before = copy.deepcopy(status)
        if status.get("observedGeneration") != item["metadata"]["generation"]:
            status["observedGeneration"] = item["metadata"]["generation"]
            if self._take_template(path, item):
                status["updatedReplicas"] = status["availableReplicas"] = 0
        wanted = item["spec"]["replicas"]
        updated = status.get("updatedReplicas", 0)
        if not self.stuck:
            updated += (updated < wanted) - (updated > wanted)
            status["availableReplicas"] = updated
        status["updatedReplicas"] = updated
        status["replicas"] = updated
        if status != before:
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)

    def _take_template(self, path: str, item: Object) -> bool:
        """Give the template its ReplicaSet and that one the next revision; an old one is used again."""
        name = item["metadata"]["name"]
        owned = [
            one
            for one in self.objects.values()
            if one["kind"] == "ReplicaSet" and one["metadata"]["ownerReferences"][0]["uid"] == item["metadata"]["uid"]
        ]
        next_revision = 1 + max((int(one["metadata"]["annotations"][_REVISION]) for one in owned), default=0)
        template = _without_hash(item["spec"]["template"])
        for one in owned:
            if _without_hash(one["spec"]["template"]) == template:
                if int(one["metadata"]["annotations"][_REVISION]) == next_revision - 1:
                    return False
                one["metadata"]["annotations"][_REVISION] = str(next_revision)
                return True
        made = replicaset(f"{name}-{next_revision:03}", owner=name, revision=next_revision, template=template)
        self.put(f"{path.rpartition('/')[0].removesuffix('/deployments')}/replicasets/{name}-{next_revision:03}", made)
        return True


def kubeconfig(url: str) -> str:
    """Return the configuration with which kubectl finds the server."""
    named = {
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": "hunter2hunter2"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "test", **named})


def template(image: str, *, app: str = "payments", env: list[Object] | None = None) -> Object:
    """Return a pod template with one container."""
    container: Object = {"name": app, "image": image}
    if env:
        container["env"] = env
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}


def replicaset(name: str, *, owner: str, revision: int, template: Object) -> Object:
    """Return a revision of a deployment."""
    labelled = copy.deepcopy(template)
    labelled["metadata"]["labels"]["pod-template-hash"] = name.rpartition("-")[2]
    return {
        "metadata": {
            "name": name,
            "labels": dict(labelled["metadata"]["labels"]),
            "annotations": {_REVISION: str(revision)},
            "ownerReferences": [
                {"kind": "Deployment", "name": owner, "uid": f"uid-{owner}-deployments", "controller": True}
            ],
        },
        "spec": {"replicas": 0, "template": labelled},
    }


def shop(*, env: list[Object] | None = None) -> ApiServer:
    """Return a namespace in which payments was rolled out from v3.2.0 to v3.2.1, with two replicas."""
    server = ApiServer()
    bad = template("shop/payments:v3.2.1", env=env)
    server.put(
        f"{APPS}/deployments/payments",
        {
            "metadata": {"labels": {"app": "payments"}, "annotations": {_REVISION: "3"}},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "payments"}},
                "strategy": {"type": "RollingUpdate"},
                "template": bad,
            },
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        },
    )
    for number, image in ((1, "shop/payments:v3.1.0"), (2, "shop/payments:v3.2.0")):
        name = f"payments-{number:03}"
        made = replicaset(name, owner="payments", revision=number, template=template(image))
        server.put(f"{APPS}/replicasets/{name}", made)
    server.put(
        f"{APPS}/replicasets/payments-003", replicaset("payments-003", owner="payments", revision=3, template=bad)
    )
    return server


@contextmanager
def serving(server: ApiServer) -> Iterator[ApiServer]:
    """Serve while the block runs."""
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one request."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer as the API server does."""
            body = self._body()
            kind = (self.headers.get("Content-Type") or "").removeprefix("application/").removesuffix("-patch+json")
            with lock:
                code, answer = server.answer(self.command, self.path, body, kind)
                sent = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # What kubectl sends with `--raw` comes in pieces.
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def _kind_of(path: str) -> str:
    resource = path.split("/")[-2]
    return next(kinds[resource] for kinds in _KINDS.values() if resource in kinds)


def _api_of(path: str) -> str:
    parts = path.split("/")
    return "v1" if parts[1] == "api" else f"{parts[2]}/{parts[3]}"


def _discovery(path: str) -> Object | None:
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [
            {
                "name": name,
                "versions": [{"groupVersion": f"{name}/{version}", "version": version}],
                "preferredVersion": {"groupVersion": f"{name}/{version}", "version": version},
            }
            for name, version in _KINDS
            if name
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    for (name, version), kinds in _KINDS.items():
        if path == (f"/apis/{name}/{version}" if name else f"/api/{version}"):
            verbs = ["get", "list", "watch", "patch", "update"]
            listed = [
                {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
                for plural, kind in kinds.items()
            ]
            listed += [
                {
                    "name": f"{plural}/scale",
                    "singularName": "",
                    "namespaced": True,
                    "group": "autoscaling",
                    "version": "v1",
                    "kind": "Scale",
                    "verbs": ["get", "patch", "update"],
                }
                for plural in kinds
                if plural in _SCALABLE
            ]
            group = f"{name}/{version}" if name else version
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": listed}
    return None


def _without_hash(template: Object) -> Object:
    bare = copy.deepcopy(template)
    bare["metadata"].get("labels", {}).pop("pod-template-hash", None)
    return bare


def _patched(item: Object, patch: Any, kind: str) -> Object:
    match kind:
        case "json":
            return _json_patched(item, patch)
        case "replace":
            return patch if isinstance(patch, dict) else item
        case "merge" | "strategic-merge":
            merged = _merged(item, patch, strategic=kind != "merge")
            return merged if isinstance(merged, dict) else item
        case _:
            raise Failure(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {kind}")


def _json_patched(item: Object, patch: list[Object]) -> Object:
    """Apply a JSON Patch (RFC 6902) as far as kubectl and Stanch use it."""
    failed = Failure(422, "Invalid", "the server rejected our request due to an error in our request")
    for operation in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        place: Any = item
        try:
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
        except (KeyError, IndexError):
            raise failed from None
        key: Any = last if isinstance(place, dict) else (len(place) if last == "-" else int(last))
        there = key in place if isinstance(place, dict) else key < len(place)
        match operation["op"]:
            case "add" if isinstance(place, list):
                place.insert(key, operation["value"])
            case "add":
                place[key] = operation["value"]
            case "replace" if there:
                place[key] = operation["value"]
            case "remove" if there:
                del place[key]
            case "test" if there and place[key] == operation["value"]:
                pass
            case _:
                raise failed
    return item


def _merged(item: Any, patch: Any, *, strategic: bool) -> Any:
    """Apply a merge patch (RFC 7386); a strategic one also merges lists of named things by their names."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(item) if isinstance(item, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif strategic and name in ("containers", "env") and isinstance(value, list):
            merged[name] = _merged_list(merged.get(name, []), value)
        elif not re.fullmatch(r"\$setElementOrder/.*", name):
            merged[name] = _merged(merged.get(name), value, strategic=strategic)
    return merged


def _merged_list(items: list[Object], patch: list[Object]) -> list[Object]:
    merged = {one["name"]: one for one in items}
    for one in patch:
        if one.get("$patch") == "delete":
            merged.pop(one["name"], None)
        else:
            merged[one["name"]] = _merged(merged.get(one["name"]), one, strategic=True)
    return list(merged.values())
