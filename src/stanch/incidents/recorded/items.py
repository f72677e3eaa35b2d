"""What is to be done so that it does not happen again: action items, and what becomes of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar


class ItemPurpose(StrEnum):
    """What doing it is good for: that it does not happen, is seen sooner, or does less harm."""

    PREVENT = "prevent"
    DETECT = "detect"
    MITIGATE = "mitigate"


class ItemPriority(StrEnum):
    """How soon it matters."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ItemStatus(StrEnum):
    """Where it stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class ActionItem:
    """One thing to do. `number` counts within its incident from 1, `due_on` is a day in the installation's zone."""

    number: int
    title: str
    owner: str = ""
    due_on: date | None = None
    priority: ItemPriority = ItemPriority.MEDIUM
    purpose: ItemPurpose = ItemPurpose.PREVENT


@dataclass(frozen=True, kw_only=True)
class ItemAdded:
    """Somebody wrote down what is to be done."""

    kind: ClassVar[str] = "item.added"
    item: ActionItem


@dataclass(frozen=True, kw_only=True)
class ItemChanged:
    """An action item says something else now; `item` is all of it."""

    kind: ClassVar[str] = "item.changed"
    item: ActionItem


@dataclass(frozen=True, kw_only=True)
class ItemEnded:
    """An action item is done, or nobody will do it, with why; opened again it stands as before."""

    kind: ClassVar[str] = "item.ended"
    number: int
    status: ItemStatus
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ItemLinked:
    """An action item has its counterpart in an issue tracker: which tracker, what it is called there, where."""

    kind: ClassVar[str] = "item.linked"
    number: int
    tracker: str
    reference: str
    url: str


@dataclass(frozen=True, kw_only=True)
class ItemsReminded:
    """Who owes action items was reminded of these."""

    kind: ClassVar[str] = "item.reminded"
    numbers: tuple[int, ...]
    due_at: datetime
