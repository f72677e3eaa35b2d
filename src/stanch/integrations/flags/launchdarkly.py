"""Flags of LaunchDarkly, by its REST API: `GET` of a flag, and semantic patches.

https://launchdarkly.com/docs/api/feature-flags. A semantic patch has no condition on a version, so the version of the
environment is compared right before it is sent; the API itself answers 409 when two patches meet.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from stanch.integrations.flags.asking import Answer, ask, encoded, path, rows, table, url_problem
from stanch.integrations.flags.model import FlagState, Switch, Told, Wanted
from stanch.kernel.errors import NotFound, Refused
from stanch.kernel.event import JSON

_URL: Final = "https://app.launchdarkly.com"
_PATCH: Final = "application/json; domain-model=launchdarkly.semanticpatch"
_API: Final = {"LD-API-Version": "20240415"}
_WHOLE: Final = 100_000
"""Weights of a rollout are thousandths of a percent."""


class LaunchDarkly:
    """Flags of one project and environment. `off` and `on` switch targeting; a share is one of the default rule."""

    name: Final = "flag.launchdarkly"
    settings: Final = ("project!", "environment!", "flag!", "token_env!", "url", "variation")

    def problems(self, told: Told) -> Sequence[str]:
        """Return what is wrong with the URL."""
        return [problem] if told["url"] and (problem := url_problem("url", told["url"])) else []

    def read(self, told: Told) -> FlagState:
        """Return what the flag is in the environment."""
        flag = table(self._ask(told, "GET", f"?env={path(told['environment'])}").body)
        here = table(table(flag.get("environments")).get(told["environment"]))
        if not here:
            raise NotFound(f"the flag {told['flag']} has no environment {told['environment']}")
        names = [str(one.get("name") or one.get("value")) for one in rows(flag.get("variations"))]
        exact: dict[str, JSON] = {
            "on": here.get("on") is True,
            "fallthrough": table(here.get("fallthrough")),
            "off_variation": here.get("offVariation"),
            "variations": [
                {"id": one.get("_id"), "value": one.get("value"), "name": one.get("name")}
                for one in rows(flag.get("variations"))
            ],
            "defaults": table(flag.get("defaults")),
        }
        warnings = []
        if here.get("rules") or here.get("targets") or here.get("contextTargets"):
            warnings.append("it has rules or targets of its own: a share is of those whom none of them fits")
        if here.get("prerequisites"):
            warnings.append("it depends on other flags")
        return FlagState(
            shown=_shown(exact, names),
            exact=exact,
            version=f"{here.get('version', flag.get('_version', ''))}",
            warnings=tuple(warnings),
        )

    def plan(self, told: Told, state: FlagState, wanted: Wanted) -> Sequence[str]:
        """Return the instructions of the patch."""
        return [
            f"PATCH {self._place(told)}",
            *(encoded(dict(one)).decode() for one in _instructions(told, state, wanted)),
        ]

    def write(self, told: Told, state: FlagState, wanted: Wanted) -> None:
        """Send the patch."""
        body: dict[str, JSON] = {
            "environmentKey": told["environment"],
            "comment": f"Stanch: {told.note or wanted.shown}",
            "instructions": [dict(one) for one in _instructions(told, state, wanted)],
        }
        self._ask(told, "PATCH", "", body=encoded(body))

    def is_now(self, told: Told, state: FlagState, wanted: Wanted) -> bool:
        """Tell whether no instruction is left to send."""
        return not _instructions(told, state, wanted)

    def evaluate(self, told: Told, wanted: Wanted) -> str:
        """Return nothing: the REST API evaluates no flag."""
        return ""

    def _place(self, told: Told) -> str:
        base = (told["url"] or _URL).rstrip("/")
        return f"{base}/api/v2/flags/{path(told['project'], told['flag'])}"

    def _ask(self, told: Told, method: str, query: str, *, body: bytes | None = None) -> Answer:
        headers = {**_API, **({"Content-Type": _PATCH} if body else {})}
        return ask(told, method, self._place(told) + query, body=body, headers=headers)


def _instructions(told: Told, state: FlagState, wanted: Wanted) -> list[Mapping[str, JSON]]:
    now = table(state.exact)
    if wanted.restore is not None:
        former = table(wanted.restore)
        found = [_turned(former.get("on") is True)] if former.get("on") != now.get("on") else []
        if former.get("fallthrough") != now.get("fallthrough"):
            found.append(_fallthrough(table(former.get("fallthrough")), now))
        return found
    is_on = wanted.switch is not Switch.OFF
    found = [_turned(is_on)] if is_on is not now.get("on") else []
    if wanted.switch is Switch.SHARE:
        weights = _weights(told, now, wanted.share)
        if weights != _weights_now(now):
            found.append({"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": dict(weights)})
    return found


def _turned(on: bool) -> Mapping[str, JSON]:
    return {"kind": "turnFlagOn" if on else "turnFlagOff"}


def _fallthrough(former: Mapping[str, JSON], now: Mapping[str, JSON]) -> Mapping[str, JSON]:
    ids = _ids(now)
    rollout = table(former.get("rollout"))
    found: dict[str, JSON] = {"kind": "updateFallthroughVariationOrRollout"}
    if not rollout:
        return {**found, "variationId": _id_of(former.get("variation"), ids)}
    found["rolloutWeights"] = _weights_of(rollout, ids)
    for theirs, ours in (("contextKind", "rolloutContextKind"), ("bucketBy", "rolloutBucketBy")):
        if isinstance(rollout.get(theirs), str):
            found[ours] = rollout[theirs]
    return found


def _weights(told: Told, now: Mapping[str, JSON], share: float) -> dict[str, JSON]:
    ids = _ids(now)
    on, off = _on_index(told, now), _off_index(now)
    if on is None or off is None or on == off:
        raise Refused("which variation is on cannot be told: name it with `variation`", reason="unknown_variation")
    weight = round(share / 100 * _WHOLE)
    return {one: weight if index == on else _WHOLE - weight if index == off else 0 for index, one in enumerate(ids)}


def _weights_now(now: Mapping[str, JSON]) -> dict[str, JSON] | None:
    ids = _ids(now)
    rollout = table(table(now.get("fallthrough")).get("rollout"))
    return dict.fromkeys(ids, 0) | _weights_of(rollout, ids) if rollout else None


def _weights_of(rollout: Mapping[str, JSON], ids: list[str]) -> dict[str, JSON]:
    return {_id_of(one.get("variation"), ids): one.get("weight", 0) for one in rows(rollout.get("variations"))}


def _id_of(index: JSON, ids: list[str]) -> str:
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(ids):
        return ids[index]
    raise Refused(f"the flag has no variation {index}", reason="unknown_variation")


def _ids(now: Mapping[str, JSON]) -> list[str]:
    return [str(one.get("id")) for one in rows(now.get("variations"))]


def _on_index(told: Told, now: Mapping[str, JSON]) -> int | None:
    found = rows(now.get("variations"))
    if wanted := told["variation"]:
        return next((at for at, one in enumerate(found) if wanted in (one.get("name"), str(one.get("value")))), None)
    if (at := next((at for at, one in enumerate(found) if one.get("value") is True), None)) is not None:
        return at
    default = table(now.get("defaults")).get("onVariation")
    return default if isinstance(default, int) else None


def _off_index(now: Mapping[str, JSON]) -> int | None:
    for index in (now.get("off_variation"), table(now.get("defaults")).get("offVariation")):
        if isinstance(index, int) and not isinstance(index, bool):
            return index
    return None


def _shown(exact: Mapping[str, JSON], names: list[str]) -> str:
    if exact["on"] is not True:
        return "off"
    fallthrough = table(exact["fallthrough"])
    if rollout := table(fallthrough.get("rollout")):
        parts = [
            f"{names[index]} {weight / 1000:g} %"
            for one in rows(rollout.get("variations"))
            if isinstance(index := one.get("variation"), int)
            and index < len(names)
            and isinstance(weight := one.get("weight"), int | float)
        ]
        return f"on for shares: {', '.join(parts)}"
    index = fallthrough.get("variation")
    return f"on ({names[index]})" if isinstance(index, int) and 0 <= index < len(names) else "on"
