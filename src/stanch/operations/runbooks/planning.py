"""Making a plan of a block that changes something: a command, a statement on a database, a request."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from stanch.catalog.systems import SystemConfig
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.kernel.event import JSON
from stanch.mitigate.plan import RISKS, approvals_needed, digest_of
from stanch.mitigate.runbooks.filling import bind_statement, fill_commands
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.model import Block, Language, Runbook
from stanch.mitigate.runbooks.requests import Request, fill_request, read_request
from stanch.operations.asking import concerns
from stanch.operations.runbooks.asking import there_are
from stanch.operations.runbooks.finding import values_of
from stanch.operations.world import World
from stanch.ports.actuator import Step

_STATEMENT_S: Final = 30.0
_REQUEST_S: Final = 30.0
_TAKEN: Final = frozenset({"content-type", "accept"})


def plan_of(world: World, state: IncidentState, runbook: Runbook, block: Block) -> ev.Plan:
    """Return the plan of a block, filled in for an incident.

    Raises `Refused` for what cannot be carried out, with what is missing.
    """
    if block.why_not:
        raise Refused(block.why_not, reason="cannot_run")
    if block.risk not in RISKS or block.risk == "read":
        raise Invalid(f"is no risk; there are {', '.join(RISKS[1:])}", field="risk")
    settings = {name: value for source in world.systems for name, value in source.settings.items()}
    values = settings | _places(world, state.services) | values_of(state, runbook)
    title = f"{runbook.title}: {block.heading.lower()}, step {block.number}"
    steps = _steps(world, state, block, values, title)
    undo = _steps(world, state, _undo(block), values, f"undo {title}") if block.undo else ()
    plan = ev.Plan(
        id=f"runbook-{runbook.id}-{block.number}",
        mitigation="runbook",
        title=title,
        why=f"runbook {runbook.id}, line {block.line}",
        target=values.get("service", ""),
        steps=steps,
        dry_run=tuple(replace(step, data={**step.data, "dry_run": True}) for step in steps if step.data),
        undo=undo,
        risk=block.risk,
        reversible=bool(block.undo),
        expectation=None,
        approvals_needed=approvals_needed(block.risk, state.ruling.severity, world.catalog.approvals),
        digest="",
        origin=f"runbook:{runbook.id}",
    )
    return replace(plan, digest=digest_of(plan))


def system_for(world: World, services: tuple[str, ...], block: Block) -> SystemConfig:
    """Return the configured system that a change is for. Raises `NotFound` where there is none, or not one alone."""
    what = " or ".join(block.kinds)
    fitting = [one for one in world.catalog.systems.values() if one.kind in block.kinds]
    if block.on:
        named_so = [one for one in fitting if one.name == block.on]
        if not named_so:
            raise NotFound(f"no system {block.on!r} of the kind {what} is configured", hint=there_are(fitting))
        return named_so[0]
    near = [one for one in fitting if not one.services or set(one.services) & set(services)]
    if block.language is Language.HTTP and "://" in (target := read_request(block.text).target):
        near = [one for one in near if urlsplit(one.url).netloc == urlsplit(target).netloc]
    if not near:
        raise NotFound(f"no system of the kind {what} is configured for what is affected")
    if len(near) > 1:
        # What changes something is not guessed at.
        raise NotFound(f"several systems fit, {', '.join(one.name for one in near)}: say which with on=")
    return near[0]


def _places(world: World, services: tuple[str, ...]) -> dict[str, str]:
    """Return host and port of the systems near: `redis_host` is that of the first Redis that is affected."""
    found: dict[str, str] = {}
    for source in world.systems:
        host, _, port = source.where.partition("/")[0].partition(":")
        if concerns(source, services) and host and port.isdigit():
            found.setdefault(f"{source.system}_host", host)
            found.setdefault(f"{source.system}_port", port)
    return found


def _steps(world: World, state: IncidentState, block: Block, values: Mapping[str, str], title: str) -> tuple[Step, ...]:
    match block.language:
        case Language.SH:
            return tuple(
                Step(actuator="command", argv=argv, cwd=world.catalog.root, describe=title)
                for argv in fill_commands(block, values)
            )
        case Language.SQL:
            return (_statement(system_for(world, state.services, block), block, values, title),)
        case Language.HTTP:
            return (_request(system_for(world, state.services, block), block, values, title),)
        case _:
            raise Refused(f"nothing here carries out {block.language.value}: run it by hand", reason="no_actuator")


def _statement(system: SystemConfig, block: Block, values: Mapping[str, str], title: str) -> Step:
    if not system.statements:
        raise Refused(
            f"{system.name} takes no statements",
            reason="not_allowed",
            hint=f"add those it may take to `statements` of [systems.{system.name}]",
        )
    text, bound = bind_statement(block, values)
    parameters: dict[str, JSON] = dict(bound)
    data: dict[str, JSON] = {
        "on": system.name,
        "text": text,
        "parameters": parameters,
        "most_rows": block.most_rows,
    }
    return Step(actuator="statement", timeout_s=_STATEMENT_S, describe=title, data=data)


def _request(system: SystemConfig, block: Block, values: Mapping[str, str], title: str) -> Step:
    request = fill_request(read_request(block.text), values)
    if strange := sorted(request.headers.keys() - _TAKEN):
        raise Refused(f"the header {strange[0]} is not sent from here", reason="cannot_run")
    data: dict[str, JSON] = {"method": request.method, "url": _address(system, request)}
    if request.body:
        data |= {"body": request.body, "type": request.type}
    if system.secret_env:
        data["token_env"] = system.secret_env
    return Step(actuator="http", timeout_s=_REQUEST_S, describe=title, data=data)


def _address(system: SystemConfig, request: Request) -> str:
    base = system.url if system.url.endswith("/") else f"{system.url}/"
    url = request.target if "://" in request.target else urljoin(base, request.target.lstrip("/"))
    path = urlsplit(url).path.replace("%2e", ".").replace("%2E", ".")
    if not url.startswith(base) or ".." in path.split("/"):
        raise Refused(f"{request.target[:80]} lies outside of {system.url}", reason="outside")
    return url


def _undo(block: Block) -> Block:
    """Return the undo of a block as a block of its own, in its language, read by the same rules."""
    text = block.undo
    if block.language is Language.HTTP:
        # On one line: the method, the address, and after it the body.
        method, _, rest = text.partition(" ")
        target, _, body = rest.partition(" ")
        text = f"{method} {target}\n\n{body}" if body else f"{method} {target}"
    tag = block.kinds[0] if block.language is Language.SQL and len(block.kinds) == 1 else block.language.value
    undo = read_runbook(f"## Undo\n```{tag}\n{text}\n```\n", id="undo").blocks[0]
    if undo.why_not:
        raise Refused(f"its undo cannot run: {undo.why_not}", reason="cannot_run")
    return replace(undo, on=block.on, most_rows=block.most_rows)
