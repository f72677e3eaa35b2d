"""Reads `stanch.toml` into a `Catalog`, or says everything that is wrong with it at once.

Owns what the values must mean together: names that exist, checks that follow from a service's own keys, paths. Types
and bounds of single values are `reader`'s, the list of keys is `keys`'.
"""

import operator
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from stanch.catalog.acting import APPROVALS, AUTOMATIC, read_automatic
from stanch.catalog.alerting_keys import HEARTBEAT
from stanch.catalog.channels import CHANNEL, STAKEHOLDER
from stanch.catalog.inbox import read_mail, read_report
from stanch.catalog.keys import (
    MITIGATIONS,
    PERSON,
    ROOT,
    SAMPLERS,
    SERVICE,
    SOURCE,
    SOURCE_KINDS,
    THRESHOLDS,
    TIMING,
    Key,
)
from stanch.catalog.links import read_links
from stanch.catalog.load_acting import complain_of_systems, read_actions
from stanch.catalog.load_alerting import read_alerting, read_heartbeat
from stanch.catalog.load_checks import complain_of_url, read_checks
from stanch.catalog.load_comms import read_channel, read_chat, read_comms, read_stakeholder
from stanch.catalog.load_oncall import Known, complain_of_targets, merged, read_folder, read_oncall, read_person
from stanch.catalog.maintenance import MAINTENANCE, read_maintenance
from stanch.catalog.model import Catalog, Timing
from stanch.catalog.oncall_keys import ONCALL
from stanch.catalog.pagers import PAGER, read_pager
from stanch.catalog.reader import Reader, complain_of_zone, did_you_mean
from stanch.catalog.runbooks import RUNBOOKS
from stanch.catalog.status import read_status
from stanch.catalog.systems import SYSTEM, kind_of, read_system
from stanch.catalog.thinker import read_thinker
from stanch.catalog.trackers import TRACKER, read_tracker
from stanch.catalog.tree import FILE as TREE_FILE
from stanch.catalog.tree import read_tree
from stanch.catalog.watchdog import WATCHDOG, read_watchdog
from stanch.catalog.writeup import read_writeup
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Invalid, NotFound, Problem

FILE_NAME: Final = "stanch.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load_catalog(path: Path | str, *, samplers: Sequence[str] = SAMPLERS) -> Catalog:
    """Read the catalog from `path`, a file or the folder that holds `stanch.toml`.

    `samplers` are the names a check may use. Raises `NotFound` when there is no such file, and `Invalid` with one
    problem per mistake: its dotted field, what is wrong, and the key that was probably meant.
    """
    file = Path(path)
    if file.is_dir():
        file /= FILE_NAME
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"there is no configuration at {file}", hint="docs/configuration.md shows one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=str(file)) from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"is not TOML: {error}", field=str(file)) from error
    folder = file.absolute().parent
    return read_catalog(_with_tree(document, folder), root=folder, samplers=samplers, files=read_folder(folder))


