"""The pages of alerts, groups, silences, sources, services and changes without a script."""

import re
from datetime import timedelta

import httpx2
import pytest

from stanch.alerts.board.keeping.tables import behind, catch_up
from stanch.kernel.actor import Via
from stanch.operations import registry
from stanch.operations.world import Call
from tests.surfaces.web.story import ALICE, HOSTILE, OPERATIONS, Story
from tests.surfaces.web.test_pages import post, text_of


def send(story: Story, name: str, **body: object) -> None:
    """Send an alert a second later, and bring the board up to date."""
    story.clock.advance(timedelta(seconds=1))
    entry = OPERATIONS["alert.send"]
    call = Call(world=story.world, actor=ALICE, via=Via.CLI)
    registry.call(entry, call, registry.decode(entry, {"name": name, **body}))
    with story.store.writing() as tx:
        catch_up(tx.connection, behind(tx.connection, now=story.clock.now()))


def titles(client: httpx2.Client, path: str) -> list[str]:
    """Return what the rows of a list are called."""
    return re.findall(r"data-open><bdi>(.*?)</bdi>", client.get(path).text)


def test_the_list_shows_what_fires(client: httpx2.Client, story: Story) -> None:
    """What is over is not among what fires, and is under its own filter."""
    send(story, "DiskFull", summary="nearly full")
    send(story, "BackupFailed")
    send(story, "BackupFailed", resolve=True)

    assert (["nearly full"], ["BackupFailed"]) == (titles(client, "/alerts"), titles(client, "/alerts?state=resolved"))


@pytest.mark.parametrize(
    "query",
    ["text=db1", "matchers=host%3D~%22db.*%22", "severity=critical", "service=payments", "since=1h&name=DiskFull"],
)
def test_the_address_narrows_the_list(client: httpx2.Client, story: Story, query: str) -> None:
    """Filters stand in the address, so that a list can be sent to somebody."""
    send(story, "DiskFull", service="payments", severity="critical", labels={"host": "db1"})
    send(story, "Other", labels={"host": "web1"})

    assert ["DiskFull"] == titles(client, f"/alerts?{query}")


def test_a_filter_can_be_taken_off(client: httpx2.Client, story: Story) -> None:
    """Each filter has a link to the list without it, and keeps the others."""
    send(story, "DiskFull", service="payments")
    shown = client.get("/alerts?service=payments&text=Disk").text

    assert 'href="/alerts?text=Disk" data-swap aria-label="Without service payments"' in shown


def test_a_wrong_filter_is_explained(client: httpx2.Client) -> None:
    """The field at fault is named on the page, and the page stays."""
    shown = client.get("/alerts?matchers=%7Ba")

    assert (200, True) == (shown.status_code, "matchers: '{a' is no matcher" in text_of(shown))


def test_a_long_list_goes_on(client: httpx2.Client, story: Story) -> None:
    """The rest of the list is one link away."""
    for number in range(53):
        send(story, f"A{number}")
    first = client.get("/alerts").text
    older = re.search(r'href="(/alerts\?from=[^"]*)"', first)

    assert older is not None
    assert ["A2", "A1", "A0"] == titles(client, older[1])


def test_an_alert_has_a_page(client: httpx2.Client, story: Story) -> None:
    """Labels, what became of it and its history are on it."""
    send(story, "DiskFull", labels={"host": "db1"}, summary="nearly full")
    shown = text_of(client.get("/alerts/x1"))
    facts = ("nearly full", "host db1", "grouped for default : by alertname=DiskFull", "fires", "Others of this name")

    assert [] == [fact for fact in facts if fact not in shown]


def test_what_a_sender_wrote_stays_text(client: httpx2.Client, story: Story) -> None:
    """Nothing in an alert becomes an element, on the list or on its page."""
    send(story, HOSTILE, summary=HOSTILE, labels={"evil": HOSTILE})
    shown = client.get("/alerts").text + client.get("/alerts/x1").text

    assert [] == [bad for bad in ("<script>alert", "<img src=x") if bad in shown]


def test_picked_alerts_lead_to_a_silence(client: httpx2.Client, story: Story) -> None:
    """The draft matches those that were picked, and says what it would keep quiet."""
    send(story, "DiskFull", labels={"host": "db1"})
    send(story, "DiskFull", labels={"host": "db2"})
    send(story, "DiskFull", labels={"host": "db3"})
    shown = client.get("/silences/new?alert=x1&alert=x2")

    assert (True, ["DiskFull", "DiskFull"]) == (
        "host=~&#34;db1|db2&#34;" in shown.text,
        re.findall(r"data-open><bdi>(.*?)</bdi>", shown.text),
    )


