"""An `alertmanager.yml` with receivers of other kinds than webhooks: read, checked, told through the whole intake."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from stanch.app.wiring import build_intake, build_world
from stanch.catalog.model import Catalog
from stanch.engine.intake import Intake
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid
from stanch.surfaces.http.alertmanager.posted import read_alerts
from tests.integrations.pagers.far import Answer, Got, far_end

BEGAN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ROUTE = "route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}\n"


@contextlib.contextmanager
def intake_of(text: str, folder: Path) -> Iterator[Intake]:
    """Give what takes alerts in by this configuration, on a clock that is moved by hand."""
    config = folder / "alertmanager.yml"
    config.write_text(text)
    world = build_world(catalog=Catalog(root=str(folder)), database=folder / "stanch.db", clock=ManualClock(BEGAN))
    try:
        intake = build_intake(world, str(config))
        intake.prepare()
        yield intake
        intake.stop()
    finally:
        world.store.close()


def post(intake: Intake, name: str, *, over: bool = False, **labels: str) -> None:
    """Post one alert."""
    now = intake.world.clock.now()
    body: dict[str, object] = {"labels": {"alertname": name, **labels}, "startsAt": BEGAN}
    if over:
        body["endsAt"] = now
    received, problems = read_alerts(
        msgspec.json.encode([body]), now=now, resolve_timeout=intake.routing.resolve_timeout
    )
    assert not problems
    intake.receive_now(received)


def move(intake: Intake, minutes: float = 0) -> None:
    """Move the clock and do what is due."""
    clock = intake.world.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(minutes=minutes))
    while intake.run_due():
        pass


def fine(got: Got, number: int) -> Answer:
    """Take everything."""
    return Answer(body={"ok": True})


def test_global_keys_templates_and_both_states(tmp_path: Path) -> None:
    """What `global` and the template files say holds for a receiver; PagerDuty hears of the end, Slack does not."""
    (tmp_path / "ours.tmpl").write_text(
        '{{ define "our.title" }}{{ .Status }} of {{ .GroupLabels.alertname }}{{ end }}'
    )
    with far_end(fine) as far:
        text = f"""
            global: {{slack_api_url: '{far.url}/slack', pagerduty_url: '{far.url}/pd'}}
            templates: ['*.tmpl']
            {ROUTE}
            receivers:
            - name: team
              slack_configs: [{{channel: '#ops', title: '{{{{ template "our.title" . }}}}'}}]
              pagerduty_configs: [{{routing_key: k1}}]
        """.replace("\n            ", "\n")
        with intake_of(text, tmp_path) as intake:
            post(intake, "DiskFull", instance="db1")
            move(intake)
            post(intake, "DiskFull", instance="db1", over=True)
            move(intake, 2)
    said = [(got.path, got.json.get("event_action") or got.json["attachments"][0]["title"]) for got in far.got]

    assert [("/pd", "resolve"), ("/pd", "trigger"), ("/slack", "firing of DiskFull")] == sorted(said)


def test_the_end_of_another_is_left_out(tmp_path: Path) -> None:
    """With `send_resolved: false` a notification tells what fires, and not what of the group is over."""
    with far_end(fine) as far:
        team = f"{{name: team, discord_configs: [{{webhook_url: '{far.url}/', send_resolved: false}}]}}"
        text = f"{ROUTE}receivers: [{team}]"
        with intake_of(text, tmp_path) as intake:
            post(intake, "DiskFull", instance="db1")
            move(intake)
            post(intake, "DiskFull", instance="db1", over=True)
            post(intake, "DiskFull", instance="db2")
            move(intake, 2)

        assert (2, True, False) == (
            len(far.got),
            "db2" in far.got[1].json["embeds"][0]["description"],
            "db1" in far.got[1].json["embeds"][0]["description"],
        )


def test_one_that_is_busy_is_told_later(tmp_path: Path) -> None:
    """A far end that answers 429 and then 500 is told when it takes the message, and once."""
    with far_end(fine) as far:
        far.trouble += [Answer(status=429), Answer(status=500)]
        text = f"{ROUTE}receivers: [{{name: team, slack_configs: [{{api_url: '{far.url}/'}}]}}]"
        with intake_of(text, tmp_path) as intake:
            post(intake, "DiskFull")
            for _ in range(6):
                move(intake, 0.05)

        assert (3, 1) == (len(far.got), len({got.body for got in far.got}))


@pytest.mark.parametrize(
    ("receiver", "field"),
    [
        ("slack_configs: [{channel: '#ops'}]", "receivers[0].slack_configs[0].api_url"),
        ("slack_configs: [{api_url: 'http://x/', colour: red}]", "receivers[0].slack_configs[0].colour"),
        ("email_configs: [{to: a@x}]", "receivers[0].email_configs[0].smarthost"),
        ("discord_configs: [{webhook_url: 'http://x/', title: '{{ .Foo }}'}]", "receivers[0].discord_configs[0].title"),
        ("victorops_configs: [{api_key: x}]", "receivers[0].victorops_configs"),
        ("pagerduty_configs: [{service_key: x}]", "receivers[0].pagerduty_configs[0].service_key"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, receiver: str, field: str) -> None:
    """A receiver that lacks something, or that is of no kind here, is an error that names the key."""
    with pytest.raises(Invalid) as raised, intake_of(f"{ROUTE}receivers: [{{name: team, {receiver}}}]", tmp_path):
        pass

    assert field in {problem.field for problem in raised.value.problems}


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """The configuration that the status shows holds no key and no path of a webhook."""
    text = f"""{ROUTE}
receivers:
- name: team
  slack_configs: [{{api_url: 'https://hooks.slack.com/s3cret'}}]
  discord_configs: [{{webhook_url: 'https://discord.com/s3cret'}}]
  pagerduty_configs: [{{routing_key: s3cret}}]
  opsgenie_configs: [{{api_key: s3cret}}]
  telegram_configs: [{{bot_token: s3cret, chat_id: '1'}}]
  pushover_configs: [{{user_key: s3cret, token: s3cret}}]
  email_configs: [{{to: a@x, from: b@x, smarthost: 'x:25', auth_username: u, auth_password: s3cret}}]
"""
    with intake_of(text, tmp_path) as intake:
        assert "s3cret" not in intake.routing.original