def read_catalog(
    document: Mapping[str, object],
    *,
    root: Path,
    samplers: Sequence[str] = SAMPLERS,
    files: Mapping[str, Mapping[str, object]] | None = None,
) -> Catalog:
    """Return the catalog that a parsed document describes; relative paths start at `root`.

    `files` are the documents of the folder `oncall` beside it. Raises `Invalid` as `load_catalog` does.
    """
    problems: list[Problem] = []
    top = Reader(merged(document, files or {}, problems), at="", keys=ROOT, problems=problems, below={"oncall": ONCALL})
    folder = (root / top.text("root")).absolute()
    complain_of_zone(top, "zone")
    if url := top.text("url"):
        complain_of_url(top, "url", url)
    services = _named(top, "services", SERVICE, problems)
    people = _named(top, "people", PERSON, problems)
    channels = _named(top, "channels", CHANNEL, problems)
    known = _known(top, services, people)
    for service in services.values():
        _complain_of_paging(service, known)
    data: dict[str, object] = {
        **top.given(),
        "root": str(folder),
        "services": {
            name: _service(reader, name=name, all_names=tuple(services), folder=folder, samplers=samplers)
            for name, reader in services.items()
        },
        "people": {
            name: {**read_person(reader, name=name), "chat": read_chat(reader)} for name, reader in people.items()
        },
        "oncall": read_oncall(top, known),
        "channels": {
            name: read_channel(reader, name=name, services=tuple(services)) for name, reader in channels.items()
        },
        "stakeholders": {
            name: read_stakeholder(
                reader,
                name=name,
                services=tuple(services),
                channels={one: channel.text("kind") for one, channel in channels.items()},
                mails={one: person.text("email") for one, person in people.items()},
            )
            for name, reader in _named(top, "stakeholders", STAKEHOLDER, problems).items()
        },
        "comms": read_comms(top, problems),
        "sources": {
            name: _source(reader, name=name) for name, reader in _named(top, "sources", SOURCE, problems).items()
        },
        "systems": {
            name: read_system(reader, name=name, services=tuple(services))
            for name, reader in _named(top, "systems", SYSTEM, problems).items()
        },
        "alerting": read_alerting(top, problems),
        "heartbeats": {
            name: read_heartbeat(reader, name=name, services=tuple(services))
            for name, reader in _named(top, "heartbeats", HEARTBEAT, problems).items()
        },
        "watchdog": read_watchdog(Reader(top.table("watchdog"), at="watchdog", keys=WATCHDOG, problems=problems)),
        "runbooks": Reader(top.table("runbooks"), at="runbooks", keys=RUNBOOKS, problems=problems).given(),
        "pagers": {
            name: read_pager(reader, name=name) for name, reader in _named(top, "pagers", PAGER, problems).items()
        },
        "maintenance": {
            name: read_maintenance(reader, name=name, services=tuple(services))
            for name, reader in _named(top, "maintenance", MAINTENANCE, problems).items()
        },
        "mail": read_mail(top, problems, services=tuple(services)),
        "report": read_report(top, problems),
        "status": read_status(
            top,
            problems,
            titles={one: service.text("title") for one, service in services.items()},
            channels={one: channel.text("kind") for one, channel in channels.items()},
        ),
        "thinker": read_thinker(top, problems),
        "postmortem": read_writeup(
            top, problems, channels={one: channel.text("kind") for one, channel in channels.items()}
        ),
        "trackers": {
            name: read_tracker(reader, name=name, services=tuple(services), teams=known.teams, people=tuple(people))
            for name, reader in _named(top, "trackers", TRACKER, problems).items()
        },
        "links": read_links(top),
        "approvals": Reader(top.table("approvals"), at="approvals", keys=APPROVALS, problems=problems).given(),
        "automatic": read_automatic(
            Reader(top.table("automatic"), at="automatic", keys=AUTOMATIC, problems=problems), tuple(services)
        ),
        "thresholds": Reader(top.table("thresholds"), at="thresholds", keys=THRESHOLDS, problems=problems).given(),
        "timing": _timing(top, problems),
    }
    branches = read_tree(top, problems, mitigations=MITIGATIONS, services=tuple(services), teams=known.teams)
    if branches is not None:
        data["tree"] = branches
    for service in services.values():
        complain_of_systems(service, {name: kind_of(name, one) for name, one in top.table("systems").items()})
    if problems:
        raise Invalid(problems=problems, hint="docs/configuration.md lists every key")
    return from_data(data, Catalog)


def _with_tree(document: dict[str, object], folder: Path) -> dict[str, object]:
    """Return the document with the tree of `tree.toml` beside it. Raises `Invalid` for one that cannot be read."""
    file = folder / TREE_FILE
    if not file.is_file():
        return document
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=str(file)) from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"is not TOML: {error}", field=str(file)) from error
    if "tree" in document:
        raise Invalid(f"stands here and in {TREE_FILE}: keep one of them", field="tree")
    if others := sorted(tree.keys() - {"tree"}):
        raise Invalid(f"is not a key in {TREE_FILE}, which holds [[tree]] alone", field=others[0])
    return {**document, **tree}


