"""Reads the checks and rules of a service: what follows from `health`, `metrics` and `logs`, and what is declared.

Owns what the keys of a check must mean together. The keys are `check_keys`', the records `checks`'.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.check_keys import CHECK, JOURNEY_STEP, KINDS, LIMITS, SERIES_RULE
from stanch.catalog.checks import MEASURES, brings
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.pattern import pattern
from stanch.ports.checks import SeriesChoice

CHECK_EVERY_S: Final = 15.0
MOST_STEPS: Final = 50
_EVERY_S: Final = {"tls": 3600.0, "dns": 60.0, "journey": 60.0, "promql": 30.0}
_LOOKS: Final = {"tls": 1}
_URLS: Final = ("http", "openmetrics", "journey", "promql")
_PLACES: Final = ("tcp", "tls")
_PATHS: Final = ("jsonlog", "logpattern")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,62}")
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,255}")
_STATUS: Final = re.compile(r"[1-5](?:[0-9][0-9]|xx)")
_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME: Final = re.compile(r"(?:env\.)?[A-Za-z_][A-Za-z0-9_]*")
_SAVE: Final = re.compile(r"(json:(/.*)?|regex:.+|header:[!-~]+|cookie:[!-~]+)", re.DOTALL)


def read_checks(reader: Reader, *, folder: Path, samplers: Sequence[str]) -> list[dict[str, object]]:
    """Return the checks of a service as data: those that follow from its own keys first."""
    every_s = reader.number("check_every_s", default=CHECK_EVERY_S)
    found: list[dict[str, object]] = []
    for key, sampler in (("health", "http"), ("metrics", "openmetrics")):
        if url := reader.text(key):
            complain_of_url(reader, key, url)
            found.append({"sampler": sampler, "target": url, "every_s": every_s, "name": key})
    for number, log in enumerate(reader.texts("logs")):
        name = "log" if not number else f"log-{number + 1}"
        found.append({"sampler": "jsonlog", "target": str(folder / log), "every_s": every_s, "name": name})
    for number, table in enumerate(reader.tables("checks")):
        found.append(_check(reader, table, f"checks.{number}", folder=folder, samplers=samplers, every_s=every_s))
    _name(reader, found)
    _give_rules(reader, found)
    _complain_of_twins(reader, found)
    return found


def complain_of_url(reader: Reader, name: str, url: str) -> None:
    """Note what is wrong with `url`, the value of the key `name`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        reader.complain(name, f"is not a URL: {error}")
        return
    if parts.scheme not in ("http", "https") or not host or port == 0:
        reader.complain(name, f"must be a URL such as http://127.0.0.1:8001/health, not {url!r}")
    elif parts.username or parts.password:
        reader.complain(name, "must hold no password: this file is not a place for secrets")


def _check(
    reader: Reader,
    table: Mapping[str, object],
    at: str,
    *,
    folder: Path,
    samplers: Sequence[str],
    every_s: float,
) -> dict[str, object]:
    sampler = table.get("sampler")
    kind = sampler if isinstance(sampler, str) else ""
    if kind and kind not in samplers:
        reader.complain(f"{at}.sampler", f"must be one of {', '.join(samplers)}{did_you_mean(kind, samplers)}")
    one = reader.inner(table, at=at, keys=(*CHECK, *KINDS.get(kind, ())))
    target = _target(one, kind, folder=folder)
    rhythm = max(every_s, _EVERY_S[kind]) if kind in _EVERY_S else every_s
    common = {key: value for key, value in one.given().items() if key in _COMMON}
    found: dict[str, object] = {
        **common,
        "sampler": kind,
        "target": target,
        "every_s": one.number("every_s", default=rhythm),
        "looks": int(one.number("looks", default=_LOOKS.get(kind, 2))),
    }
    settings = _settings(one, kind, folder=folder)
    if kind in ("promql", "logpattern"):
        limits = {key: value for key, value in one.given().items() if key in LIMITS}
        found["rules"] = [_own_rule(one, kind, limits)]
    return {**found, "settings": settings}


_COMMON: Final = frozenset(key.name for key in CHECK)


