"""The status page at the desk: what is made ready, who says yes, what it shows; and the static copy."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.catalog.maintenance import MaintenanceSpec
from stanch.comms.status.model import ComponentState
from stanch.incidents import events as ev
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Conflict, Forbidden, Refused
from stanch.kernel.event import JSON
from stanch.operations.communicating import PreviewView
from stanch.operations.statuspage.exporting import export
from stanch.operations.statuspage.publishing import PageView
from stanch.operations.statuspage.telling import MAIL
from tests.operations.desk import AGENT, START, Desk
from tests.operations.status import configured, fail, page, publish, states, status_desk, subscribed, waiting
from tests.support.hostile import CORPUS, hidden_in, read_html


@pytest.fixture
def desk(database_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with a status page, once on each database."""
    with status_desk(database_url, clock, tmp_path) as found:
        yield found


def test_a_declaration_makes_an_update_ready(desk: Desk) -> None:
    """It says what the public is told, under the name that customers know, and waits."""
    desk.declare()
    (one,) = waiting(desk)

    assert ("investigating", "Problems with Buying", {"Buying": "Degraded"}) == (one.stage, one.title, one.components)


def test_what_waits_is_not_shown(desk: Desk) -> None:
    """Until a person says yes the page stays as it was."""
    desk.declare()

    assert ((), "operational") == (page(desk).incidents, states(page(desk))["Buying"])


def test_a_yes_puts_it_there(desk: Desk) -> None:
    """The incident and the component's state stand on the page together."""
    desk.declare()
    publish(desk)

    assert ("degraded_performance", "Problems with Buying") == (
        states(page(desk))["Buying"],
        page(desk).open_incidents[0].title,
    )


def test_a_program_may_not_say_yes(desk: Desk) -> None:
    """Publishing is a person's."""
    desk.declare()
    (one,) = waiting(desk)

    with pytest.raises(Forbidden):
        desk.ask("statuspage.publish", by=AGENT, incident=one.incident, number=one.number, digest=one.digest)


def test_a_yes_is_to_what_was_seen(desk: Desk) -> None:
    """Another digest is refused."""
    desk.declare()

    with pytest.raises(Conflict):
        publish(desk, digest="000000000000")


def test_a_newer_update_takes_the_place_of_one_that_waits(desk: Desk) -> None:
    """Only the newest can be published, once."""
    number = desk.declare()
    (old,) = waiting(desk)
    fail(desk, number)
    desk.ask("comms.send", by=AGENT, incident=number, text="x", audiences=["responders"])
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    (new,) = waiting(desk)

    with pytest.raises(Refused):
        desk.ask("statuspage.publish", incident=number, number=old.number, digest=old.digest)
    assert ("resolved", {}) == (new.stage, new.components)


def test_words_of_ones_own_hide_nothing(desk: Desk) -> None:
    """What colours a terminal or turns a text around stands in no document that programs read."""
    desk.declare()

    assert "Orders\nwait." == publish(desk, text="Or\x1b[31mders\r\n\u202ewait.\x00 ").text


def test_automatic_needs_no_yes(desk: Desk) -> None:
    """With `publish = "automatic"` it stands there at once, and the log says so."""
    desk = configured(desk, publish="automatic")
    number = desk.declare()

    assert (1, [], "status.published") == (len(page(desk).incidents), waiting(desk), desk.kinds(number)[-1])


def test_who_sends_what_they_saw_is_not_asked_again(desk: Desk) -> None:
    """An update that a person sends to the public is published with their words for the public and no others."""
    number = desk.declare()
    desk.ask("comms.send", incident=number, text="payments db is full", public_text="Orders are delayed.")
    (update,) = page(desk).incidents[0].updates

    assert (True, False) == ("Orders are delayed." in update.text, "payments db" in update.text)


def test_what_is_for_others_stays_off_the_page(desk: Desk) -> None:
    """A message to responders alone makes nothing ready."""
    number = desk.declare()
    publish(desk)
    desk.ask("comms.send", incident=number, text="inside", audiences=["responders"])

    assert [] == waiting(desk)


def test_a_preview_shows_the_page_too(desk: Desk) -> None:
    """Who sends to the public sees that the page and its subscribers are told."""
    desk = subscribed(desk)
    number = desk.declare()
    shown = desk.ask("comms.preview", incident=number, public_text="Orders are delayed.")
    assert isinstance(shown, PreviewView)
    (draft,) = (one for one in shown.messages if one.channel == "status page")

    assert ("1 subscriber", True) == (draft.to, "Orders are delayed." in draft.text)


