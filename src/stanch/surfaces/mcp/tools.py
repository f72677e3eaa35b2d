"""The tools: the tasks of a responder, each made of one operation or a few. No tool approves, publishes or forces."""

from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.surfaces.mcp.incident_views import PARTS, PLANNED, POSSIBLE, SHORT, THOUGHT, WRITTEN, next_of
from stanch.surfaces.mcp.looks import LOOKS, looked
from stanch.surfaces.mcp.marking import own
from stanch.surfaces.mcp.tool import Asking, Given, Put, Tool, number, word
from stanch.surfaces.mcp.views import Schema, fields

_TEXT: Final[Schema] = {"type": "string"}
_WHOLE: Final[Schema] = {"type": "integer"}
_MARKDOWN_PART: Final = 6_000
_NOTE: Final = 1_000


def _of(given: Given, words: str) -> dict[str, object]:
    return {name: given.get(name) for name in words.split()}


def _one(words: tuple[str, ...]) -> Schema:
    return {"enum": list[JSON](words)}


# What is wrong


def _overview(asking: Asking, given: Given) -> Put:
    found = asking.ask("incident.overview", outside=True, **_of(given, "type"))
    incidents = found.get("incidents") if isinstance(found, dict) else None
    numbers = [one.get("number") for one in incidents if isinstance(one, dict)] if isinstance(incidents, list) else []
    following = tuple(f"incident_show incident={one}" for one in numbers[:3])
    return Put(value=found, view=_OVERVIEW, next=following or ("Nothing is open: alerts, changes, or declare",))


_OVERVIEW: Final = fields(
    "at quiet notices",
    incidents=fields("number key! title severity! status! started_at services error_ratio cause recommended"),
    services=fields("name! state! error_ratio normal_error_ratio latency_p95_ms version last_change_at"),
    seen=fields(
        "source! service kind! severity! started_at trend why recommended incident!",
        issue=fields("key title events users period first_seen"),
        release=fields("version previous seconds_before"),
    ),
    asked=fields("name! problem start end lacking"),
)


def _show(asking: Asking, given: Given) -> Put:
    part = word(given, "part", ("short", *PARTS, "thinker"))
    if part == "thinker":
        return _thought(asking, given)
    skipped = number(given, "after")
    found = asking.ask("incident.show", incident=given.get("incident"))
    after = next_of(found)
    if part == "short" or not isinstance(found, dict):
        return Put(value=found, view=SHORT, next=after, rest="part={path} after={}")
    field, view = PARTS[part].field, PARTS[part].view
    kept = found.get(field)
    value: dict[str, JSON] = {part: kept[skipped:] if isinstance(kept, list) else kept}
    return Put(
        value=value, view=fields("", **{part: view}), next=after, rest=f"part={part} after={{}}", skipped=skipped
    )


def _thought(asking: Asking, given: Given) -> Put:
    incident = given.get("incident")
    found = asking.ask("thinker.show", incident=incident)
    asked = isinstance(found, dict) and bool(found.get("history"))
    after = "What a model said is no finding: read what it cites" if asked else "No model was asked; people ask one"
    return Put(value=found, view=THOUGHT, next=(after, f"incident_show incident={incident} part=findings"))


def _timeline(asking: Asking, given: Given) -> Put:
    incident = given.get("incident")
    found = asking.ask("incident.timeline", **_of(given, "incident after"))
    entries = found if isinstance(found, list) else []
    page = entries[:_ENTRIES]
    last = page[-1].get("seq") if page and isinstance(page[-1], dict) else given.get("after") or 0
    left = len(entries) - len(page)
    following = f"incident_timeline incident={incident} after={last}"
    return Put(
        value=list(page),
        view=_ENTRY,
        next=(following if left else f"For what happens next: {following}",),
        more=f"{left} more: {following}" if left else "",
        longest=300,
    )


_ENTRIES: Final = 20
_ENTRY: Final = fields("seq at kind! title text actor via! late")


def _declare(asking: Asking, given: Given) -> Put:
    if given.get("text") and given.get("title"):
        raise Invalid("give either the text as it was said, or a title", field="text")
    if given.get("text"):
        found = asking.ask("incident.report", **_of(given, "text zone"))
    else:
        found = asking.ask("incident.declare", **_of(given, "title services summary started_at severity reason"))
    return Put(value=found, view=WRITTEN, next=next_of(found))


def _note(asking: Asking, given: Given) -> Put:
    found = asking.ask("incident.note", **_of(given, "incident text pinned at"))
    return Put(value=found, view=WRITTEN, next=next_of(found))


def _resolve(asking: Asking, given: Given) -> Put:
    found = asking.ask("incident.resolve", **_of(given, "incident cause mitigation"))
    return Put(value=found, view=WRITTEN, next=next_of(found))