def _known(top: Reader, services: Mapping[str, Reader], people: Mapping[str, Reader]) -> Known:
    """Return the names that on-call may speak of."""
    teams = [team for person in people.values() for team in person.texts("teams")]
    teams += [service.text("team") for service in services.values()]
    oncall = top.table("oncall")
    names = {key: found if isinstance(found := oncall.get(key), dict) else {} for key in ("schedules", "policies")}
    return Known(
        people=tuple(people),
        teams=tuple(dict.fromkeys(team for team in teams if team)),
        schedules=tuple(names["schedules"]),
        policies=tuple(names["policies"]),
    )


def _complain_of_paging(service: Reader, known: Known) -> None:
    policy = service.text("policy")
    if policy and policy not in known.policies:
        service.complain("policy", f"names no policy: {policy!r}{did_you_mean(policy, known.policies)}")
    complain_of_targets(service, "specialists", service.texts("specialists"), known)


def _named(top: Reader, section: str, keys: Sequence[Key], problems: list[Problem]) -> dict[str, Reader]:
    """Return a reader for every table of `section`, by its name."""
    found = {}
    for name, table in top.table(section).items():
        if not _NAME.fullmatch(name):
            top.complain(f"{section}.{name}", "is not a name: use letters, digits, dots, dashes, at most 63")
        if isinstance(table, dict):
            found[name] = Reader(table, at=f"{section}.{name}", keys=keys, problems=problems)
    return found


def _service(
    reader: Reader, *, name: str, all_names: Sequence[str], folder: Path, samplers: Sequence[str]
) -> dict[str, object]:
    for other in reader.texts("depends_on"):
        if other == name:
            reader.complain("depends_on", "names the service itself")
        elif other not in all_names:
            reader.complain("depends_on", f"names no service: {other!r}{did_you_mean(other, all_names)}")
    checks = read_checks(reader, folder=folder, samplers=samplers)
    _complain_of_unseen(reader)
    actions = read_actions(reader)
    _complain_of_twins(reader, "actions", (str(action["name"]) for action in actions))
    given = reader.given()
    for shorthand in ("health", "metrics", "check_every_s"):
        given.pop(shorthand, None)
    return {**given, "name": name, "title": reader.text("title") or name, "checks": checks, "actions": actions}


def _complain_of_unseen(reader: Reader) -> None:
    if reader.given().get("unseen_declares") and reader.number("tier", default=2) != 1:
        reader.complain("unseen_declares", "is for services of tier 1: of others an alert says that they are not seen")


def _inner(reader: Reader, section: str, keys: Sequence[Key]) -> list[Reader]:
    return [
        reader.inner(table, at=f"{section}.{number}", keys=keys) for number, table in enumerate(reader.tables(section))
    ]


def _source(reader: Reader, *, name: str) -> dict[str, object]:
    kind = reader.kind(default=name)
    if kind is None:
        return {}
    if kind not in SOURCE_KINDS:
        reader.complain("kind", f"must be one of {', '.join(SOURCE_KINDS)}{did_you_mean(kind, SOURCE_KINDS)}")
    labels = reader.table("labels")
    if not all(isinstance(path, str) and path for path in labels.values()):
        reader.complain("labels", "must be a dotted path for each label")
    secret_env = reader.text("secret_env")
    if secret_env and not _VARIABLE.fullmatch(secret_env):
        reader.complain("secret_env", "must be the name of an environment variable; the secret itself is never here")
    return {**reader.given(), "name": name, "kind": kind, "labels": dict(labels)}


def _timing(top: Reader, problems: list[Problem]) -> dict[str, object]:
    reader = Reader(top.table("timing"), at="timing", keys=TIMING, problems=problems)
    shipped = Timing()
    given = reader.given()
    windows = given.get("verification_s")
    shorter = isinstance(windows, tuple) and any(map(operator.lt, windows, shipped.verification_s))
    if shorter and not reader.text("shortened_because").strip():
        reader.complain("shortened_because", "must say why verification_s is shorter than shipped")
    window_s = reader.number("detect_window_s", default=shipped.detect_window_s)
    if reader.number("baseline_s", default=shipped.baseline_s) <= window_s:
        reader.complain("baseline_s", f"must be longer than detect_window_s ({window_s:g} s)")
    return given


def _complain_of_twins(reader: Reader, name: str, values: Iterable[str]) -> None:
    for value, count in Counter(values).items():
        if count > 1 and value.strip():
            reader.complain(name, f"{value} stands there {count} times")