def test_services_that_are_not_shown_are_not_told_of(desk: Desk) -> None:
    """An incident of the gateway alone concerns no component."""
    desk.declare(services=["gateway"])

    assert [] == waiting(desk)


def test_what_is_not_severe_is_not_told(desk: Desk) -> None:
    """Below the configured severity nothing is made ready."""
    desk = configured(desk, severity="SEV2")
    desk.declare()

    assert [] == waiting(desk)


def test_nothing_of_the_inside_gets_out(desk: Desk) -> None:
    """Title, services, cause, people: none of the words of the incident stand in the files."""
    desk = configured(desk, folder="public", publish="automatic")
    number = desk.declare("SECRETTITLE", services=["checkout", "payments"])
    desk.tell(number, ev.NoteAdded(text="SECRETNOTE"))
    desk.diagnose(number)
    desk.ask("incident.resolve", incident=number, force_reason="SECRETREASON", cause="SECRETCAUSE")
    folder, _ = export(desk.world)
    written = "".join(file.read_text() for file in folder.rglob("*") if file.is_file())

    assert [] == [word for word in ("SECRET", "payments", "Bad deploy", "alice", "v3.2.1") if word in written]


def test_a_person_may_say_it_in_other_words(desk: Desk) -> None:
    """What stands there is what they wrote, and the log has both."""
    number = desk.declare()
    publish(desk, text="Some orders fail.")
    kinds = [event.data.get("text") for event in desk.log(number) if event.kind == "status.published"]

    assert ("Some orders fail.", ["Some orders fail."]) == (page(desk).incidents[0].updates[0].text, kinds)


def test_what_is_discarded_stays_off(desk: Desk) -> None:
    """It waits no more and is not shown."""
    number = desk.declare()
    desk.ask("statuspage.discard", incident=number, number=1, reason="nobody sees it")

    assert ([], ()) == (waiting(desk), page(desk).incidents)


def test_a_resolution_makes_everything_well(desk: Desk) -> None:
    """The component is operational again, and its day keeps what was."""
    desk = configured(desk, publish="automatic")
    number = desk.declare()
    desk.pass_time(minutes=35)
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.pass_time(minutes=25)
    buying = page(desk).components[0]

    assert (ComponentState.OPERATIONAL, ComponentState.DEGRADED, 2100.0) == (
        buying.state,
        buying.days[-1].state,
        buying.days[-1].degraded_s,
    )


def test_the_internal_page_needs_no_yes(desk: Desk) -> None:
    """It shows every service as the log says, published or not."""
    number = desk.declare()
    fail(desk, number)
    desk.ask("incident.severity", incident=number, severity="SEV1", reason="a test")

    assert ("major_outage", "operational") == (
        states(page(desk, internal=True))["checkout"],
        states(page(desk))["Buying"],
    )


def test_the_internal_days_follow_the_events(desk: Desk) -> None:
    """Ten minutes degraded, then twenty down."""
    number = desk.declare()
    desk.pass_time(minutes=10)
    fail(desk, number)
    desk.pass_time(minutes=20)
    (today,) = (one.days[-1] for one in page(desk, internal=True).components if one.key == "checkout")

    assert (600.0, 1200.0) == (today.degraded_s, today.down_s)


def test_maintenance_is_told_where_the_configuration_says_what(desk: Desk) -> None:
    """The reason that is for the inside stays there."""
    window = MaintenanceSpec(
        name="db",
        why="SECRET",
        public="We move house.",
        services=("checkout",),
        starts_at=START.replace(tzinfo=None),
        ends_at=START.replace(tzinfo=None, hour=16),
    )
    hushed = replace(window, name="hush", public="")
    catalog = replace(desk.world.catalog, maintenance={"db": window, "hush": hushed})
    desk = replace(desk, world=replace(desk.world, catalog=catalog))
    found = page(desk)

    assert ([("Maintenance of Buying", "We move house.")], "under_maintenance") == (
        [(one.title, one.text) for one in found.maintenance],
        states(found)["Buying"],
    )


def test_maintenance_is_marked_in_the_bars(desk: Desk) -> None:
    """Each day on which the window held, and no other; no outage is counted."""
    nightly = MaintenanceSpec(
        name="db",
        public="We move house.",
        services=("checkout",),
        first=START.replace(tzinfo=None, hour=15, minute=0),
        rrule="FREQ=DAILY;INTERVAL=2",
        lasts_s=3600.0,
    )
    catalog = replace(desk.world.catalog, maintenance={"db": nightly})
    desk = replace(desk, world=replace(desk.world, catalog=catalog))
    desk.declare()
    desk.pass_time(minutes=3 * 24 * 60)
    buying = next(one for one in page(desk).components if one.title == "Buying")

    assert ([3600.0, 0.0, 3600.0, 0.0], 1.0) == ([day.maintenance_s for day in buying.days[-4:]], buying.uptime)


