"""The page as JSON in the shape of Statuspage's public API, version 2 (https://metastatuspage.com/api). Pure.

Ids are digests: they say nothing of what a service is called inside.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from stanch.comms.status.model import Component, ComponentState, Incident, Maintenance, Page, Update
from stanch.comms.status.rules import address_of
from stanch.kernel.event import JSON

_IMPACTS: Final = {"SEV1": "critical", "SEV2": "major", "SEV3": "minor", "SEV4": "none"}
_INDICATORS: Final = {
    ComponentState.OPERATIONAL: ("none", "All Systems Operational"),
    ComponentState.MAINTENANCE: ("maintenance", "Service Under Maintenance"),
    ComponentState.DEGRADED: ("minor", "Partially Degraded Service"),
    ComponentState.PARTIAL: ("major", "Partial System Outage"),
    ComponentState.MAJOR: ("critical", "Major Service Outage"),
}


def documents(page: Page) -> dict[str, dict[str, JSON]]:
    """Return every document of the API by its path below `api/v2/`."""
    head = page_data(title=page.title, url=page.url, zone=page.zone, changed_at=page.changed_at)
    told = [incident_data(one, names=page.names, url=page.url, title=page.title) for one in page.incidents]
    unresolved: list[JSON] = [one for one in told if one["status"] != "resolved"]
    everything: list[JSON] = list(told)
    planned = [_maintenance(one, page) for one in page.maintenance]
    upcoming: list[JSON] = [one for one in planned if one["status"] == "scheduled"]
    active: list[JSON] = [one for one in planned if one["status"] == "in_progress"]
    scheduled: list[JSON] = list(planned)
    components = _components(page)
    status = _status(page)
    return {
        "summary.json": {
            "page": head,
            "components": components,
            "incidents": unresolved,
            "scheduled_maintenances": scheduled,
            "status": status,
        },
        "status.json": {"page": head, "status": status},
        "components.json": {"page": head, "components": components},
        "incidents.json": {"page": head, "incidents": everything[:50]},
        "incidents/unresolved.json": {"page": head, "incidents": unresolved},
        "scheduled-maintenances.json": {"page": head, "scheduled_maintenances": scheduled},
        "scheduled-maintenances/upcoming.json": {"page": head, "scheduled_maintenances": upcoming},
        "scheduled-maintenances/active.json": {"page": head, "scheduled_maintenances": active},
    }


def page_data(*, title: str, url: str, zone: str, changed_at: datetime) -> dict[str, JSON]:
    """Return what stands of the page itself in every document."""
    return {
        "id": id_of("page", title),
        "name": title,
        "url": url,
        "time_zone": "Etc/UTC" if zone == "UTC" else zone,
        "updated_at": instant(changed_at),
    }


def incident_data(one: Incident, *, names: Mapping[str, str], url: str, title: str) -> dict[str, JSON]:
    """Return one incident with its updates, the newest first."""
    id = id_of("incident", one.number)
    updates: list[JSON] = [
        _update(said, before=before, incident=id, names=names)
        for said, before in zip(one.updates, (*one.updates[1:], None), strict=True)
    ]
    monitored = [said.at for said in one.updates if said.stage == "monitoring"]
    met = dict.fromkeys(key for said in one.updates for key in said.components if key in names)
    return {
        "id": id,
        "page_id": id_of("page", title),
        "name": one.title,
        "status": one.stage.value,
        "impact": _IMPACTS.get(one.severity, "none"),
        "created_at": instant(one.updates[-1].at),
        "updated_at": instant(one.updates[0].at),
        "started_at": instant(one.started_at),
        "monitoring_at": instant(min(monitored)) if monitored else None,
        "resolved_at": instant(one.resolved_at) if one.resolved_at else None,
        "shortlink": address_of(url, one.number),
        "reminder_intervals": None,
        "incident_updates": updates,
        "components": [{"id": id_of("component", key), "name": names[key]} for key in met],
    }


def id_of(kind: str, key: str | int) -> str:
    """Return a stable id of twelve letters and digits."""
    return hashlib.blake2b(f"{kind}/{key}".encode(), digest_size=6).hexdigest()


def instant(at: datetime) -> str:
    """Return an instant as Statuspage writes it, in UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _status(page: Page) -> dict[str, JSON]:
    indicator, description = _INDICATORS[page.worst]
    return {"indicator": indicator, "description": description}


def _components(page: Page) -> list[JSON]:
    groups: dict[str, list[Component]] = {}
    for one in page.components:
        groups.setdefault(one.group, []).append(one)
    found: list[JSON] = []
    for group, some in groups.items():
        if group:
            worst = max((one.state for one in some), key=lambda state: state.rank)
            ids: list[JSON] = [id_of("component", one.key) for one in some]
            own = _component(id_of("group", group), group, worst, "", page, position=len(found) + 1, is_group=True)
            found.append({**own, "components": ids})
        for one in some:
            within = id_of("group", group) if group else None
            id = id_of("component", one.key)
            position = len(found) + 1
            row = _component(id, one.title, one.state, one.description, page, position=position, group=within)
            found.append(row)
    return found


def _component(
    id: str,
    name: str,
    state: ComponentState,
    description: str,
    page: Page,
    *,
    position: int,
    group: str | None = None,
    is_group: bool = False,
) -> dict[str, JSON]:
    return {
        "id": id,
        "name": name,
        "status": state.value,
        "description": description or None,
        "created_at": None,
        "updated_at": instant(page.changed_at),
        "position": position,
        "showcase": not is_group,
        "start_date": None,
        "group_id": group,
        "page_id": id_of("page", page.title),
        "group": is_group,
        "only_show_if_degraded": False,
    }


def _update(said: Update, *, before: Update | None, incident: str, names: Mapping[str, str]) -> dict[str, JSON]:
    old = before.components if before else {}
    changed: Sequence[str] = [key for key in {**old, **said.components} if key in names]
    well = ComponentState.OPERATIONAL
    affected: list[JSON] = [
        {
            "code": id_of("component", key),
            "name": names[key],
            "old_status": old.get(key, well).value,
            "new_status": said.components.get(key, well).value,
        }
        for key in changed
    ]
    return {
        "id": id_of("update", f"{said.incident}/{said.number}"),
        "incident_id": incident,
        "status": said.stage.value,
        "body": said.text,
        "created_at": instant(said.at),
        "updated_at": instant(said.at),
        "display_at": instant(said.at),
        "affected_components": affected,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _maintenance(one: Maintenance, page: Page) -> dict[str, JSON]:
    holds = one.holds(page.now)
    named: list[JSON] = [
        {"id": id_of("component", key), "name": page.names[key]} for key in one.components if key in page.names
    ]
    return {
        "id": id_of("maintenance", one.id),
        "page_id": id_of("page", page.title),
        "name": one.title,
        "status": "in_progress" if holds else "scheduled",
        "impact": "maintenance",
        "created_at": None,
        "updated_at": instant(page.changed_at),
        "monitoring_at": None,
        "resolved_at": None,
        "started_at": instant(one.start) if holds else None,
        "shortlink": page.url,
        "scheduled_for": instant(one.start),
        "scheduled_until": instant(one.end),
        "incident_updates": [
            {
                "id": id_of("maintenance update", one.id),
                "incident_id": id_of("maintenance", one.id),
                "status": "in_progress" if holds else "scheduled",
                "body": one.text,
                "created_at": None,
                "updated_at": instant(page.changed_at),
                "display_at": instant(one.start) if holds else None,
                "affected_components": None,
            }
        ],
        "components": named,
    }
