"""The pages without a script: everything can be read and done, and what comes from outside stays text."""

import re
from collections.abc import Iterator
from html import unescape
from importlib import resources
from importlib.resources.abc import Traversable

import httpx2
import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import PrimaryError
from stanch.operations.registry import Effect
from stanch.ports.evidence import Finding, FindingStatus
from tests.surfaces.serving import PATIENT_S
from tests.surfaces.web.story import ALICE, HOSTILE, OPERATIONS, START, Story


def text_of(response: httpx2.Response) -> str:
    """Return the words of a page, with runs of blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def post(client: httpx2.Client, path: str, **fields: str | int) -> httpx2.Response:
    """Send a form as a browser without a script does."""
    return client.post(path, data=fields, headers={"origin": str(client.base_url).rstrip("/")})


def test_a_quiet_overview_says_so(client: httpx2.Client) -> None:
    """With nothing wrong, the overview says that it looked and found nothing."""
    assert "All quiet No incident is open." in text_of(client.get("/"))


def test_the_overview_answers_what_is_broken(client: httpx2.Client, story: Story) -> None:
    """One screen says how bad, what stands out, what changed and what to do first."""
    story.declare()
    story.investigate()
    shown = text_of(client.get("/"))
    facts = (
        "◆ SEV2",
        "Error rate 45 % normal 0.2 %",
        "1,204",
        "TypeError: 'NoneType' object has no attribute 'email'",
        "payments v3.2.1 deployed 40s before the start",
        "What to do first Roll payments back to v3.2.0",
    )

    assert [] == [fact for fact in facts if fact not in shown]


def test_the_incident_page_answers_the_responders_questions(client: httpx2.Client, story: Story) -> None:
    """The page shows cause with evidence, the exact command, risk, target and digest."""
    story.declare()
    story.investigate()
    shown = text_of(client.get("/i/1"))
    facts = (
        "Bad deploy of payments v3.2.1",
        "93 % likely",
        "a new error began with this release +2.3 f1-1",
        "shopctl rollback payments --to v3.2.0",
        "Risk low",
        "Reversible yes",
        "Run 1 command on payments now",
        story.plan.digest[:12],
        "45 % of requests of a tier 1 service fail (10 % or more) rule error-rate",
    )

    assert [] == [fact for fact in facts if fact not in shown]


def test_every_entry_has_its_permalink(client: httpx2.Client, story: Story) -> None:
    """The time line's entries carry their position as an anchor."""
    story.declare()
    page = client.get("/i/1").text

    assert [str(seq) for seq in range(1, 7)] == re.findall(r'<li id="e-(\d+)"', page)


def test_an_incident_is_found_by_its_key(client: httpx2.Client, story: Story) -> None:
    """/i/INC-1 is /i/1."""
    story.declare()

    assert 200 == client.get("/i/inc-1").status_code


@pytest.mark.parametrize("path", ["/i/99", "/i/x", "/i/-1", "/i/99999999999", "/nowhere", "/postmortem/1", "/do/a/b"])
def test_what_is_not_there_is_a_page(client: httpx2.Client, path: str) -> None:
    """An error for a browser is a page with a way back."""
    response = client.get(path)
    code = 405 if path.startswith("/do") else 404

    assert (code, True) == (response.status_code, 'href="/">Overview</a>' in response.text)


def test_hostile_text_stays_text(client: httpx2.Client, story: Story) -> None:
    """Markup, template syntax and reordering characters from outside are shown as they were sent."""
    story.declare(title=HOSTILE)
    story.say(ev.NoteAdded(text=HOSTILE), actor=ALICE)
    story.say(ev.SymptomSeen(error=PrimaryError(title=HOSTILE, count=1, first_seen=START, last_seen=START)))
    finding = Finding(
        id="f1-9",
        collector=HOSTILE,
        source=HOSTILE,
        command=HOSTILE,
        status=FindingStatus.OK,
        summary=HOSTILE,
        start=START,
        end=START,
    )
    story.say(ev.InvestigationStarted(round=1, collectors=(), start=START, end=START))
    story.say(ev.FindingRecorded(round=1, finding=finding))
    pages = [client.get(path).text for path in ("/", "/i/1", "/i/1/live?after=0", "/live")]

    assert [(0, 0, True)] * 4 == [
        (page.count("<script>"), page.count("<img"), "{{7*7001}}" in page and "49007" not in page) for page in pages
    ]