def _target(one: Reader, kind: str, *, folder: Path) -> str:
    target = one.text("target")
    if not target:
        return ""
    if kind in _URLS:
        complain_of_url(one, "target", target)
    elif kind in _PLACES:
        _complain_of_place(one, target)
    elif kind == "dns":
        if not re.fullmatch(r"[A-Za-z0-9_*:](?:[A-Za-z0-9._*:-]{0,252})", target):
            one.complain("target", f"must be a name such as shop.example.com, not {target!r}")
    elif kind in _PATHS and "://" not in target:
        return str(folder / target)
    return target


def _complain_of_place(one: Reader, target: str) -> None:
    try:
        parts = urlsplit(f"//{target}")
        ok = bool(parts.hostname) and parts.port is not None and parts.port > 0 and not parts.path
    except ValueError:
        ok = False
    if not ok or "@" in target or "://" in target:
        one.complain("target", f"must be host:port such as db.internal:5432, not {target!r}")


def _settings(one: Reader, kind: str, *, folder: Path) -> dict[str, object]:
    """Return what the sampler is made with: only what was given, as data."""
    names = {key.name for key in KINDS.get(kind, ())} - set(LIMITS)
    found = {name: value for name, value in one.given().items() if name in names}
    if "ca_file" in found:
        found["ca_file"] = str(folder / str(found["ca_file"]))
    match kind:
        case "http":
            found |= _request(one, known=())
        case "journey":
            found["steps"] = _steps(one)
        case "tls" if one.number("fail_days", default=3) > one.number("warn_days", default=21):
            one.complain("fail_days", "must not be more than warn_days")
        case "tcp":
            _complain_of_pattern(one, "expect")
        case "dns":
            for server in one.texts("servers"):
                _complain_of_server(one, server)
        case "logpattern":
            _complain_of_pattern(one, "pattern")
            _complain_of_pattern(one, "unless")
        case "promql":
            found |= _texts(one, "headers", known=())
    return found


def _steps(one: Reader) -> list[dict[str, object]]:
    tables = one.tables("steps")
    if not 0 < len(tables) <= MOST_STEPS:
        one.complain("steps", f"must be 1 to {MOST_STEPS}")
    found = []
    saved: list[str] = []
    names = Counter(str(table.get("name")) for table in tables)
    for number, table in enumerate(tables):
        step = one.inner(table, at=f"steps.{number}", keys=JOURNEY_STEP)
        if names[step.text("name")] > 1:
            step.complain("name", f"{step.text('name')!r} stands there {names[step.text('name')]} times")
        url = step.text("url")
        if "://" in url and "${" not in url:
            complain_of_url(step, "url", url)
        elif url and not url.startswith(("/", "${")) and "://" not in url:
            step.complain("url", f"must be a URL or a path that begins with /, not {url!r}")
        _complain_of_variables(step, "url", url, known=saved)
        save = _save(step)
        found.append({**step.given(), **_request(step, known=saved), "save": save})
        saved += save
    return found


def _request(one: Reader, *, known: Sequence[str]) -> dict[str, object]:
    """Return the tables of a request, and note what is wrong with it."""
    found: dict[str, object] = {}
    for name in ("headers", "form"):
        found |= _texts(one, name, known=known)
    for name in one.table("headers"):
        if not _TOKEN.fullmatch(name):
            one.complain(f"headers.{name}", "is not the name of a header")
    _complain_of_variables(one, "body", one.text("body"), known=known)
    if one.text("body") and one.table("form"):
        one.complain("form", "stands beside body: one of the two is sent")
    method = one.text("method")
    if method and not _METHOD.fullmatch(method):
        one.complain("method", f"must be a method in capitals such as POST, not {method!r}")
    for status in one.texts("status"):
        if not _STATUS.fullmatch(status):
            one.complain("status", f"{status!r} is neither a status such as 204 nor a class such as 2xx")
    _complain_of_pattern(one, "matches")
    found |= _texts(one, "answers", known=known)
    for name, expression in one.table("answers").items():
        if isinstance(expression, str):
            _complain_of_expression(one, f"answers.{name}", expression)
    if wanted := one.table("json"):
        for pointer, value in wanted.items():
            if pointer and not pointer.startswith("/"):
                one.complain(f"json.{pointer}", "must be a JSON pointer, which begins with /")
            if not isinstance(value, str | int | float | bool):
                one.complain(f"json.{pointer}", "must be a text, a number, true or false")
        found["json"] = {pointer: _plain(value) for pointer, value in wanted.items()}
    return found


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _save(step: Reader) -> dict[str, str]:
    found = {}
    for name, how in step.table("save").items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            step.complain(f"save.{name}", "is not a name: use letters, digits and underscores")
        if not isinstance(how, str) or not _SAVE.fullmatch(how):
            step.complain(f"save.{name}", "must be json:/pointer, regex:..., header:Name or cookie:name")
            continue
        if how.startswith("regex:"):
            _complain_of_expression(step, f"save.{name}", how.removeprefix("regex:"))
        found[name] = how
    return found


