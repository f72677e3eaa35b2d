"""Moving from PagerDuty, Opsgenie and Grafana OnCall: what is written, what is said, who would be paged."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from stanch.app.moving import TOOLS, carry_over, compare_shadow
from stanch.catalog.load import load_catalog
from stanch.catalog.model import Catalog
from stanch.catalog.oncall import Step, Window
from stanch.kernel.errors import Conflict, Invalid, NotFound
from stanch.operations.oncall.checking import check_roster
from stanch.operations.oncall.moving.carrying import Carried
from tests.oncall.exports import GRAFANA, OPSGENIE, PAGERDUTY
from tests.oncall.rota import told, utc

NOW = utc("2026-11-21T06:00")
EXPORTS: Mapping[str, dict[str, object]] = {
    "pagerduty": PAGERDUTY,
    "opsgenie": OPSGENIE,
    "grafana-oncall": GRAFANA,
}


def carried(tool: str, tmp_path: Path, export: Mapping[str, object] | None = None) -> tuple[Carried, Catalog]:
    """Return what an import says, and the configuration that it wrote."""
    (tmp_path / "export.json").write_text(json.dumps(export or EXPORTS[tool]))
    found = carry_over(tool, tmp_path / "export.json", tmp_path / "config", now=NOW, over=False)
    return found, load_catalog(tmp_path / "config")


def said(found: Carried) -> list[str]:
    """Return what was not carried over."""
    return [f"{one.where}: {one.what}" for one in found.missed]


@pytest.mark.parametrize("tool", sorted(EXPORTS))
def test_what_is_written_passes_the_check(tool: str, tmp_path: Path) -> None:
    """What an import writes has no mistake and breaks no rule."""
    _, catalog = carried(tool, tmp_path)

    assert () == check_roster(catalog, None, now=NOW).problems


@pytest.mark.parametrize("tool", sorted(EXPORTS))
def test_every_tool_is_one_of_the_command(tool: str) -> None:
    """The tools of the command are those that are wired."""
    assert tool in TOOLS


def test_pagerduty_schedule(tmp_path: Path) -> None:
    """Layers change their order, the one that wins stands last; one that has ended stays away."""
    _, catalog = carried("pagerduty", tmp_path)
    expected = [
        "alice 11-24 07:00 - 11-24 20:00",
        "carol 11-24 20:00 - 11-25 06:00",
        "alice 11-25 06:00 - 11-25 08:00",
    ]

    assert ["Week", "Nights"] == [layer.name for layer in catalog.oncall.schedules["checkout-primary"].layers]
    assert expected == told(catalog, "2026-11-24T07:00", "2026-11-25T08:00", name="checkout-primary")


def test_pagerduty_policy(tmp_path: Path) -> None:
    """Levels keep their targets and delays."""
    _, catalog = carried("pagerduty", tmp_path)
    expected = (
        Step(targets=("schedule:checkout-primary",), wait_s=600.0),
        Step(targets=("person:alice",), wait_s=900.0),
    )

    assert (expected, 2) == (catalog.oncall.policies["checkout"].steps, catalog.oncall.policies["checkout"].repeat)


def test_pagerduty_methods(tmp_path: Path) -> None:
    """Numbers get their country, without the zero before them."""
    _, catalog = carried("pagerduty", tmp_path)

    assert [("email", "alice@example.org"), ("sms", "+358401234567")] == [
        (one.kind, one.address) for one in catalog.people["alice"].methods
    ]


def test_pagerduty_missed(tmp_path: Path) -> None:
    """What cannot be carried over is said, each with where it stood."""
    found, _ = carried("pagerduty", tmp_path)
    expected = [
        "rulesets: Default Global",
        "users Alice Aalto: push_notification_contact_method",
        "users Carol: time zone Eastern Time (US & Canada)",
        "schedules Checkout Primary: Nights: Gone",
        "services Checkout API: integration Datadog",
        "schedules checkout-primary: rule max_days",
    ]

    assert expected == said(found)


def test_pagerduty_weekly_restriction(tmp_path: Path) -> None:
    """A restriction over several days keeps both its days."""
    schedule = {
        "id": "PS1",
        "name": "Weekend",
        "time_zone": "UTC",
        "schedule_layers": [
            {
                "name": "l",
                "start": "2026-01-02T17:00:00Z",
                "rotation_virtual_start": "2026-01-02T17:00:00Z",
                "rotation_turn_length_seconds": 604800,
                "users": [{"user": {"id": "PU1"}}],
                "restrictions": [
                    {
                        "type": "weekly_restriction",
                        "start_day_of_week": 5,
                        "start_time_of_day": "17:00:00",
                        "duration_seconds": 230400,
                    }
                ],
            }
        ],
    }
    _, catalog = carried("pagerduty", tmp_path, {"users": PAGERDUTY["users"], "schedules": [schedule]})

    assert (Window(days=("fri",), start="17:00", end="09:00", end_day="mon"),) == (
        catalog.oncall.schedules["weekend"].layers[0].restrictions
    )


def test_opsgenie(tmp_path: Path) -> None:
    """Rotations become layers; delays from the alert become waits after one another."""
    _, catalog = carried("opsgenie", tmp_path)
    policy = catalog.oncall.policies["commerce-escalation"]

    assert (
        Step(targets=("schedule:commerce-schedule",), wait_s=600.0),
        Step(targets=("team:commerce",), wait_s=1200.0),
    ) == (policy.steps)
    assert (Window(days=("fri",), start="18:00", end="08:30", end_day="mon"),) == (
        catalog.oncall.schedules["commerce-schedule"].layers[1].restrictions
    )


def test_opsgenie_routing(tmp_path: Path) -> None:
    """The default rule of a team gives its services their policy; other rules are said."""
    found, catalog = carried("opsgenie", tmp_path)

    assert "commerce-escalation" == catalog.services["checkout"].policy
    assert [
        "routing rules commerce: P1 at night",
        "schedules commerce_schedule: weekend: none",
        "schedules commerce_schedule: rotations week, weekend",
    ] == said(found)[:3]


def test_grafana(tmp_path: Path) -> None:
    """Rolling users take turns from the index on; a single event is an override."""
    _, catalog = carried("grafana-oncall", tmp_path)
    schedule = catalog.oncall.schedules["checkout"]

    assert ("bob", "alice") == schedule.layers[0].people
    assert [("bob", "2026-12-24 20:00")] == [(one.person, f"{one.start:%Y-%m-%d %H:%M}") for one in schedule.overrides]
    assert (
        Window(days=("mon",), start="12:00", end="13:00", end_day="mon"),
        Window(days=("tue",), start="12:00", end="13:00", end_day="tue"),
    ) == schedule.layers[1].restrictions


def test_grafana_chain(tmp_path: Path) -> None:
    """Waits belong to the level before them; what pages nobody is said."""
    found, catalog = carried("grafana-oncall", tmp_path)

    assert (Step(targets=("schedule:checkout",)), Step(targets=("person:bob",))) == (
        catalog.oncall.policies["checkout-chain"].steps
    )
    assert "escalation_chains Checkout chain: trigger_webhook" in said(found)


def test_folder_of_answers(tmp_path: Path) -> None:
    """A folder with an answer of the API in each file is read by the files' names."""
    folder = tmp_path / "export"
    folder.mkdir()
    for kind in ("users", "teams", "schedules", "escalations"):
        (folder / f"{kind}.json").write_text(json.dumps({"data": OPSGENIE[kind]}))
    (folder / "services").mkdir()
    (folder / "services/checkout.json").write_text(json.dumps({"id": "v1", "name": "Checkout", "teamId": "t1"}))
    found = carry_over("opsgenie", folder, tmp_path / "config", now=NOW, over=False)

    assert (2, 1, 1, 1) == (found.people, found.schedules, found.policies, found.services)


