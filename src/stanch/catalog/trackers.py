"""Where action items have their tickets, `[trackers.<name>]`: record, keys, and which tracker an item belongs to."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.load_checks import complain_of_url
from stanch.catalog.reader import Reader, did_you_mean

KINDS: Final = ("github", "jira")
STATES: Final = ("open", "done", "dropped")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROJECTS: Final = {
    "github": (re.compile(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}"), "owner/repository, such as acme/shop"),
    "jira": (re.compile(r"[A-Z][A-Z0-9_]{1,29}"), "the key of a project, such as SHOP"),
}
# GitHub: 50 letters; Jira: no blanks, 255.
_LABEL: Final = re.compile(r"[^\s,]{1,50}")

TRACKER: Final = (
    Key(name="kind", type=Type.TEXT, doc="Whose protocol it speaks; by default the key.", words=KINDS),
    Key(
        name="project",
        type=Type.TEXT,
        doc="Where tickets are made: `acme/shop` for `github`, `SHOP` for `jira`.",
        required=True,
    ),
    Key(
        name="url", type=Type.TEXT, doc="The site, `https://acme.atlassian.net`; for `github` the API of an own server."
    ),
    Key(name="account", type=Type.TEXT, doc="For `jira`: the mail address that the token belongs to."),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable that holds the token.", required=True),
    Key(name="services", type=Type.TEXTS, doc="Only items of incidents of these services; by default all."),
    Key(name="teams", type=Type.TEXTS, doc="Only items of incidents of these teams' services; by default all."),
    Key(
        name="automatic", type=Type.BOOLEAN, doc="Every new item has a ticket; otherwise those that are linked by hand."
    ),
    Key(name="label", type=Type.TEXT, doc="The label that its tickets carry."),
    Key(name="issue_type", type=Type.TEXT, doc="For `jira`: the type of its tickets."),
    Key(name="poll_s", type=Type.SECONDS, doc="How often what changed there is read.", low=5, high=86_400),
    Key(name="people", type=Type.TABLE, doc='Who is who there, `alice = "octo-alice"`; for `jira` account ids.'),
    Key(
        name="states", type=Type.TABLE, doc='For `jira`: its status for `open`, `done`, `dropped`: `done = "Shipped"`.'
    ),
)


@dataclass(frozen=True, kw_only=True)
class TrackerSpec:
    """A tracker. The token is in the environment variable `secret_env`. `people` are accounts by person."""

    name: str
    kind: str = ""
    project: str = ""
    url: str = ""
    account: str = ""
    secret_env: str = ""
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    automatic: bool = True
    label: str = "stanch"
    issue_type: str = "Task"
    poll_s: float = 60.0
    people: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


def tracker_for(
    trackers: Mapping[str, TrackerSpec], *, services: Collection[str], teams: Collection[str]
) -> TrackerSpec | None:
    """Return the tracker of an incident of these services and teams; None where none is theirs.

    One that names a service of it comes before one that names a team, and that before one for all; then their order.
    """
    named = [one for one in trackers.values() if set(one.services) & set(services)]
    named += [one for one in trackers.values() if set(one.teams) & set(teams)]
    named += [one for one in trackers.values() if not one.services and not one.teams]
    return named[0] if named else None


def read_tracker(
    reader: Reader, *, name: str, services: Sequence[str], teams: Sequence[str], people: Sequence[str]
) -> dict[str, object]:
    """Return the fields of a tracker; complain of what its kind lacks and of names that there are not."""
    kind = reader.kind(default=name)
    if kind is None:
        return {}
    if kind not in KINDS:
        reader.complain("kind", f"say what it is: {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
        return {}
    _complain_of_place(reader, kind)
    if (variable := reader.text("secret_env")) and not _VARIABLE.fullmatch(variable):
        reader.complain("secret_env", "names an environment variable, and never holds the secret itself")
    if (label := reader.text("label")) and not _LABEL.fullmatch(label):
        reader.complain("label", "is one word of at most 50 letters without a comma")
    for key, known, what in (("services", services, "service"), ("teams", teams, "team")):
        for one in reader.texts(key):
            if one not in known:
                reader.complain(key, f"names no {what}: {one!r}{did_you_mean(one, known)}")
    return {
        **reader.given(),
        "name": name,
        "kind": kind,
        "people": _texts(reader, "people", known=people, what="nobody"),
        "states": _texts(reader, "states", known=STATES, what="no state"),
    }


def _complain_of_place(reader: Reader, kind: str) -> None:
    shape, words = _PROJECTS[kind]
    if (project := reader.text("project")) and not shape.fullmatch(project):
        reader.complain("project", f"is {words}")
    if url := reader.text("url"):
        complain_of_url(reader, "url", url)
    elif kind == "jira":
        reader.complain("url", "is missing: a tracker of kind jira needs its site, https://acme.atlassian.net")
    for key in ("account", "issue_type", "states"):
        if kind != "jira" and key in reader.given():
            reader.complain(key, "is for jira alone")


def _texts(reader: Reader, key: str, *, known: Sequence[str], what: str) -> dict[str, str]:
    found = {}
    for one, value in reader.table(key).items():
        if one not in known:
            reader.complain(f"{key}.{one}", f"names {what}{did_you_mean(one, known)}")
        elif not isinstance(value, str) or not value.strip():
            reader.complain(f"{key}.{one}", "must be a text")
        else:
            found[one] = value.strip()
    twins = {value for value in found.values() if list(found.values()).count(value) > 1}
    if twins and key == "people":
        reader.complain(key, f"has two people for {', '.join(sorted(twins))}")
    return found
