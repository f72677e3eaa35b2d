"""The words of communication: audiences, purposes, and the variables of templates with what each says."""

from enum import StrEnum
from typing import Final


class Audience(StrEnum):
    """Who reads it. The public is told what it means for them, not what broke inside."""

    RESPONDERS = "responders"
    STAKEHOLDERS = "stakeholders"
    PUBLIC = "public"


AUDIENCES: Final = tuple(one.value for one in Audience)

PURPOSES: Final = (
    "declaration",
    "initial",
    "update",
    "mitigation",
    "all_clear",
    "resolution",
    "reopened",
    "dismissed",
    "reminder",
    "handover",
    "facts",
    "action_items",
)
"""What messages are for. A declaration is for responders; everybody else hears of it first by the initial message."""

MEETING: Final = "meeting"
"""An invitation: who gets one took part, and is told nothing else by it."""

AMONG_OURSELVES: Final = frozenset({"reminder", "handover", "facts", "action_items", MEETING})
"""Those that are for responders alone and promise nothing to anybody."""

VARIABLES: Final[dict[str, str]] = {
    "severity": "`SEV1` to `SEV4`",
    "incident": "`INC-42`",
    "title": "what is wrong; for the public, which services have problems",
    "status": "where it stands",
    "services": "the services concerned",
    "impact": "what it does to requests, beside normal; for the public without it",
    "started": "when it began",
    "duration": "how long it lasted, once it is over",
    "next_update": "when the next message comes",
    "note": "what a person adds; the public is shown only what was written for it",
    "status_page": "where customers read",
    "failed_requests": "how many requests failed",
    "error": "the error that stands out",
    "change": "the closest change before the start",
    "commander": "who the incident commander is",
    "technical_lead": "who leads the technical work",
    "communications_lead": "who sends updates",
    "scribe": "who writes decisions down",
    "responder": "who else responds",
    "ruling": "the rule that decided the severity",
    "work": "the likely cause and what was done, a line each",
    "changed": "what is different since the last message, a line each",
    "cause": "the cause, once resolved",
    "mitigation": "what helped, once resolved",
    "war_room": "where responders meet",
    "url": "the incident's page",
    "decisions": "the last decisions, a line each",
    "open": "what is open, a line each",
    "due": "when the update is due",
    "lead_words": "who has to send it",
    "role": "the role that is handed over",
    "person": "to whom",
    "duty": "what the role must do now",
    "items": "action items that are due, a line each",
}
"""Every variable, with what is filled in."""

INSIDE: Final = frozenset(list(VARIABLES)[list(VARIABLES).index("failed_requests") :])
"""Those that the public is never told."""