def test_the_pages_ask_nobody_else(client: httpx2.Client, story: Story) -> None:
    """Every address in a page is of this server, and no script or style stands in it."""
    story.declare()
    story.investigate()
    page = client.get("/i/1").text

    assert ([], [], []) == (
        re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', page),
        re.findall(r"<script(?![^>]* src=)", page),
        re.findall(r"<style|\sstyle=|\son[a-z]+=", page),
    )


def test_a_form_acknowledges(client: httpx2.Client, story: Story) -> None:
    """Without a script a form acts and leads back."""
    story.declare()
    response = post(client, "/do/incident/acknowledge", incident=1, back="/i/1")

    assert (303, "/i/1", "Alice Adams") == (
        response.status_code,
        response.headers["location"],
        client.get("/api/v1/incident/show?incident=1").json()["acknowledged_by"],
    )


def test_a_form_approves_what_was_shown(client: httpx2.Client, story: Story) -> None:
    """The approval is bound to the digest that stood on the page."""
    story.declare()
    story.investigate()
    post(client, "/do/mitigation/approve", incident=1, plan=story.plan.id, digest=story.plan.digest, back="/i/1")
    action = client.get("/api/v1/incident/show?incident=1").json()["actions"][0]

    assert ("approved", "alice", "web") == (
        action["state"],
        action["approvals"][0]["person"]["id"],
        client.get("/api/v1/incident/timeline?incident=1").json()[-1]["via"],
    )


def test_a_refusal_is_a_page_that_says_why(client: httpx2.Client, story: Story) -> None:
    """Resolving before it is verified is refused, with the reason."""
    story.declare()
    response = post(client, "/do/incident/resolve", incident=1, cause="", mitigation="", force_reason="", back="/i/1")

    assert (409, True) == (response.status_code, "not_verified" in response.text)


def test_a_report_leads_to_its_incident(client: httpx2.Client, story: Story) -> None:
    """Declaring from plain words opens the new incident's page."""
    response = post(client, "/do/incident/report", text="500 errors on /api/checkout since 14:30 UTC")

    assert (303, "/i/1") == (response.status_code, response.headers["location"])


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_form_leads_nowhere_else(client: httpx2.Client, story: Story, back: str) -> None:
    """An address of another server is not followed."""
    story.declare()
    response = post(client, "/do/incident/acknowledge", incident=1, back=back)

    assert "/i/1" == response.headers["location"]


def test_a_form_can_not_be_forged(client: httpx2.Client, story: Story) -> None:
    """A post with another origin changes nothing."""
    story.declare()
    response = client.post("/do/incident/acknowledge", data={"incident": 1}, headers={"origin": "https://evil.example"})

    assert (403, None) == (
        response.status_code,
        client.get("/api/v1/incident/show?incident=1").json()["acknowledged_at"],
    )


def test_a_person_is_kept_in_a_careful_cookie(client: httpx2.Client) -> None:
    """Choosing who one is sets a cookie that scripts and other sites do not get."""
    cookie = post(client, "/me", person="bob", back="/").headers["set-cookie"].lower()

    assert (True, True, True) == ("stanch_person=bob" in cookie, "httponly" in cookie, "samesite=lax" in cookie)


def test_nobody_is_asked_who_they_are(url: str) -> None:
    """Who has not said a name may look, and is told how to act."""
    assert "say who you are" in httpx2.get(f"{url}/", timeout=PATIENT_S).text


def test_only_what_changed_is_sent(client: httpx2.Client, story: Story) -> None:
    """A page that knows its parts gets those that changed, and the new entries."""
    story.declare()
    page = client.get("/i/1").text
    known = ",".join(f"{name}:{version}" for name, version in re.findall(r'id="part-(\w+)" data-v="(\w+)"', page))
    story.say(ev.Acknowledged(), actor=ALICE)
    fresh = client.get(f"/i/1/live?after=6&v={known}").text

    assert (["head", "rail"], ["7"]) == (
        re.findall(r'id="part-(\w+)"', fresh),
        re.findall(r'<li id="e-(\d+)"', fresh),
    )


