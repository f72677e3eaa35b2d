"""Flags of Unleash, by its admin API: environments on and off, and the share of a gradual rollout.

https://docs.getunleash.io/reference/api/unleash. The API has no versions, so what the flag was is compared right before
a change. Where an environment wants change requests, the API refuses, and that is told.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from stanch.integrations.flags.asking import ask, encoded, mark_of, path, rows, table, url_problem
from stanch.integrations.flags.model import FlagState, Switch, Told, Wanted
from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON

_GRADUAL: Final = "flexibleRollout"
_KEPT: Final = ("name", "title", "parameters", "constraints", "segments", "variants", "disabled", "sortOrder")
_Request = tuple[str, str, JSON]


class Unleash:
    """Flags of one project and environment."""

    name: Final = "flag.unleash"
    settings: Final = ("url!", "environment!", "flag!", "token_env!", "project")

    def problems(self, told: Told) -> Sequence[str]:
        """Return what is wrong with the URL."""
        return [problem] if (problem := url_problem("url", told["url"])) else []

    def read(self, told: Told) -> FlagState:
        """Return what the flag is in the environment."""
        found = table(ask(told, "GET", _place(told)).body)
        strategies = [_strategy(one) for one in rows(found.get("strategies"))]
        exact: dict[str, JSON] = {"enabled": found.get("enabled") is True, "strategies": list(strategies)}
        return FlagState(shown=_shown(exact), exact=exact, version=mark_of(exact))

    def plan(self, told: Told, state: FlagState, wanted: Wanted) -> Sequence[str]:
        """Return the requests, in their order."""
        return [
            f"{method} {_place(told)}{rest}{f' {encoded(body).decode()}' if body is not None else ''}"
            for method, rest, body in _requests(state, wanted)
        ]

    def write(self, told: Told, state: FlagState, wanted: Wanted) -> None:
        """Send the requests: the share first, so that nobody gets the flag in between who should not."""
        for method, rest, body in _requests(state, wanted):
            content = encoded(body) if body is not None else None
            headers = {"Content-Type": "application/json"} if content else {}
            ask(told, method, _place(told) + rest, body=content, headers=headers)

    def is_now(self, told: Told, state: FlagState, wanted: Wanted) -> bool:
        """Tell whether no request is left to send."""
        return not _requests(state, wanted)

    def evaluate(self, told: Told, wanted: Wanted) -> str:
        """Return nothing: clients evaluate by themselves."""
        return ""


def _place(told: Told) -> str:
    names = path(told["project"] or "default"), path(told["flag"]), path(told["environment"])
    base = told["url"].rstrip("/").removesuffix("/api").removesuffix("/api/admin")
    return f"{base}/api/admin/projects/{names[0]}/features/{names[1]}/environments/{names[2]}"


def _requests(state: FlagState, wanted: Wanted) -> list[_Request]:
    now = table(state.exact)
    if wanted.restore is not None:
        former = table(wanted.restore)
        found = _restored(rows(former.get("strategies")), rows(now.get("strategies")))
        return found + _switched(now, on=former.get("enabled") is True)
    found = []
    if wanted.switch is Switch.SHARE:
        strategy = _gradual(rows(now.get("strategies")))
        parameters = {**table(strategy.get("parameters")), "rollout": f"{wanted.share:g}"}
        if parameters != strategy.get("parameters"):
            found.append(_put({**strategy, "parameters": parameters}))
    return found + _switched(now, on=wanted.switch is not Switch.OFF)


def _switched(now: Mapping[str, JSON], *, on: bool) -> list[_Request]:
    return [] if now.get("enabled") is on else [("POST", "/on" if on else "/off", None)]


def _restored(former: list[dict[str, JSON]], now: list[dict[str, JSON]]) -> list[_Request]:
    there = {one["id"]: one for one in now}
    gone = [str(one["id"]) for one in former if one["id"] not in there]
    if gone:
        raise Refused(f"the strategy {gone[0]} is not there any more", reason="world_changed")
    return [_put(one) for one in former if there[one["id"]] != one]


def _put(strategy: Mapping[str, JSON]) -> _Request:
    body = {name: value for name, value in strategy.items() if name != "id"}
    return "PUT", f"/strategies/{path(str(strategy['id']))}", body


def _gradual(strategies: list[dict[str, JSON]]) -> dict[str, JSON]:
    active = [one for one in strategies if one.get("disabled") is not True]
    if len(active) != 1 or active[0].get("name") != _GRADUAL:
        names = ", ".join(str(one.get("name")) for one in active) or "none"
        raise Refused(
            f"a share needs one active strategy, a gradual rollout; there are: {names}", reason="no_gradual_rollout"
        )
    return active[0]


def _strategy(found: Mapping[str, JSON]) -> dict[str, JSON]:
    return {"id": str(found.get("id", "")), **{name: found[name] for name in _KEPT if name in found}}


def _shown(exact: Mapping[str, JSON]) -> str:
    if exact["enabled"] is not True:
        return "off"
    shares = [
        str(table(one.get("parameters")).get("rollout"))
        for one in rows(exact["strategies"])
        if one.get("name") == _GRADUAL and one.get("disabled") is not True
    ]
    return f"on for {', '.join(shares)} %" if shares else "on"
