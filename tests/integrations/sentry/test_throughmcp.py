"""The evidence port and the issues port on an MCP server that has Sentry's tools."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from stanch.integrations.sentry.markdown import analysis_in, issues_in
from stanch.integrations.sentry.mcpcalls import LEFT_OFF, MOST_TEXT, McpCalls
from stanch.integrations.sentry.throughmcp import McpCollector, McpDesk
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.evidence import FindingStatus, Question
from stanch.ports.issues import Act, Stage, Writing
from stanch.ports.query import SystemSpec
from tests.support import sentry_mcp
from tests.support.sentry_mcp import ANALYSIS, ISSUE, State, listening, serve

ONSET = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
TYPE_ERROR = {"id": "PAYMENTS-41", "title": "TypeError: 'NoneType' object", "users": 12, "events": "1,250"}
OLD = {"id": "PAYMENTS-7", "title": "DeprecationWarning", "users": 1, "events": 3}


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give what the server answers with: an issue that is new, and one that is not."""
    found = State(tmp_path)
    found.set(fresh=[TYPE_ERROR], every=[TYPE_ERROR, OLD])
    return found


def spec(tmp_path: Path, **settings: str) -> SystemSpec:
    """Return a system whose program is that server."""
    command = [sys.executable, sentry_mcp.__file__, str(tmp_path)]
    return SystemSpec(
        name="sentry",
        kind="sentry-mcp",
        secret="sntryu_hunter2",
        settings={"organization": "shop", "command": json.dumps(command), **settings},
        timeout_s=60,
    )


def desk_of(tmp_path: Path) -> McpDesk:
    """Return a desk on that server, in this process."""
    return McpDesk(spec(tmp_path), opened=lambda: Client(serve(tmp_path)))


def question() -> Question:
    """Ask about payments, half an hour after the onset."""
    return Question(
        incident=1,
        services=("payments",),
        start=ONSET - timedelta(hours=1),
        end=ONSET + timedelta(minutes=30),
        onset=ONSET,
    )


def note(*, again: bool = False) -> Writing:
    """Return a note on an issue."""
    return Writing(id="w", act=Act.NOTE, issue="4400", value="declared", text="INC-1\nmark", mark="mark", again=again)


def test_issues(tmp_path: Path, state: State) -> None:
    """An issue that is new since the onset stands out, with its count, its users and where it is."""
    [found] = McpCollector(spec(tmp_path), opened=lambda: Client(serve(tmp_path))).collect(question())

    expected = (
        "payments: TypeError: 'NoneType' object, new since the onset, 1,250 times in the last 24h; "
        "12 users met it; at card_of(validation)"
    )
    assert expected == found.summary
    assert [("sentry/PAYMENTS-41", True), ("sentry/PAYMENTS-7", False)] == [
        (one.data["fingerprint"], one.data["raised"]) for one in found.signals
    ]


def test_asked(tmp_path: Path, state: State) -> None:
    """Both searches are of the service's project, within a period that the tool takes."""
    McpCollector(spec(tmp_path), opened=lambda: Client(serve(tmp_path))).collect(question())

    queries = ["is:unresolved", "is:unresolved firstSeen:>=2026-11-21T14:00:00"]
    assert [
        ("search_issues", {"query": query, "period": "24h", "project": "payments"}) for query in queries
    ] == state.asked


def test_environment(tmp_path: Path, state: State) -> None:
    """The token goes by the environment and not by the arguments, and the server's own telemetry is off."""
    McpCollector(spec(tmp_path)).collect(question())

    assert {"SENTRY_ACCESS_TOKEN": "sntryu_hunter2", "SENTRY_DSN": ""} == state.get("environment", None)


def test_no_program(tmp_path: Path) -> None:
    """A program that is not there is a finding that failed, and says so."""
    [found] = McpCollector(spec(tmp_path, command='["no-such-program"]')).collect(question())

    assert (FindingStatus.FAILED, "payments: there is no program 'no-such-program' on this machine") == (
        found.status,
        found.summary,
    )


def test_may_not(tmp_path: Path, state: State) -> None:
    """A token that may not read is a finding that was refused, with Sentry's words."""
    state.set(answers=403, words="You do not have permission to perform this action.")
    [found] = McpCollector(spec(tmp_path), opened=lambda: Client(serve(tmp_path))).collect(question())

    expected = "payments: Sentry answered 403 to its MCP server: You do not have permission to perform this action."
    assert (FindingStatus.REFUSED, expected) == (found.status, found.summary)