def test_a_silence_is_put_and_ended_without_a_script(client: httpx2.Client, story: Story) -> None:
    """Plain forms do it."""
    send(story, "DiskFull")
    fields = {"matchers": 'alertname="DiskFull"', "lasts": "2h", "comment": "being replaced", "back": "/silences"}
    put = post(client, "/do/silence/create", **fields)
    listed = client.get("/silences").text
    id = re.search(r'id="silence-([^"]+)"', listed)
    assert id is not None
    quiet = text_of(client.get("/alerts"))
    post(client, "/do/silence/expire", id=id[1], back="/silences")

    assert (303, True, "No silence holds." in text_of(client.get("/silences"))) == (
        put.status_code,
        "silenced: being replaced" in quiet,
        True,
    )


def test_a_silence_is_extended(client: httpx2.Client, story: Story) -> None:
    """Two hours more are one button."""
    fields = {"matchers": 'a="b"', "lasts": "1h", "comment": "x", "back": "/silences"}
    post(client, "/do/silence/create", **fields)
    id = re.search(r'id="silence-([^"]+)"', client.get("/silences").text)
    assert id is not None
    post(client, "/do/silence/extend", id=id[1], lasts="2h", back="/silences")

    assert "in 3h" in text_of(client.get("/silences"))


def test_groups_say_what_they_wait_for(client: httpx2.Client, story: Story) -> None:
    """A new group waits for its group wait."""
    send(story, "DiskFull")

    assert "1 firing" in text_of(client.get("/groups"))


def test_sources_say_how_to_point_a_sender_here(client: httpx2.Client, story: Story) -> None:
    """Who sent stands first, and each kind has its line."""
    send(story, "DiskFull")
    shown = text_of(client.get("/sources"))

    assert ("script" in shown, "static_configs" in shown) == (True, True)


def test_a_service_has_a_page(client: httpx2.Client, story: Story) -> None:
    """What is wrong with it, what changed, what it needs and what needs it."""
    story.declare()
    send(story, "DiskFull", service="payments")
    shown = text_of(client.get("/s/payments"))
    facts = ("DiskFull", "INC-1", "payments v3.2.1 deployed", "Used by checkout")

    assert [] == [fact for fact in facts if fact not in shown]


def test_changes_are_listed(client: httpx2.Client, story: Story) -> None:
    """With their filters in the address."""
    story.declare()
    found = text_of(client.get("/changes?service=payments&since=7d"))

    assert ("payments v3.2.1 deployed" in found, "Nothing changed" in text_of(client.get("/changes?text=nope"))) == (
        True,
        True,
    )


def test_the_bar_says_where_one_is(client: httpx2.Client) -> None:
    """The page one is on is marked, and so is the one that holds it."""
    here = re.compile(r'aria-current="page">([\w ]+)</a>')

    assert ["Alerts", "Groups"] == here.findall(client.get("/groups").text)


@pytest.mark.parametrize("path", ["/alerts/x999", "/alerts/nothing", "/s/nothing"])
def test_what_is_not_there_is_not_found(client: httpx2.Client, path: str) -> None:
    """A page that says so."""
    assert 404 == client.get(path).status_code


def test_only_what_changed_is_sent_of_a_list(client: httpx2.Client, story: Story) -> None:
    """A page that has the newest parts is sent none."""
    send(story, "DiskFull")
    parts = re.findall(r'id="part-(\w+)" data-v="(\w+)"', client.get("/alerts").text)
    known = ",".join(f"{name}:{version}" for name, version in parts)
    again = client.get(f"/alerts/live?v={known}").text

    assert (2, []) == (len(parts), re.findall(r'id="part-(\w+)"', again))


def test_a_customer_reports_without_a_name(client: httpx2.Client, story: Story) -> None:
    """The form needs no login, and what it takes is listed."""
    client.cookies.clear()
    sent = post(client, "/report", text="I cannot pay by card", service="payments")

    assert ("/report?sent", True) == (
        sent.headers["location"],
        "I cannot pay by card" in text_of(client.get("/reports")),
    )


def test_a_program_that_fills_everything_in_reports_nothing(client: httpx2.Client, story: Story) -> None:
    """It is thanked like everybody else."""
    sent = post(client, "/report", text="buy pills", website="https://spam.example")

    assert (303, "Nobody has reported anything." in text_of(client.get("/reports"))) == (sent.status_code, True)


def test_a_flood_of_reports_is_turned_away(client: httpx2.Client, story: Story) -> None:
    """The sixth of one address is answered 429, with what was written still there."""
    for _ in range(5):
        post(client, "/report", text="I cannot pay")
    sixth = post(client, "/report", text="I still cannot pay")

    assert (429, True) == (sixth.status_code, "I still cannot pay" in sixth.text)


def test_a_report_from_another_page_is_refused(client: httpx2.Client) -> None:
    """A form on somebody else's page gets nowhere."""
    sent = client.post("/report", data={"text": "I cannot pay"}, headers={"origin": "https://evil.example"})

    assert 403 == sent.status_code


def test_an_empty_report_is_told_so(client: httpx2.Client) -> None:
    """The form comes back with what is wrong."""
    sent = post(client, "/report", text=" ")

    assert (400, True) == (sent.status_code, "text has 5 to 2000 characters" in text_of(sent))