# Why


def _investigate(asking: Asking, given: Given) -> Put:
    incident, hypothesis = given.get("incident"), given.get("hypothesis")
    if hypothesis:
        found = asking.ask("investigate.test", incident=incident, hypothesis=hypothesis)
    else:
        found = asking.ask("investigate.run", incident=incident)
    return Put(
        value=found,
        view=WRITTEN,
        next=(
            "It takes some seconds.",
            f"hypotheses incident={incident}",
            f"incident_show incident={incident} part=findings",
        ),
    )


def _hypotheses(asking: Asking, given: Given) -> Put:
    incident = given.get("incident")
    do = word(given, "do", ("list", "raise"))
    if do == "raise":
        found = asking.ask("hypothesis.add", **_of(given, "incident title reason cites cause service target"))
    else:
        found = asking.ask("incident.show", incident=incident)
    return Put(
        value=found,
        view=POSSIBLE,
        next=(f"investigate incident={incident} hypothesis=<id> runs its next test", *next_of(found)),
        rest=f"incident_show incident={incident} part=hypotheses after={{}}",
    )


def _changes(asking: Asking, given: Given) -> Put:
    skipped = number(given, "after")
    found = asking.ask("change.list", **_of(given, "service since"))
    value = found[skipped:] if isinstance(found, list) else found
    return Put(
        value=value,
        view=_CHANGE,
        rest="after={}",
        skipped=skipped,
        next=("Which of them explains an incident: incident_show incident=<n> part=changes",),
    )


_CHANGE: Final = fields("id! at kind! service! title version previous commit! author source! paths")


def _query(asking: Asking, given: Given) -> Put:
    if given.get("look"):
        return looked(asking, given, word(given, "look", LOOKS))
    if given.get("name"):
        found = asking.ask("query.run", **_of(given, "name on minutes"))
        return Put(value=found, view=_ANSWER, longest=_NOTE, next=("Cite what it says in a note or a hypothesis.",))
    skipped = number(given, "after")
    cards = asking.ask("query.list", **_of(given, "pack on"))
    value: dict[str, JSON] = {"queries": cards[skipped:] if isinstance(cards, list) else cards}
    return Put(value=value, view=_QUERIES, rest="after={}", skipped=skipped, next=("query name=<name> on=<system>",))


_ANSWER: Final = fields("name! system! status! summary raised command where meaning data")
_QUERY: Final = fields("name! title meaning systems")
_QUERIES: Final = fields("", queries=_QUERY)


def _alerts(asking: Asking, given: Given) -> Put:
    if given.get("id"):
        found = asking.ask("alert.show", id=given.get("id"))
        return Put(value=found, view=_ALERT, next=("alerts lists others",))
    found = asking.ask("alert.list", limit=15, **_of(given, "state service severity text after"))
    more = found.get("next") if isinstance(found, dict) else ""
    return Put(
        value=found,
        view=_ALERTS,
        more=f"more alerts: the same with after={own(str(more))}" if more else "",
        next=("alerts id=<id> shows one with its history",),
    )


_ROW: Final = fields("id! state! name title service source severity labels starts_at ended_at quiet")
_ALERTS: Final = fields("", alerts=_ROW, counts=fields("firing by_severity capped"))
_ALERT: Final = fields(
    "annotations openings first_seen updated_at",
    alert=_ROW,
    history=fields("at what detail"),
    outcomes=fields("what why"),
)


def _oncall(asking: Asking, given: Given) -> Put:
    found = asking.ask("oncall.now", **_of(given, "service schedule person"))
    return Put(value=found, view=_ONCALL, next=("Only people answer pages.",))


_TURN: Final = fields("person! name start end")
_ONCALL: Final = fields(
    "at problems",
    schedules=fields("schedule! title", now=_TURN, next=_TURN, secondary=_TURN),
    services=fields("service! policy! reason", levels=fields("number after_s people")),
)


# What to do


def _runbook(asking: Asking, given: Given) -> Put:
    incident, runbook = given.get("incident"), given.get("runbook")
    do = word(given, "do", ("match", "show", "check"))
    if do == "check":
        checked = asking.ask("runbook.check", **_of(given, "incident runbook block"))
        value: dict[str, JSON] = {"checks": checked}
        following: tuple[str, ...] = (
            f"plan incident={incident} do=runbook runbook={_name(runbook)} block=<n> proposes a change",
        )
    elif do == "show":
        whole = asking.ask("runbook.show", **_of(given, "incident runbook"))
        value = whole if isinstance(whole, dict) else {}
        following = ("runbook do=check runs what only reads",)
    else:
        value = {"matches": asking.ask("runbook.match", incident=incident)}
        following = ("runbook do=show runbook=<name>",)
    return Put(value=value, view=_RUNBOOK, longest=_NOTE, next=following)


