"""The bar on top of every page: where one can go, in order. A page that is added stands here."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Place:
    """A page to go to. `key` goes there after `g`; `below` are further paths that belong to it."""

    title: str
    path: str
    key: str
    below: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Tell whether the page at `path` is this one or belongs to it."""
        return path == self.path or any(path == one or path.startswith(f"{one}/") for one in (*self.below, self.path))


PLACES: Final = (
    Place(title="On now", path="/", key="i", below=("/i", "/postmortem")),
    Place(title="Alerts", path="/alerts", key="a", below=("/groups", "/sources", "/reports")),
    Place(title="Silences", path="/silences", key="s", below=("/maintenance",)),
    Place(title="On call", path="/oncall", key="o"),
    Place(title="Pages", path="/pages", key="p"),
    Place(title="Services", path="/services", key="v", below=("/s", "/status/internal")),
    Place(title="Changes", path="/changes", key="h"),
    Place(title="To do", path="/items", key="d"),
    Place(title="Runbooks", path="/runbooks", key="r", below=("/automatic", "/agents")),
    Place(title="Figures", path="/figures", key="f", below=("/gamedays",)),
)


def current(path: str) -> Place | None:
    """Return the place that the page at `path` belongs to, None when it belongs to none."""
    return next((one for one in PLACES if one.path != "/" and one.holds(path)), None) or next(
        (one for one in PLACES if one.path == "/" and one.holds(path)), None
    )