@pytest.mark.parametrize("url", ["", "https://status.example"])
def test_one_address_leads_to_an_incident(desk: Desk, tmp_path: Path, url: str) -> None:
    """The mail, the feed and the JSON give the same one, at which the copy has a file."""
    desk = subscribed(configured(desk, url=url, folder="public", publish="automatic"))
    desk.declare()
    desk.work()
    link = f"{url or 'http://stanch.example/status'}/incidents/1.html"
    incidents = json.loads((tmp_path / "public/api/v2/incidents.json").read_text())["incidents"]

    assert (True, link, True, True) == (
        link in desk.channels[MAIL].heard[-1].text,
        incidents[0]["shortlink"],
        f'<link href="{link}"/>' in (tmp_path / "public/feed.atom").read_text(),
        (tmp_path / "public/incidents/1.html").is_file(),
    )


def test_instants_stand_in_the_zone_of_the_page(desk: Desk, tmp_path: Path) -> None:
    """With UTC beside it; the declaration is at 14:30 UTC."""
    desk = configured(desk, zone="Europe/Berlin", folder="public", publish="automatic")
    desk.declare()
    desk.work()
    shown = (tmp_path / "public/incidents/1.html").read_text()

    assert (True, True) == (">15:30 CET (14:30 UTC)<" in shown, 'datetime="2026-11-21T14:30:00Z"' in shown)


def test_the_overview_says_that_one_waits(desk: Desk) -> None:
    """Whoever opens the first page sees it."""
    desk.declare()
    answer = desk.ask("statuspage.show")
    assert isinstance(answer, PageView)

    assert 1 == answer.waiting


def test_the_projection_is_computed_again_alike(desk: Desk) -> None:
    """What the log says is all there is."""
    number = desk.declare()
    publish(desk, text="Some orders fail.")
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    before = desk.world.store.dump_projections()
    desk.world.store.rebuild()

    assert before == desk.world.store.dump_projections()


def test_every_change_writes_the_copy(desk: Desk, tmp_path: Path) -> None:
    """The engine writes the files after a publication."""
    desk = configured(desk, folder="public")
    desk.declare()
    publish(desk)
    desk.work()

    assert "Problems with Buying" in (tmp_path / "public" / "index.html").read_text()


def test_the_copy_has_statuspages_shape(desk: Desk, tmp_path: Path) -> None:
    """Programs that read a Statuspage find what they look for."""
    desk = configured(desk, folder="public", publish="automatic")
    desk.declare()
    export(desk.world)
    read: dict[str, JSON] = json.loads((tmp_path / "public/api/v2/summary.json").read_text())
    status, incidents = read["status"], read["incidents"]
    assert isinstance(status, dict) and isinstance(incidents, list) and isinstance(incidents[0], dict)

    assert ("minor", "investigating", "Problems with Buying") == (
        status["indicator"],
        incidents[0]["status"],
        incidents[0]["name"],
    )


def test_what_others_put_there_stays(desk: Desk, tmp_path: Path) -> None:
    """A file that is not ours is not taken away, one of ours that is over is."""
    desk = configured(desk, folder="public")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "logo.svg").write_text("<svg/>")
    export(desk.world)
    mark = tmp_path / "public" / ".stanch-status"
    (tmp_path / "public" / "old.html").write_text("x")
    mark.write_text(mark.read_text() + "old.html\n../../etc/passwd\n")
    export(desk.world)

    assert (True, False) == ((tmp_path / "public/logo.svg").exists(), (tmp_path / "public/old.html").exists())


def test_hostile_words_stay_words(desk: Desk) -> None:
    """Whatever a person pastes as the public's text is text in HTML and in feeds."""
    desk = configured(desk, folder="public")
    number = desk.declare()
    (one,) = waiting(desk)
    publish(desk, text="\n".join(CORPUS.values())[:19_000])
    folder, _ = export(desk.world)
    shown = (folder / "index.html").read_text() + (folder / f"incidents/{number}.html").read_text()
    entry = ElementTree.fromstring((folder / "feed.atom").read_text())  # noqa: S314  # our own

    assert ((), set()) == (read_html(shown).doing, hidden_in(shown))
    assert one.title == entry.findtext("{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}title")
