"""Writes the configuration of the drill: a `stanch.toml` that describes the sample shop as its owners would.

It says where things are and what may be done to them. It does not say what can go wrong.
"""

import json
from pathlib import Path
from typing import Final

from stanch.gameday.shop.shop import Shop

_EVERY_S: Final = 1.0


def write_config(shop: Shop, folder: Path) -> Path:
    """Write `stanch.toml` for `shop` into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stanch.toml"
    path.write_text(config_text(shop, rooms=folder / "rooms"), encoding="utf-8")
    return path


def config_text(shop: Shop, *, rooms: Path) -> str:
    """Return the configuration for `shop`, with message rooms as files in `rooms`."""
    parts = [_HEAD.format(root=_quote(str(shop.root)), rooms=_quote(str(rooms)))]
    parts += [_service(shop, name, depends_on) for name, depends_on in _CALLS.items()]
    parts.append(
        _ACQUIRER.format(health=_quote(shop.ports.url("acquirer", "/health")), page=_quote(shop.status_page_url))
    )
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


def _service(shop: Shop, name: str, depends_on: tuple[str, ...]) -> str:
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
    lines += _actions(shop, name)
    return "\n".join(lines)


def _actions(shop: Shop, name: str) -> list[str]:
    lines: list[str] = []

    def action(
        word: str,
        title: str,
        mitigation: str,
        *arguments: str,
        undo: tuple[str, ...] = (),
        then: tuple[tuple[str, ...], ...] = (),
        risk: str = "low",
    ) -> None:
        run = shop.ctl_command("--actor", "stanch", "--note", "mitigation", *arguments)
        lines.extend(
            [
                f"\n[[services.{name}.actions]]",
                f'name = "{word}"',
                f"title = {_quote(title)}",
                f'mitigation = "{mitigation}"',
                f"run = {json.dumps(run)}",
                f"dry_run = {json.dumps([*run, '--dry-run'])}",
                f'risk = "{risk}"',
            ]
        )
        if then:
            further = [shop.ctl_command("--actor", "stanch", "--note", "mitigation", *each) for each in then]
            lines.append(f"then = {json.dumps(further)}")
        if undo:
            lines.append(f"undo = {json.dumps(shop.ctl_command('--actor', 'stanch', *undo))}")

    action(
        "rollback",
        f"Roll {name} back to {{previous}}",
        "rollback",
        "rollback",
        name,
        "--to",
        "{previous}",
        undo=("deploy", name, "{version}"),
    )
    action("restart", f"Restart {name}", "restart", "restart", name)
    if name == "checkout":
        # Turned off, it takes no more memory; what it has taken comes back with a new process only.
        action(
            "flag",
            "Set {flag} of checkout back to {previous_value}, then restart it",
            "flag_off",
            "flag",
            name,
            "{flag}",
            "{previous_value}",
            then=(("restart", name),),
            undo=("flag", name, "{flag}", "{value}"),
        )
        action(
            "workers",
            "Scale checkout to 8 pricing workers",
            "scale_up",
            "scale",
            name,
            "workers",
            "8",
            undo=("scale", name, "workers", "2"),
        )
    if name == "payments":
        action(
            "config",
            "Roll the configuration of payments back to {previous}",
            "rollback_config",
            "config",
            name,
            "--to",
            "{previous}",
            undo=("config", name, "--to", "{version}"),
        )
        action(
            "defer",
            "Capture later instead of waiting for the acquirer",
            "circuit_breaker",
            "flag",
            name,
            "defer_capture",
            "on",
            undo=("flag", name, "defer_capture", "off"),
        )
        action(
            "migration",
            "Take the schema of payments back from {version} to {previous}",
            "rollback_migration",
            "migrate",
            name,
            "--to",
            "{previous_number}",
            undo=("migrate", name, "--to", "{version_number}"),
            risk="high",
        )
        action(
            "pool",
            "Raise the connection pool of payments to 40",
            "scale_up",
            "scale",
            name,
            "pool",
            "40",
            undo=("scale", name, "pool", "20"),
        )
    return lines


def _quote(text: str) -> str:
    return json.dumps(text)