def _name(value: JSON) -> str:
    return value if isinstance(value, str) and value.isascii() and value.replace("-", "").isalnum() else "<name>"


_MATCH: Final = fields("runbook! title score reasons")
_CHECK: Final = fields("block heading asked on! outcome! answer expects")
_RUNBOOK: Final = fields(
    "",
    matches=_MATCH,
    card=fields("id! title owner rotten"),
    sections=fields("part! heading markdown"),
    blocks=fields("number language! text part! changes risk! why_not"),
    checks=_CHECK,
)


def _plan(asking: Asking, given: Given) -> Put:
    incident = given.get("incident")
    do = word(given, "do", ("list", "propose", "runbook", "dry_run", "look", "undo"))
    match do:
        case "propose":
            found = asking.ask("mitigation.propose", **_of(given, "incident action service words reason"))
        case "runbook":
            found = asking.ask("runbook.propose", **_of(given, "incident runbook block"))
        case "list":
            found = asking.ask("incident.show", incident=incident)
        case _:
            found = asking.ask(f"mitigation.{do}", **_of(given, "incident plan"))
    return Put(
        value=found,
        view=PLANNED,
        next=next_of(found),
        rest=f"incident_show incident={incident} part=actions after={{}}",
    )


# What to tell


def _draft(asking: Asking, given: Given) -> Put:
    found = asking.ask("comms.preview", **_of(given, "incident purpose text public_text audiences"))
    url = f"stanch comms send {given.get('incident')}"
    return Put(value=found, view=_DRAFT, longest=_NOTE, next=(f"Nothing was sent. A person sends it: {url}",))


_DRAFT: Final = fields("key! changed next_update_at", messages=fields("channel! audience! to purpose! subject text"))


def _postmortem(asking: Asking, given: Given) -> Put:
    incident = given.get("incident")
    do = word(given, "do", ("show", "draft", "edit"))
    if do == "edit":
        found = asking.ask("postmortem.edit", **_of(given, "incident revision markdown"))
    elif do == "draft":
        found = asking.ask("postmortem.draft", **_of(given, "incident template"))
    else:
        found = asking.ask("postmortem.show", incident=incident)
    value = dict(found) if isinstance(found, dict) else {}
    skipped = number(given, "after")
    text = str(value.get("markdown", ""))
    value["markdown"] = text[skipped : skipped + _MARKDOWN_PART]
    left = len(text) - skipped - _MARKDOWN_PART
    rest = f"postmortem incident={incident} after={skipped + _MARKDOWN_PART}"
    return Put(
        value=value,
        view=_POSTMORTEM,
        longest=_MARKDOWN_PART,
        more=f"{left:,} more characters of markdown: {rest}" if left > 0 else "",
        next=(f"postmortem_lint incident={incident}", "people review and publish it; an agent cannot"),
    )


_POSTMORTEM: Final = fields(
    "key! revision published author reviews_missing markdown", reviews=fields("person! agreed note")
)


def _lint(asking: Asking, given: Given) -> Put:
    skipped = number(given, "after")
    found = asking.ask("postmortem.lint", **_of(given, "incident markdown"))
    value = found[skipped:] if isinstance(found, list) else found
    return Put(
        value=value, view=_WORDING, rest="after={}", skipped=skipped, next=("postmortem do=edit with other words",)
    )


_WORDING: Final = fields("line text why suggestion")