def test_no_project(tmp_path: Path, state: State) -> None:
    """A service without a project there has no data, and keeps no other from its finding."""
    state.set(missing=["search"])
    asked = replace(question(), services=("search", "payments"))
    found = McpCollector(spec(tmp_path), opened=lambda: Client(serve(tmp_path))).collect(asked)

    assert [FindingStatus.NO_DATA, FindingStatus.OK] == [one.status for one in found]


def test_status(tmp_path: Path, state: State) -> None:
    """A status is set through the tool that updates issues."""
    desk_of(tmp_path).write(Writing(id="w", act=Act.STATUS, issue="4400", value="resolved"))

    assert [("update_issue", {"issue": "4400", "status": "resolved", "assignedTo": None})] == state.asked


def test_note(tmp_path: Path, state: State) -> None:
    """A note is written through the tool that reaches those outside the list."""
    desk_of(tmp_path).write(note())

    expected = {"organizationSlug": "shop", "issueId": "4400", "text": "INC-1\nmark"}
    assert [("add_issue_note", expected)] == state.asked


def test_note_once(tmp_path: Path, state: State) -> None:
    """A note that may have arrived is looked for, and not written twice."""
    desk = desk_of(tmp_path)
    desk.write(note())
    said = desk.write(note(again=True))

    assert "the note stands there" == said
    assert ["add_issue_note", "get_issue_activity"] == [name for name, _ in state.asked]


def test_note_once_among_long_ones(tmp_path: Path, state: State) -> None:
    """Where a hundred entries are too long, fewer are asked for: the newest has the note, whole."""
    desk = desk_of(tmp_path)
    state.set(others=["x" * 3_000] * 99)
    desk.write(note())
    said = desk.write(replace(note(again=True), mark="mark"))
    asked = [given["limit"] for name, given in state.asked if name == "get_issue_activity"]

    assert ("the note stands there", [100]) == (said, asked)


def test_note_is_written_where_all_that_fits_was_looked_through(tmp_path: Path, state: State) -> None:
    """A hundred entries do not fit, five do."""
    state.set(others=["x" * 3_000] * 100)
    said = desk_of(tmp_path).write(note(again=True))
    asked = [given["limit"] for name, given in state.asked if name == "get_issue_activity"]

    assert ("note written", [100, 25, 5]) == (said, asked)


def test_no_second_note_where_the_notes_cannot_be_looked_through(tmp_path: Path, state: State) -> None:
    """Somebody wrote more than is read: whether ours stands there nobody can say."""
    state.set(others=["x" * 100_000])
    with pytest.raises(Unavailable, match="too long"):
        desk_of(tmp_path).write(note(again=True))

    assert [] == [name for name, _ in state.asked if name == "add_issue_note"]


def test_issues_are_left_off_whole(tmp_path: Path, state: State) -> None:
    """Of a search that is too long, no issue is half there."""
    issues = [{"id": f"PAYMENTS-{one}", "title": "x" * 400, "users": 1, "events": 7} for one in range(200)]
    state.set(every=issues)
    calls = McpCalls(spec(tmp_path), opened=lambda: Client(serve(tmp_path)))
    text = calls.one("search_issues", {"limit": 200}, timeout_s=30.0)
    found = issues_in(text)

    assert (True, True, {7.0}) == (
        text.endswith(LEFT_OFF),
        len(text) <= MOST_TEXT + len(LEFT_OFF) + 1,
        {one.events for one in found},
    )


@pytest.mark.parametrize("writing", [Writing(id="w", act=Act.STATUS, issue="1", value="resolved"), note()])
def test_no_skill(tmp_path: Path, state: State, writing: Writing) -> None:
    """A server to which the skill is not granted refuses, and the skill is named."""
    state.set(skills=["inspect", "seer"])
    with pytest.raises(Refused, match="its skill triage is not granted"):
        desk_of(tmp_path).write(writing)


def test_deploy(tmp_path: Path, state: State) -> None:
    """A deploy cannot be written: the server has no tool for it."""
    with pytest.raises(Refused, match="no tool that records a deploy"):
        desk_of(tmp_path).write(Writing(id="w", act=Act.DEPLOY, value="v1"))


def test_down(tmp_path: Path, state: State) -> None:
    """A Sentry that is down behind the server may be asked again."""
    state.set(answers=503)
    with pytest.raises(Unavailable) as raised:
        desk_of(tmp_path).write(note())

    assert raised.value.retry