def test_time_alone_changes_no_part(client: httpx2.Client, story: Story) -> None:
    """A clock that runs on is no news."""
    story.declare()
    page = client.get("/i/1").text
    known = ",".join(f"{name}:{version}" for name, version in re.findall(r'id="part-(\w+)" data-v="(\w+)"', page))
    story.clock.advance(START - START.replace(minute=29))
    fresh = client.get(f"/i/1/live?after=6&v={known}").text

    assert [] == re.findall(r'id="part-(\w+)"', fresh)


def test_the_postmortem_can_be_read_edited_and_published(client: httpx2.Client, story: Story) -> None:
    """The write-up is rendered; an edit is a new revision; publishing says so."""
    story.declare()
    post(client, "/do/incident/resolve", incident=1, force_reason="rolled back by hand", back="/i/1")
    post(client, "/do/postmortem/edit", incident=1, revision=1, markdown="# What *happened*", back="/postmortem/1")
    post(client, "/do/postmortem/publish", incident=1, revision=2, back="/postmortem/1")
    page = client.get("/postmortem/1")

    assert (True, True) == (
        "<h1>What <em>happened</em></h1>" in page.text,
        "revision 2 published" in text_of(page),
    )


def test_a_preview_shows_what_would_be_saved_and_saves_nothing(client: httpx2.Client, story: Story) -> None:
    """The text is rendered with what in its wording blames; the revision stays."""
    story.declare()
    post(client, "/do/incident/resolve", incident=1, force_reason="rolled back by hand", back="/i/1")
    seen = post(
        client, "/postmortem/1/preview", markdown="# So\n\nIt was human error. ![x](https://elsewhere.example/a.png)"
    )
    page = client.get("/postmortem/1")

    assert (True, True, False, True) == (
        "<h1>So</h1>" in seen.text,
        "Name the condition instead" in seen.text,
        "elsewhere.example" in seen.text,
        "revision 1" in text_of(page),
    )


@pytest.mark.parametrize(
    ("kind", "media"), [("html", "text/html"), ("markdown", "text/markdown"), ("json", "application/json")]
)
def test_a_postmortem_is_saved_as_a_file(client: httpx2.Client, story: Story, kind: str, media: str) -> None:
    """Each form is handed out under a name of its own."""
    story.declare()
    post(client, "/do/incident/resolve", incident=1, force_reason="rolled back by hand", back="/i/1")
    saved = client.get(f"/postmortem/1/export/{kind}")

    assert (200, media, True) == (
        saved.status_code,
        saved.headers["content-type"].partition(";")[0],
        saved.headers["content-disposition"].startswith('attachment; filename="inc-1-postmortem.'),
    )


def test_assets_are_kept_for_ever_under_their_hash(client: httpx2.Client) -> None:
    """The address of an asset changes with its content, so a browser may keep it."""
    address = re.findall(r'src="(/assets/[^"]+\.js)"', client.get("/").text)[0]
    response = client.get(address)

    assert (200, True, True) == (
        response.status_code,
        "immutable" in response.headers["cache-control"],
        "javascript" in response.headers["content-type"],
    )


def test_every_form_is_an_operation() -> None:
    """What the pages' forms name is registered, and changes something."""
    sources = [file.read_text() for file in _templates(resources.files("stanch.surfaces.web") / "templates")]
    named = {name for text in sources for name in re.findall(r'(?:data-op="|operation\(")(\w+\.\w+)"', text)}

    assert (True, set(), set()) == (
        "mitigation.approve" in named,
        named - set(OPERATIONS),
        {name for name in named if OPERATIONS[name].effect is Effect.READ},
    )


def _templates(folder: Traversable) -> Iterator[Traversable]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _templates(one)
        else:
            yield one


def test_action_items_are_written_down_and_done_on_their_page(client: httpx2.Client, story: Story) -> None:
    """The list shows what is open; what is done leaves it."""
    story.declare()
    post(client, "/do/item/add", incident=1, title="Test <guest> checkout", owner="", due_on="", back="/items")
    before = client.get("/items?incident=INC-1")
    post(client, "/do/item/done", incident=1, number=1, back="/items")

    assert (True, False, True) == (
        "Test &lt;guest&gt; checkout" in before.text,
        "guest" in client.get("/items").text,
        "guest" in client.get("/items?all=1").text,
    )
