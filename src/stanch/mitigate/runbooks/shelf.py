"""Where runbooks stand: the shipped ones, and those of the configuration, which replace shipped ones of their name."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from stanch.kernel.errors import Invalid, NotFound, Problem
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.model import Runbook

_MOST: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """All runbooks by id, and what is wrong with files that could not be read."""

    runbooks: dict[str, Runbook]
    problems: tuple[Problem, ...] = ()

    def get(self, id: str) -> Runbook:
        """Return one runbook. Raises `NotFound`."""
        try:
            return self.runbooks[id]
        except KeyError:
            raise NotFound(f"there is no runbook {id!r}", hint="see: stanch runbook list") from None


def read_shelf(folder: Path | None) -> Shelf:
    """Read the shipped runbooks and those under `folder` (Markdown files, folders within it too).

    A file that cannot be read is told in `problems` and takes nothing from the others.
    """
    runbooks = {
        name: read_runbook(entry.read_text(encoding="utf-8"), id=name, shipped=True)
        for entry in sorted((files("stanch.mitigate.runbooks") / "library").iterdir(), key=lambda one: one.name)
        if (name := entry.name.removesuffix(".md")) != entry.name
    }
    problems: list[Problem] = []
    own = sorted(folder.rglob("*.md"))[:_MOST] if folder is not None and folder.is_dir() else []
    for path in own:
        name = path.stem.lower().replace(" ", "-")
        try:
            runbooks[name] = read_runbook(path.read_text(encoding="utf-8", errors="replace"), id=name)
        except Invalid as error:
            problems += [Problem(field=one.field or str(path), message=one.message) for one in error.problems]
        except OSError as error:
            problems.append(Problem(field=str(path), message=f"cannot be read: {error.strerror}"))
    return Shelf(runbooks=runbooks, problems=tuple(problems))
