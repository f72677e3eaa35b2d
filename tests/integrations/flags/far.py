"""Far ends of the flag actuators, as their APIs are documented: LaunchDarkly, Unleash, flagd with OFREP, our own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply

TOKEN = "api-0123abcd-hunter2"


@dataclass
class Far:
    """What a far end keeps. `meanwhile` is what somebody else does right before a write is answered."""

    state: dict[str, JSON]
    asked: list[Asked] = field(default_factory=list)
    meanwhile: Callable[[], None] | None = None
    refuses: int = 0
    swallows: bool = False

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        self.asked.append(asked)
        authorization = asked.headers.get("Authorization", "")
        if authorization.removeprefix("Bearer ") != TOKEN:
            return _json(401, {"message": f"invalid token {authorization}"})
        if asked.method == "GET":
            return self.told(asked)
        if self.refuses:
            return _json(self.refuses, {"message": "not for you", "sent": TOKEN})
        if self.swallows:
            return _json(200, {})
        if self.meanwhile is not None:
            self.meanwhile()
        return self.changed(asked)

    def told(self, asked: Asked) -> Reply:
        """Answer a GET."""
        raise NotImplementedError

    def changed(self, asked: Asked) -> Reply:
        """Answer anything else."""
        raise NotImplementedError

    @property
    def is_on(self) -> JSON:
        """Return whether the flag is on."""
        raise NotImplementedError


def _json(status: int, body: object, **headers: str) -> Reply:
    found = (("Content-Type", "application/json"), *headers.items())
    return Reply(status=status, body=json.dumps(body) if body is not None else "", headers=found)


class LaunchDarklyFar(Far):
    """One flag, `fast`, of the project `shop`: a boolean one that is on in production."""

    def __init__(self) -> None:
        """Start as a flag that serves its first variation."""
        variations: list[JSON] = [
            {"_id": "id-true", "value": True, "name": "Fast"},
            {"_id": "id-false", "value": False, "name": "Slow"},
        ]
        self.here: dict[str, JSON] = {"on": True, "fallthrough": {"variation": 0}, "offVariation": 1, "rules": []}
        self.version = 41
        super().__init__({"key": "fast", "kind": "boolean", "_version": 7, "variations": variations})
        self.state["defaults"] = {"onVariation": 0, "offVariation": 1}
        self.state["environments"] = {"production": self.here}

    @property
    def is_on(self) -> JSON:
        """Return whether its targeting is on."""
        return self.here["on"]

    def told(self, asked: Asked) -> Reply:
        """Tell the flag, with the version of the environment."""
        if urlsplit(asked.path).path != "/api/v2/flags/shop/fast":
            return _json(404, {"code": "not_found", "message": "Unknown feature flag key"})
        here = {**self.here, "version": self.version}
        return _json(200, {**self.state, "environments": {"production": here}})

    def changed(self, asked: Asked) -> Reply:
        """Carry out a semantic patch."""
        if "domain-model=launchdarkly.semanticpatch" not in asked.headers.get("Content-Type", ""):
            return _json(400, {"code": "invalid_request", "message": "invalid patch"})
        ids = ["id-true", "id-false"]
        for one in json.loads(asked.body)["instructions"]:
            match one["kind"]:
                case "turnFlagOn" | "turnFlagOff":
                    self.here["on"] = one["kind"] == "turnFlagOn"
                case "updateFallthroughVariationOrRollout" if "variationId" in one:
                    self.here["fallthrough"] = {"variation": ids.index(one["variationId"])}
                case "updateFallthroughVariationOrRollout" if sum(one["rolloutWeights"].values()) == 100_000:
                    weights = one["rolloutWeights"]
                    parts: list[JSON] = [{"variation": at, "weight": weights[name]} for at, name in enumerate(ids)]
                    self.here["fallthrough"] = {"rollout": {"variations": parts}}
                case _:
                    return _json(400, {"code": "invalid_request"})
        self.version += 1
        return self.told(asked)


class UnleashFar(Far):
    """One flag, `fast`, of the project `shop`: on in production by one gradual rollout for everybody."""

    PLACE = "/api/admin/projects/shop/features/fast/environments/production"

    def __init__(self) -> None:
        """Start as a flag that is on for everybody."""
        self.strategies: list[JSON] = [
            {
                "id": "7dcaa8c2",
                "name": "flexibleRollout",
                "title": "everybody",
                "parameters": {"rollout": "100", "stickiness": "default", "groupId": "fast"},
                "constraints": [{"contextName": "country", "operator": "IN", "values": ["fi"]}],
                "segments": [],
                "variants": [],
                "disabled": False,
                "sortOrder": 0,
            }
        ]
        super().__init__({"name": "production", "enabled": True, "strategies": self.strategies})

    @property
    def is_on(self) -> JSON:
        """Return whether its environment is on."""
        return self.state["enabled"]

    def told(self, asked: Asked) -> Reply:
        """Tell the flag in its environment."""
        return _json(200, self.state) if asked.path == self.PLACE else _json(404, {"name": "NotFoundError"})

    def changed(self, asked: Asked) -> Reply:
        """Switch the environment, or replace a strategy."""
        rest = asked.path.removeprefix(self.PLACE)
        if asked.method == "POST" and rest in ("/on", "/off"):
            self.state["enabled"] = rest == "/on"
            return _json(200, None)
        if asked.method == "PUT" and rest == "/strategies/7dcaa8c2":
            self.strategies[0] = {"id": "7dcaa8c2", **json.loads(asked.body)}
            return _json(200, self.strategies[0])
        return _json(404, {"name": "NotFoundError"})


class OwnFar(Far):
    """A service with flags of its own: `GET` tells the value with an entity tag, `PUT` compares it (RFC 9110)."""

    def __init__(self) -> None:
        """Start as a flag that is on."""
        self.revision = 3
        super().__init__({"flag": {"name": "fast", "value": True}})

    @property
    def is_on(self) -> JSON:
        """Return its value."""
        flag = self.state["flag"]
        return flag["value"] if isinstance(flag, dict) else None

    def told(self, asked: Asked) -> Reply:
        """Tell the flag."""
        if unquote(asked.path) != "/flags/fast":
            return _json(404, {})
        return _json(200, self.state, ETag=f'"{self.revision}"')

    def changed(self, asked: Asked) -> Reply:
        """Take a value when the tag fits."""
        if asked.headers.get("If-Match") != f'"{self.revision}"':
            return _json(412, {"message": "somebody was faster"})
        self.revision += 1
        self.state["flag"] = {"name": "fast", "value": json.loads(asked.body)["value"]}
        return _json(200, self.state)


FAST: JSON = {
    "state": "ENABLED",
    "variants": {"quick": True, "steady": False},
    "defaultVariant": "steady",
    "targeting": {"if": [{"in": ["@example.com", {"var": "email"}]}, "quick", None]},
}
OTHER: JSON = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
FLAGD: JSON = {"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": {"fast": FAST, "other": OTHER}}


@dataclass
class FlagdFar:
    """flagd's evaluation of its file, by OFREP. A share is served by the number in the key, not by its hash."""

    file: Path

    def answer(self, asked: Asked) -> Reply:
        """Evaluate a flag."""
        name = unquote(asked.path.removeprefix("/ofrep/v1/evaluate/flags/"))
        flags = json.loads(self.file.read_text())["flags"]
        if name not in flags:
            return _json(404, {"key": name, "errorCode": "FLAG_NOT_FOUND"})
        flag = flags[name]
        variant, reason = flag["defaultVariant"], "STATIC"
        if parts := flag.get("targeting", {}).get("fractional"):
            number = int(json.loads(asked.body)["context"]["targetingKey"].rpartition("-")[2])
            variant = parts[0][0] if number * 2.5 < parts[0][1] else parts[1][0]
            reason = "SPLIT"
        told = {"key": name, "reason": reason, "variant": variant, "value": flag["variants"][variant]}
        return _json(200, {**told, "metadata": {}})
