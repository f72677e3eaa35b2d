"""Writes the configuration of the drill: a `stanch.toml` that describes the sample shop as its owners would.

It says where things are and what may be done to them. It does not say what can go wrong.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.gameday.shop.places import SERVICES
from stanch.gameday.shop.shop import Shop

_EVERY_S: Final = 1.0


def write_config(shop: Shop, folder: Path, *, automatic: bool = False) -> Path:
    """Write `stanch.toml` for `shop` into `folder` and return its path.

    With `automatic`, what is of low risk runs by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stanch.toml"
    path.write_text(config_text(shop, rooms=folder / "rooms", automatic=automatic), encoding="utf-8")
    return path


def write_targets(shop: Shop) -> Path:
    """Declare the services of `shop` as targets of game days, beside its code, and return the file.

    The supervisor starts a killed service again by itself, and each service is one process.
    """
    path = shop.root / "gamedays" / "targets.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = ["# What may be broken in a game day. Every key: docs/gamedays.md"]
    for name in SERVICES:
        parts += [
            f"\n[targets.{name}]",
            'kind = "process"',
            f'services = ["{name}"]',
            f"pid_files = [{_quote(str(shop.pid_path(name)))}]",
            "most_share = 1.0",
        ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path


def config_text(shop: Shop, *, rooms: Path, automatic: bool = False) -> str:
    """Return the configuration for `shop`, with message rooms as files in `rooms`."""
    pages = rooms.parent / "pages.jsonl"
    parts = [_HEAD.format(root=_quote(str(shop.root)), rooms=_quote(str(rooms)), pages=_quote(str(pages)))]
    parts += [_service(shop, name, depends_on, automatic=automatic) for name, depends_on in _CALLS.items()]
    parts.append(
        _ACQUIRER.format(health=_quote(shop.ports.url("acquirer", "/health")), page=_quote(shop.status_page_url))
    )
    parts.append(_LEDGER.format(path=_quote(str(shop.database_path))))
    return "\n".join(parts)


_CALLS: Final = {"gateway": ("checkout",), "checkout": ("payments",), "payments": ("acquirer",)}
_TITLES: Final = {
    "gateway": "Shop front and API gateway",
    "checkout": "Checkout",
    "payments": "Payments",
}

_HEAD: Final = """\
# The sample shop, as its owners describe it. Every key: docs/configuration.md
name = "Sample shop"
root = {root}
drill = true

[people.drill-approver]
name = "Drill approver"
# Nobody is woken by an exercise: a page is a line in a file.
methods.pager = {{kind = "file", address = {pages}}}

[oncall]
policy = "drill"

[[oncall.policies.drill.steps]]
targets = ["person:drill-approver"]
wait_s = 120

[channels.room]
kind = "file"
target = {rooms}
audiences = ["responders", "stakeholders"]

# An exercise has no hours to spend: the windows are short, and every page says so.
[timing]
verification_s = [15, 15, 15, 15]
shortened_because = "this is a drill"
baseline_s = 600
detect_window_s = 8
remeasure_s = 5

[thresholds]
for_s = 2
resolve_for_s = 10
"""

_ACQUIRER: Final = """
[services.acquirer]
title = "Acquirer (third party)"
description = "Somebody else's payment processing."
external = true
health = {health}
status_page = {page}
check_every_s = 2
"""

_LEDGER: Final = """
[systems.ledger]
kind = "sqlite"
path = {path}
services = ["payments"]
"""


def _service(shop: Shop, name: str, depends_on: tuple[str, ...], *, automatic: bool) -> str:
    lines = [
        f"\n[services.{name}]",
        f"title = {_quote(_TITLES[name])}",
        "tier = 1",
        f"depends_on = {json.dumps(list(depends_on))}",
        f"repository = {_quote(str(shop.repository))}",
        f'paths = ["{name}/"]',
        f"deploy_log = {_quote(str(shop.deploys_path))}",
        f"metrics = {_quote(shop.metrics_url(name))}",
        f"logs = [{_quote(str(shop.log_path(name)))}]",
        f"check_every_s = {_EVERY_S}",
    ]
    if name == "gateway":
        lines.append('endpoints = ["/api/checkout", "/api/catalog"]')
    # A restart takes a moment: a service that misses two looks two seconds apart is down, not being deployed.
    lines += [
        f"\n[[services.{name}.checks]]",
        'sampler = "http"',
        f"target = {_quote(shop.health_url(name))}",
        "every_s = 2",
    ]
    lines += _actions(shop, name, automatic=automatic)
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class _Action:
    """Something the shop's control command does, every argument list is one for it; or an actuator that is told."""

    name: str
    title: str
    mitigation: str
    run: tuple[str, ...] = ()
    uses: str = ""
    told: tuple[tuple[str, str], ...] = ()
    then: tuple[tuple[str, ...], ...] = ()
    undo: tuple[str, ...] = ()
    risk: str = "low"


def _actions(shop: Shop, service: str, *, automatic: bool) -> list[str]:
    return [line for action in _actions_of(service) for line in _declared(shop, service, action, automatic=automatic)]


def _actions_of(service: str) -> tuple[_Action, ...]:
    everywhere = (
        _Action(
            name="rollback",
            title=f"Roll {service} back to {{previous}}",
            mitigation="rollback",
            run=("rollback", service, "--to", "{previous}"),
            undo=("deploy", service, "{version}"),
        ),
        _Action(name="restart", title=f"Restart {service}", mitigation="restart", run=("restart", service)),
    )
    return everywhere + {"checkout": _OF_CHECKOUT, "payments": _OF_PAYMENTS}.get(service, ())


_OF_CHECKOUT: Final = (
    # Turned off, it takes no more memory; what it has taken comes back with a new process only.
    _Action(
        name="flag",
        title="Set {flag} of checkout back to {previous_value}, then restart it",
        mitigation="flag_off",
        run=("flag", "checkout", "{flag}", "{previous_value}"),
        then=(("restart", "checkout"),),
        undo=("flag", "checkout", "{flag}", "{value}"),
    ),
    _Action(
        name="workers",
        title="Scale checkout to 8 pricing workers",
        mitigation="scale_up",
        run=("scale", "checkout", "workers", "8"),
        undo=("scale", "checkout", "workers", "2"),
    ),
)

_OF_PAYMENTS: Final = (
    _Action(
        name="config",
        title="Roll the configuration of payments back to {previous}",
        mitigation="rollback_config",
        run=("config", "payments", "--to", "{previous}"),
        undo=("config", "payments", "--to", "{version}"),
    ),
    _Action(
        name="defer",
        title="Capture later instead of waiting for the acquirer",
        mitigation="circuit_breaker",
        run=("flag", "payments", "defer_capture", "on"),
        undo=("flag", "payments", "defer_capture", "off"),
    ),
    _Action(
        name="migration",
        title="Take the schema of payments back from {version} to {previous}",
        mitigation="rollback_migration",
        run=("migrate", "payments", "--to", "{previous_number}"),
        undo=("migrate", "payments", "--to", "{version_number}"),
        risk="high",
    ),
    _Action(
        name="pool",
        title="Raise the connection pool of payments to 40",
        mitigation="scale_up",
        run=("scale", "payments", "pool", "40"),
        undo=("scale", "payments", "pool", "20"),
    ),
    _Action(
        name="end-blocker",
        title="End the process that blocks the ledger",
        mitigation="kill_queries",
        uses="sqlite.kill",
        # SQLite gives up after five seconds: what holds on for longer than a moment is a fault here.
        told=(("on", "ledger"), ("which", "blocking, idle_in_transaction"), ("at_least_s", "2"), ("at_most", "1")),
        risk="high",
    ),
)


def _declared(shop: Shop, service: str, action: _Action, *, automatic: bool) -> list[str]:
    lines = [
        f"\n[[services.{service}.actions]]",
        f'name = "{action.name}"',
        f"title = {_quote(action.title)}",
        f'mitigation = "{action.mitigation}"',
        f'risk = "{action.risk}"',
    ]
    if action.uses:
        told = ", ".join(f"{key} = {_quote(value)}" for key, value in action.told)
        return [*lines, f'uses = "{action.uses}"', f"settings = {{ {told} }}"]
    run = shop.ctl_command("--actor", "stanch", "--note", "mitigation", *action.run)
    lines += [f"run = {json.dumps(run)}", f"dry_run = {json.dumps([*run, '--dry-run'])}"]
    if automatic and action.risk == "low":
        # The whole shop is one journey: whatever breaks in it hits all of it.
        lines += ["automatic = true", 'guard = { score = 0.6, worst = "SEV1", share = 1.0 }']
    if action.then:
        further = [shop.ctl_command("--actor", "stanch", "--note", "mitigation", *each) for each in action.then]
        lines.append(f"then = {json.dumps(further)}")
    if action.undo:
        lines.append(f"undo = {json.dumps(shop.ctl_command('--actor', 'stanch', *action.undo))}")
    return lines


def _quote(text: str) -> str:
    return json.dumps(text)