def _texts(one: Reader, name: str, *, known: Sequence[str]) -> dict[str, object]:
    """Return a table of texts under its name, nothing when it is not given."""
    table = one.table(name)
    for key, value in table.items():
        if not isinstance(value, str):
            one.complain(f"{name}.{key}", f"must be a text, not {value!r}"[:80])
        else:
            _complain_of_variables(one, f"{name}.{key}", value, known=known)
    return {name: dict(table)} if table else {}


def _complain_of_variables(one: Reader, name: str, text: str, *, known: Sequence[str]) -> None:
    for word in _VARIABLE.findall(text):
        if not _VARIABLE_NAME.fullmatch(word):
            one.complain(name, f"${{{word}}} is not a name: write ${{env.NAME}} or ${{saved}}")
        elif not word.startswith("env.") and word not in known:
            near = did_you_mean(word, known)
            one.complain(
                name, f"${{{word}}} is not saved by a step before{near}; from the environment: ${{env.{word}}}"
            )


def _complain_of_pattern(one: Reader, name: str) -> None:
    if expression := one.text(name):
        _complain_of_expression(one, name, expression)


def _complain_of_expression(one: Reader, name: str, expression: str) -> None:
    try:
        pattern(expression)
    except ValueError as error:
        one.complain(name, f"is not a regular expression: {error}")


def _complain_of_server(one: Reader, server: str) -> None:
    if not re.fullmatch(r"[0-9.]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?|[0-9A-Fa-f:]+", server):
        one.complain("servers", f"must be addresses such as 192.0.2.53 or 192.0.2.53:5353, not {server!r}")


def _own_rule(one: Reader, kind: str, limits: dict[str, object]) -> dict[str, object]:
    if kind == "logpattern":
        if "below" not in limits:
            # One line that should never be there is enough, unless a number is given.
            limits.setdefault("above", 0.0)
        limits.setdefault("over", "sum")
        limits.setdefault("for_s", 0.0)
    else:
        # The query itself says over which time it is taken.
        limits.setdefault("over", "last")
    _complain_of_limits(one, limits)
    return {"name": one.text("name"), **limits, "severity": one.text("severity") or "critical"}


def _complain_of_limits(one: Reader, limits: Mapping[str, object]) -> None:
    above, below = limits.get("above"), limits.get("below")
    if isinstance(above, float | int) and isinstance(below, float | int) and below >= above:
        one.complain("below", "must be less than above: outside of the two it is an alert")


def _name(reader: Reader, found: Sequence[dict[str, object]]) -> None:
    """Give every check without a name that of its sampler, with a number where that is taken."""
    taken = {str(one["name"]) for one in found if one.get("name")}
    for one in found:
        if not one.get("name"):
            number, name = 1, str(one["sampler"])
            while name in taken:
                number += 1
                name = f"{one['sampler']}-{number}"
            one["name"] = name
            taken.add(name)
        elif not _NAME.fullmatch(str(one["name"])):
            reader.complain("checks", f"{one['name']!r} is not a name: use letters, digits, dots, dashes, at most 63")
        for rule in _rules_of(one):
            rule["name"] = rule["name"] or one["name"]


