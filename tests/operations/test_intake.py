"""What senders post, on both databases: folded into alerts by the identity their sender gives them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.alerts.inbound.tables import body_of, figures
from stanch.alerts.intake.listing import view_at
from stanch.alerts.intake.matchers import parse_matchers
from stanch.alerts.intake.silences import Silence
from stanch.app.wiring import build_world
from stanch.catalog.model import Catalog, Service
from stanch.engine.follow import follow
from stanch.engine.loop import Engine
from stanch.incidents.tables import find
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import SystemClock
from stanch.kernel.errors import Invalid
from stanch.operations.intake import take, take_parsed
from stanch.operations.senders import AllSources, SendAlert, list_sources, send
from stanch.operations.silencing import save_silence
from stanch.operations.world import Call, World
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus

LABELS = {"alertname": "DiskFull", "host": "db1"}
FIRING = AlertSignal(labels=LABELS, annotations={"severity": "warning", "summary": "nearly full"})
OVER = AlertSignal(labels=LABELS, status=SignalStatus.RESOLVED)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a world with one service."""
    catalog = Catalog(root=str(tmp_path), services={"payments": Service(name="payments", tier=1)})
    built = build_world(catalog=catalog, database=database_url, clock=SystemClock())
    yield built
    built.store.close()


def tell(world: World, *alerts: AlertSignal) -> str:
    """Take in alerts, follow them, and return the remark."""
    remark = take_parsed(world, "test", Parsed(alerts=alerts)).remark
    Engine(world, {"follow": follow}).run_until_quiet()
    return remark


def open_alerts(world: World) -> list[dict[str, str]]:
    """Return the labels of the alerts that are open."""
    with world.store.reading() as view:
        return [dict(one.labels) for one in view_at(view.connection, world.routing.now, world.clock.now()).alerts]


def incidents(world: World) -> list[str]:
    """Return the titles of the open incidents."""
    with world.store.reading() as view:
        return [one.title for one in find(view.connection, open_only=True)]


def test_what_is_added_to_the_labels(world: World) -> None:
    """Severity and source stand among the labels, so that routes and silences can name them."""
    tell(world, FIRING)

    assert [{**LABELS, "severity": "warning", "source": "test"}] == open_alerts(world)


def test_an_end_without_a_severity_ends_it(world: World) -> None:
    """The end finds its alert by the sender's labels alone."""
    tell(world, FIRING)
    tell(world, OVER)

    assert [] == open_alerts(world)


def test_another_severity_is_another_alert(world: World) -> None:
    """When the severity rises, the alert with the old one ends and one with the new one opens."""
    tell(world, FIRING)
    tell(world, replace(FIRING, annotations={"severity": "critical"}))

    assert ["critical"] == [one["severity"] for one in open_alerts(world)]


def test_the_end_of_nothing(world: World) -> None:
    """The end of what was never open opens nothing, and says so."""
    assert "what is over was not open here" == tell(world, OVER)
    assert [] == open_alerts(world)


def test_an_acknowledgement_changes_nothing(world: World) -> None:
    """An acknowledgement elsewhere opens nothing and ends nothing."""
    tell(world, FIRING)
    tell(world, replace(OVER, status=SignalStatus.ACKNOWLEDGED))

    assert 1 == len(open_alerts(world))


def test_it_opens_again(world: World) -> None:
    """An alert that comes back after its end is open again."""
    tell(world, FIRING)
    tell(world, OVER)
    tell(world, FIRING)

    assert 1 == len(open_alerts(world))


def test_an_incident_is_declared_and_told_the_end(world: World) -> None:
    """A severe alert of a known service declares one incident, however often it is told."""
    severe = replace(FIRING, labels={**LABELS, "service": "payments"}, annotations={"severity": "page"})
    tell(world, severe)
    tell(world, severe)

    assert ["DiskFull"] == incidents(world)


@pytest.mark.parametrize(("service", "severity"), [("payments", "warning"), ("nowhere", "critical")])
def test_no_incident(world: World, service: str, severity: str) -> None:
    """Neither a mild alert nor one of a service that nobody knows declares an incident."""
    tell(world, replace(FIRING, labels={**LABELS, "service": service}, annotations={"severity": severity}))

    assert [] == incidents(world)


def test_a_silenced_alert_declares_nothing(world: World) -> None:
    """What is silenced is kept, and nobody is bothered with it."""
    now = datetime.now(UTC)
    silence = Silence(
        id="",
        matchers=tuple(parse_matchers('host="db1"')),
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=1),
        updated_at=now,
        created_by="alice",
        comment="being moved",
    )
    save_silence(world, silence)
    tell(world, replace(FIRING, labels={**LABELS, "service": "payments"}, annotations={"severity": "critical"}))

    assert ([], 1) == (incidents(world), len(open_alerts(world)))


def test_characters_no_database_takes(world: World) -> None:
    """A NUL character in a text is replaced and nothing is lost."""
    change = Change(id="c\x00", at=world.clock.now(), kind=ChangeKind.DEPLOY, title="a\x00b", data={"x": "\x00"})
    alert = replace(FIRING, annotations={"summary": "a\x00b"})
    take_parsed(world, "test", Parsed(alerts=(alert,), changes=(change,), delivery="d\x00", remark="\x00"))

    assert 1 == len(open_alerts(world))


def test_the_message_is_kept(world: World) -> None:
    """The raw message can be read again, byte for byte."""
    take(world, "pingdom", Inbound(body=b'{"current_state": "UP", "check_id": 1, "check_name": "\xc3\xa4"}'))
    with world.store.reading() as view:
        kept = body_of(view.connection, 1)

    assert b'{"current_state": "UP", "check_id": 1, "check_name": "\xc3\xa4"}' == kept


def test_what_is_not_understood_is_counted(world: World) -> None:
    """A message that is not understood leaves its source's figures behind and nothing else."""
    with pytest.raises(Invalid):
        take(world, "pingdom", Inbound(body=b"nonsense"))
    with world.store.reading() as view:
        known = figures(view.connection)["pingdom"]

    assert (1, 0, None) == (known.invalid, known.deliveries, known.last_seen)


def test_too_many_alerts(world: World) -> None:
    """More alerts than one message may hold are refused before anything is stored."""
    with pytest.raises(Invalid):
        tell(world, *[FIRING] * 10_001)
    assert [] == open_alerts(world)


def test_a_script_sends(world: World) -> None:
    """A script's alert opens and ends like any other, and its source is listed."""
    call = Call(world=world, actor=person("alice"), via=Via.CLI)
    send(call, SendAlert(name="BackupFailed", service="payments"))
    opened = [one["alertname"] for one in open_alerts(world)]
    send(call, SendAlert(name="BackupFailed", service="payments", resolve=True))

    assert (["BackupFailed"], []) == (opened, open_alerts(world))
    assert [("script", 2)] == [(one.name, one.deliveries) for one in list_sources(call, AllSources())]
