"""The shipped templates, a file for each purpose and audience, and reading them with what stands in the configuration.

`<purpose>.<audience>.md`, and `<purpose>.<audience>.sev1.md` for one severity alone. An own file of the same name
replaces the shipped one; unknown variables are named, so that no message goes out with a hole.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from stanch.catalog.reader import did_you_mean
from stanch.comms.template import Template, read_template, variables
from stanch.comms.words import AUDIENCES, INSIDE, PURPOSES, VARIABLES, Audience
from stanch.kernel.errors import Invalid, Problem

_SUFFIX: Final = ".md"
# As much as a book's chapter: a template beyond it is a mistake, such as a log that was put there.
_MOST_BYTES: Final = 64 * 1024

Templates = Mapping[str, Template]


@cache
def shipped() -> Templates:
    """Return the shipped templates by name."""
    return {
        file.name.removesuffix(_SUFFIX): read_template(file.read_text(encoding="utf-8"))
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(_SUFFIX)
    }


def read_templates(folder: Path) -> tuple[dict[str, Template], list[Problem]]:
    """Return the templates of `folder` by name, and what is wrong with them; none where there is no such folder."""
    found: dict[str, Template] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        name = file.name.removesuffix(_SUFFIX)
        where = f"{folder.name}/{file.name}"
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise ValueError(f"is larger than {_MOST_BYTES // 1024} KiB")
            template = read_template(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            problems.append(Problem(field=where, message=f"cannot read it: {error}"))
            continue
        wrong = list(_wrong_name(name)) or list(_wrong_words(name, template))
        problems += [Problem(field=where, message=message) for message in wrong]
        if not wrong:
            found[name] = template
    return found, problems


def open_templates(folder: Path) -> Templates:
    """Return what `read_templates` does. Raises `Invalid` with every problem: no message goes out with a hole."""
    found, problems = read_templates(folder)
    if problems:
        raise Invalid(problems=problems, hint="docs/communication.md lists the variables")
    return found


def choose(own: Templates, *, purpose: str, audience: Audience, severity: str) -> Template:
    """Return the template that holds: one's own before the shipped one, that of the severity before that of all."""
    name = f"{purpose}.{audience.value}"
    for templates in (own, shipped()):
        for candidate in (f"{name}.{severity.lower()}", name):
            if candidate in templates:
                return templates[candidate]
    # A purpose that this audience is not told of by itself, asked for by hand: what an update says.
    return choose(own, purpose="update", audience=audience, severity=severity)


def _wrong_name(name: str) -> list[str]:
    purpose, _, rest = name.partition(".")
    audience, _, severity = rest.partition(".")
    if purpose not in PURPOSES:
        return [f"is named after no purpose: {purpose!r}{did_you_mean(purpose, PURPOSES)}"]
    if audience not in AUDIENCES:
        return [f"is named after no audience: {audience!r}{did_you_mean(audience, AUDIENCES)}"]
    if severity and severity not in ("sev1", "sev2", "sev3", "sev4"):
        return [f"is named after no severity: {severity!r}, say sev1 to sev4"]
    return []


def _wrong_words(name: str, template: Template) -> list[str]:
    if not template.subject:
        return ["has no first line, which is the subject"]
    wrong = [
        f"{{{word}}} is not filled in{did_you_mean(word, tuple(VARIABLES))}; there are {', '.join(VARIABLES)}"
        for word in variables(template)
        if word not in VARIABLES
    ]
    if name.split(".")[1] == Audience.PUBLIC.value:
        wrong += [
            f"{{{word}}} says something of the inside and is not for the public"
            for word in variables(template)
            if word in INSIDE
        ]
    return wrong