def _give_rules(reader: Reader, found: Sequence[dict[str, object]]) -> None:
    """Give the rules of a service to its metrics pages, which then bring the series that are judged."""
    given = [_rule(reader, number, table) for number, table in enumerate(reader.tables("rules"))]
    _give_measured(reader, found, [rule for rule in given if rule.get("measure")])
    rules = [rule for rule in given if rule.get("metric")]
    if not rules:
        return
    pages = [one for one in found if one["sampler"] == "openmetrics"]
    if not pages:
        reader.complain("rules", "need a metrics page: give the service `metrics`, or a check read with openmetrics")
    series = [
        SeriesChoice(
            rule=str(rule["name"]),
            metric=str(rule["metric"]),
            labels=_mapping(rule.get("labels")),
            rate=bool(rule.get("rate")),
            keep=_listed(rule.get("keep")),
        )
        for rule in rules
    ]
    for page in pages:
        page["rules"] = [*_rules_of(page), *rules]
        page["settings"] = {"series": [_data(one) for one in series]}


def _give_measured(reader: Reader, found: Sequence[dict[str, object]], rules: Sequence[dict[str, object]]) -> None:
    """Give each rule on what is measured to the first check that brings it: of two each would end the other's alert."""
    for rule in rules:
        measure = str(rule["measure"])
        first = next((one for one in found if brings(str(one["sampler"]), measure, settings=one.get("settings"))), None)
        if first is not None:
            first["rules"] = [*_rules_of(first), rule]
        elif measure in MEASURES:
            samplers = " or ".join(MEASURES[measure][0])
            reader.complain("rules", f"{measure} needs a check of the service that is read with {samplers}")


def _data(choice: SeriesChoice) -> dict[str, object]:
    return {
        "rule": choice.rule,
        "metric": choice.metric,
        "labels": choice.labels,
        "rate": choice.rate,
        "keep": list(choice.keep),
    }


def _rule(reader: Reader, number: int, table: Mapping[str, object]) -> dict[str, object]:
    one = reader.inner(table, at=f"rules.{number}", keys=SERIES_RULE)
    metric = one.text("metric")
    if metric and not _METRIC.fullmatch(metric):
        one.complain("metric", f"must be the name of a metric, not {metric!r}; labels have a key of their own")
    for label, expression in one.table("labels").items():
        if not isinstance(expression, str):
            one.complain(f"labels.{label}", "must be a regular expression for the whole value")
        else:
            _complain_of_expression(one, f"labels.{label}", expression)
    measure = one.text("measure")
    if bool(table.get("metric")) == bool(table.get("measure")):
        one.complain("metric", "says what is judged, or measure does: give one of the two")
    if measure:
        for key in ("rate", "keep"):
            if key in table:
                one.complain(key, "goes with metric: what is measured has its rate and its labels already")
    given = one.given()
    if measure in MEASURES:
        given.setdefault("unit", MEASURES[measure][1])
    if not {"above", "below", "factor"} & set(given):
        one.complain("above", "is missing: say above, below or factor")
    _complain_of_limits(one, given)
    if (name := one.text("name")) and not _NAME.fullmatch(name):
        one.complain("name", f"{name!r} is not a name: use letters, digits, dots, dashes, at most 63")
    return {**given, "name": name or metric or measure, "labels": _mapping(one.table("labels"))}


def _mapping(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _listed(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple | list) else ()


def _rules_of(check: Mapping[str, object]) -> Iterator[dict[str, object]]:
    rules = check.get("rules")
    yield from rules if isinstance(rules, list) else ()


def _complain_of_twins(reader: Reader, found: Sequence[Mapping[str, object]]) -> None:
    names = Counter(str(one["name"]) for one in found)
    rules = {str(rule["name"]): one for one in found for rule in _rules_of(one)}
    places = Counter(
        f"{one['sampler']} {one['target']}" for one in found if one["sampler"] in ("http", "openmetrics", "jsonlog")
    )
    for value, count in (*names.items(), *places.items()):
        if count > 1 and value.strip():
            reader.complain("checks", f"{value} stands there {count} times")
    declared = Counter(
        str(table.get("name") or table.get("metric") or table.get("measure")) for table in reader.tables("rules")
    )
    for name, count in declared.items():
        if count > 1:
            reader.complain("rules", f"{name} stands there {count} times: give each a name")
        elif name in names and name in rules and names[name] and rules[name]["sampler"] != "openmetrics":
            reader.complain("rules", f"{name} is the name of a check: give the rule another")