def test_a_second_time(tmp_path: Path) -> None:
    """Files that are there are not overwritten unless one says so."""
    carried("pagerduty", tmp_path)
    with pytest.raises(Conflict):
        carried("pagerduty", tmp_path)


def test_nothing_of_on_call(tmp_path: Path) -> None:
    """A file without anything of on-call is said."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(Invalid):
        carry_over("pagerduty", tmp_path / "other.json", tmp_path / "config", now=NOW, over=False)


def test_no_export(tmp_path: Path) -> None:
    """An export that is not there is said."""
    with pytest.raises(NotFound):
        carry_over("pagerduty", tmp_path / "none", tmp_path / "config", now=NOW, over=False)


def test_shadow_agrees(tmp_path: Path) -> None:
    """Where both have the same person on call there is no difference."""
    carried("pagerduty", tmp_path)
    log = tmp_path / "oncalls.json"
    one = {
        "schedule": {"id": "PS1", "summary": "Checkout Primary"},
        "user": {"id": "PU1", "summary": "Alice Aalto"},
        "start": "2026-11-24T07:00:00Z",
        "end": "2026-11-24T20:00:00Z",
    }
    log.write_text(json.dumps({"oncalls": [one]}))
    compared = compare_shadow("pagerduty", log, tmp_path / "config")

    assert (True, 13.0) == (compared.agrees, compared.hours)


def test_shadow_differs(tmp_path: Path) -> None:
    """Where they differ, the exact time and both people are said."""
    carried("pagerduty", tmp_path)
    log = tmp_path / "oncalls.json"
    one = {
        "schedule": {"id": "PS1", "summary": "Checkout Primary"},
        "user": {"id": "PU1", "summary": "Alice Aalto"},
        "start": "2026-11-24T18:00:00Z",
        "end": "2026-11-24T22:00:00Z",
    }
    log.write_text(json.dumps({"oncalls": [one]}))
    (found,) = compare_shadow("pagerduty", log, tmp_path / "config").differences

    assert (utc("2026-11-24T20:00"), utc("2026-11-24T22:00"), "carol", "alice") == (
        found.start,
        found.end,
        found.here,
        found.there,
    )


def test_shadow_of_pages(tmp_path: Path) -> None:
    """Somebody who was paged there and would be paged at no level here is a difference."""
    carried("pagerduty", tmp_path)
    log = tmp_path / "log_entries.json"
    entries = [
        {
            "type": "notify_log_entry",
            "created_at": "2026-11-24T10:00:00Z",
            "user": {"summary": who},
            "service": {"summary": "Checkout API"},
            "incident": {"summary": "[#7] slow"},
        }
        for who in ("Alice Aalto", "Carol")
    ]
    log.write_text(json.dumps({"log_entries": entries}))
    compared = compare_shadow("pagerduty", log, tmp_path / "config")

    assert [("carol", "alice, then alice")] == [(one.there, one.here) for one in compared.differences]