TOOLS: Final = (
    Tool(
        name="overview",
        about="What is wrong now: open incidents, the worst first, and services beside their normal. Start here.",
        takes={"incident.overview": ""},
        run=_overview,
        shows={"": ("incident.overview", _OVERVIEW)},
        extra={"type": _one(("error-spike", "performance-degradation", "outage"))},
    ),
    Tool(
        name="incident_show",
        about="One incident: in short, or one part of it in full.",
        takes={"incident.show": "incident"},
        run=_show,
        shows={"": ("incident.show", SHORT)},
        required=("incident",),
        extra={"part": _one((*PARTS, "thinker")), "after": _WHOLE},
    ),
    Tool(
        name="incident_timeline",
        about="What happened in an incident, oldest first, after the entry with this seq.",
        takes={"incident.timeline": "incident after"},
        run=_timeline,
        shows={"": ("incident.timeline", _ENTRY)},
        required=("incident",),
    ),
    Tool(
        name="declare",
        about="Open an incident: from `text` in plain words, or by `title` and `services`. A severity needs a reason.",
        takes={"incident.report": "text", "incident.declare": "title services summary started_at severity reason"},
        run=_declare,
        shows={"": ("incident.declare", WRITTEN)},
    ),
    Tool(
        name="note",
        about="Write into an incident's log; `at` for something that happened earlier.",
        takes={"incident.note": "incident text at"},
        run=_note,
        shows={"": ("incident.note", WRITTEN)},
        required=("incident", "text"),
    ),
    Tool(
        name="investigate",
        about="Send the collectors out again; with `hypothesis`, run its next test. Only reads the systems.",
        takes={"investigate.run": "incident", "investigate.test": "hypothesis"},
        run=_investigate,
        shows={"": ("investigate.run", WRITTEN)},
        required=("incident",),
    ),
    Tool(
        name="hypotheses",
        about="Possible causes: list them, or raise one that cites findings by id. People confirm and refute.",
        takes={"hypothesis.add": "incident title reason cites cause service target"},
        run=_hypotheses,
        shows={"": ("hypothesis.add", POSSIBLE)},
        required=("incident",),
        extra={"do": _one(("list", "raise"))},
        looks=("list",),
    ),
    Tool(
        name="changes",
        about="Deploys and other changes, newest first; by default of the last 24 hours.",
        takes={"change.list": "service since"},
        run=_changes,
        shows={"": ("change.list", _CHANGE)},
        extra={"after": _WHOLE},
    ),
    Tool(
        name="query",
        about="Read-only queries: without `name` lists those that fit `on`; with it, puts one to a system or service. "
        "`look` asks Sentry: errors, releases (correlate?), performance, or events by `text` in its search language.",
        takes={
            "query.run": "name on minutes",
            "query.list": "pack",
            "investigate.errors": "service issue",
            "investigate.query": "text dataset fields",
        },
        run=_query,
        shows={"": ("query.run", _ANSWER)},
        extra={"after": _WHOLE, "look": _one(LOOKS)},
    ),
    Tool(
        name="alerts",
        about="Alerts, newest first, or one by `id`. `state`: firing, active, suppressed or resolved.",
        takes={"alert.list": "state service severity text after", "alert.show": "id"},
        run=_alerts,
        shows={"": ("alert.list", _ALERTS)},
    ),
    Tool(
        name="oncall",
        about="Who is on call now, who is next, and who would be paged about a service.",
        takes={"oncall.now": "service schedule person"},
        run=_oncall,
        shows={"": ("oncall.now", _ONCALL)},
    ),
    Tool(
        name="runbook",
        about="Runbooks: match those that fit an incident, show one, or check: run its read-only checks, on record.",
        takes={"runbook.check": "incident runbook block"},
        run=_runbook,
        shows={"matches": ("runbook.match", _MATCH), "checks": ("runbook.check", _CHECK)},
        extra={"do": _one(("match", "show", "check"))},
        looks=("match", "show"),
    ),
    Tool(
        name="plan",
        about="Plans that change something: list, propose a declared action or a runbook's block, dry_run, look again, "
        "undo. Only a person approves; then it runs.",
        takes={
            "mitigation.propose": "incident action service words reason",
            "runbook.propose": "runbook block",
            "mitigation.dry_run": "plan",
        },
        run=_plan,
        shows={"": ("mitigation.propose", PLANNED)},
        required=("incident",),
        extra={"do": _one(("list", "propose", "runbook", "dry_run", "look", "undo"))},
        looks=("list",),
    ),
    Tool(
        name="update_draft",
        about="An update as it would go out now, to whom, in which words. Sends nothing.",
        takes={"comms.preview": "incident purpose text public_text audiences"},
        run=_draft,
        shows={"": ("comms.preview", _DRAFT)},
        required=("incident",),
    ),
    Tool(
        name="resolve",
        about="End an incident whose recovery is verified, with cause and mitigation in words.",
        takes={"incident.resolve": "incident cause mitigation"},
        run=_resolve,
        shows={"": ("incident.resolve", WRITTEN)},
        required=("incident",),
    ),
    Tool(
        name="postmortem",
        about="The post-mortem: show, draft it from the log again, or edit on top of `revision`. People publish.",
        takes={"postmortem.edit": "incident revision markdown"},
        run=_postmortem,
        shows={"": ("postmortem.edit", _POSTMORTEM)},
        required=("incident",),
        extra={"do": _one(("show", "draft", "edit")), "after": _WHOLE},
        looks=("show",),
    ),
    Tool(
        name="postmortem_lint",
        about="Wording that blames, in the newest revision or in a text, with another way to say it.",
        takes={"postmortem.lint": "incident markdown"},
        run=_lint,
        shows={"": ("postmortem.lint", _WORDING)},
        extra={"after": _WHOLE},
    ),
)
"""All of them, in the order in which a responder needs them."""