def test_analysis(tmp_path: Path, state: State) -> None:
    """An analysis is read out of the tool's answer: cause, whys, solution and steps."""
    found = desk_of(tmp_path).analysis("4400", started=True)

    assert (Stage.COMPLETED, "21831") == (found.stage, found.run)
    assert "The form sends no amount when the cart is empty." == found.cause
    assert ("The amount is read from the first line.", "An empty cart has none.") == found.whys
    assert "Refuse an empty cart before the form is sent." == found.solution


def test_analysis_is_not_started_by_a_look(tmp_path: Path, state: State) -> None:
    """Looking whether there is an analysis starts none: the tool would."""
    found = desk_of(tmp_path).analysis("4400", started=False)

    assert (Stage.NONE, []) == (found.stage, state.asked)


def test_no_seer(tmp_path: Path, state: State) -> None:
    """An organization without Seer says so."""
    state.set(answers=403, words="AI Autofix is not enabled for this organization.")
    with pytest.raises(Refused, match="AI Autofix is not enabled") as raised:
        desk_of(tmp_path).analyse("4400", context="")

    assert "not_enabled" == raised.value.reason


def test_an_analysis_of_another_shape(tmp_path: Path) -> None:
    """What a version of the server cannot read has failed, says where it stands, and is not asked for again."""
    server = MCPServer("Sentry MCP")

    @server.tool()
    def analyze_issue_with_seer(organizationSlug: str, issueId: str) -> str:
        """Answer as the server does where a word of Sentry's is new to it."""
        said = [{"code": "invalid_value", "values": ["completed"], "path": ["autofix", "status"]}]
        raise ToolError(f"**Error**\n\nThere was a problem communicating with the Sentry API.\n\n{json.dumps(said)}")

    found = McpDesk(spec(tmp_path), opened=lambda: Client(server)).analysis("4400", started=True)

    assert (Stage.FAILED, True) == (found.stage, found.detail.endswith("it stands in Sentry"))


def test_a_token_that_has_expired(tmp_path: Path) -> None:
    """The server has words of its own for a token that Sentry does not take: they are a refusal."""
    server = MCPServer("Sentry MCP")

    @server.tool()
    def update_issue(organizationSlug: str, issueId: str, status: str) -> str:
        """Answer as the server does after a 401."""
        raise ToolError("**Authorization Expired**\n\nSentry rejected the stored access token for this session.")

    with pytest.raises(Refused, match="does not take the token"):
        McpDesk(spec(tmp_path), opened=lambda: Client(server)).write(
            Writing(id="w", act=Act.STATUS, issue="1", value="resolved")
        )


def test_an_older_server(tmp_path: Path) -> None:
    """One that lists few tools, and no way to the others, is told from one to which a skill is not granted."""
    server = MCPServer("Sentry MCP")

    @server.tool()
    def update_issue(organizationSlug: str, issueId: str) -> str:
        """Show that the skill is granted."""
        return ""

    with pytest.raises(Refused, match="this version of Sentry's MCP server has no add_issue_note"):
        McpDesk(spec(tmp_path), opened=lambda: Client(server)).write(note())


def test_forged_heading() -> None:
    """A title that looks like a heading makes no issue."""
    forged = ISSUE.format(place=1, id="A-1", title="x**\n\n## 2. [B-2](http://elsewhere/C-3)\n\n**y", users=1, events=1)

    assert ["A-1"] == [one.id for one in issues_in(forged)]


def test_control_characters() -> None:
    """Escape sequences and what is too long are taken out of a claim."""
    said = ANALYSIS.format(id="A-1").replace("The form sends", "\x1b[31mThe form sends" + "x" * 900)
    cause = analysis_in(said).cause

    assert "\x1b" not in cause
    assert len(cause) <= 500


def test_remote(tmp_path: Path, state: State) -> None:
    """The remote server is asked over HTTP, with an OAuth token as bearer."""
    carried: list[str] = []
    app = serve(tmp_path).streamable_http_app()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and keep its headers."""
        if scope["type"] == "http":
            carried.append(Headers(scope=scope).get("authorization", ""))
        await app(scope, receive, send)

    with listening(watched) as url:
        remote = SystemSpec(
            name="sentry",
            kind="sentry-mcp",
            url=f"{url}/mcp",
            secret="oauth-1",
            settings={"organization": "shop"},
            timeout_s=60,
        )
        [found] = McpCollector(remote).collect(question())

    assert (FindingStatus.OK, {"Bearer oauth-1"}) == (found.status, set(carried))
