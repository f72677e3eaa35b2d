"""Texts in the settings of a receiver: read once as templates, tried on a sample, written for each notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from stanch.integrations.alertmanager.facts import data_of, text_of_notice, title_of
from stanch.integrations.alertmanager.parsing import Node, NoTemplate, Template, read_template
from stanch.integrations.alertmanager.rendering import render
from stanch.kernel.errors import Invalid, Problem, Unavailable
from stanch.ports.notifier import Notice, NoticeAlert

_TITLES: Final = ("title", "subject", "summary", "message", "description", "fallback")
_MOST_FILES: Final = 100
_HELP: Final = "leave the key out for Stanch's own words, or write it with what docs/receivers.md lists"


@dataclass(frozen=True, kw_only=True)
class Words:
    """The templates that the files of `templates:` define, by name."""

    defined: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)


def read_words(patterns: Sequence[str], *, folder: Path) -> Words:
    """Return what the files define that `patterns` of an `alertmanager.yml` in `folder` name.

    Raises `Invalid` for a file that cannot be read or that is no template.
    """
    defined: dict[str, tuple[Node, ...]] = {}
    problems: list[Problem] = []
    for number, pattern in enumerate(patterns):
        for path in _files(folder, pattern):
            try:
                defined |= read_template(path.read_text(encoding="utf-8")).defined
            except (OSError, UnicodeDecodeError, NoTemplate) as error:
                problems.append(Problem(field=f"templates[{number}]", message=f"{path}: {error}"))
    if problems:
        raise Invalid(problems=problems)
    return Words(defined=defined)


def _files(folder: Path, pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_absolute():
        folder, pattern = Path(path.anchor), str(path.relative_to(path.anchor))
    return sorted(folder.glob(pattern))[:_MOST_FILES] if pattern else []


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text, read. `key` is where it stands; `markup` says that it is HTML."""

    key: str
    template: Template
    words: Words
    markup: bool = False

    def written(self, notice: Notice) -> str:
        """Return the text about `notice`. Raises `Unavailable(retry=False)` where it cannot be."""
        try:
            return self._render(notice)
        except NoTemplate as error:
            raise Unavailable(f"{self.key} {error}", retry=False, hint=_HELP) from None

    def _render(self, notice: Notice) -> str:
        return render(
            self.template,
            data_of(notice),
            defined=self.words.defined,
            fallback=lambda name: _shipped(name, notice),
            escape=self.markup,
        )

    def check(self) -> None:
        """Raise `NoTemplate` when it cannot be written about an alert that fires, or about one that is over."""
        for sample in _SAMPLES:
            self._render(sample)


def read_text(key: str, said: str, words: Words, problems: list[Problem], *, markup: bool = False) -> Text | None:
    """Return the text at `key`, None after noting what is wrong with it."""
    try:
        text = Text(key=key, template=read_template(said), words=words, markup=markup)
        text.check()
    except NoTemplate as error:
        problems.append(Problem(field=key, message=f"{error}; {_HELP}"))
        return None
    return text


def _shipped(name: str, notice: Notice) -> str | None:
    """Return our words where a template that Alertmanager ships is asked for, such as `slack.default.title`."""
    if name == "__subject":
        return title_of(notice)
    if name == "__alertmanager":
        return "Stanch"
    if name in ("__alertmanagerURL", "__alert_silence_link"):
        return notice.external_url
    vendor, middle, part = [*name.split("."), "", ""][:3]
    if middle != "default" or name.count(".") != 2:
        return None
    if vendor == "pagerduty" and part.startswith("client"):
        return notice.external_url if part == "clientURL" else "Stanch"
    if part in ("titlelink", "url"):
        return notice.external_url
    if part in ("username",):
        return "Stanch"
    if part in ("pretext", "iconemoji", "iconurl", "footer", "callbackid", "color"):
        return ""
    return title_of(notice) if part in _TITLES else text_of_notice(notice)


_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _sample(*, ends_at: datetime | None) -> Notice:
    alert = NoticeAlert(
        labels={"alertname": "Sample", "severity": "page"},
        annotations={"summary": "a sample"},
        starts_at=_AT,
        ends_at=ends_at,
        fingerprint="0" * 16,
        generator_url="http://prometheus/graph",
    )
    return Notice(
        id="sample",
        receiver="sample",
        group_key="{}:{}",
        group_labels={"alertname": "Sample"},
        alerts=(alert,),
        external_url="http://stanch",
    )


_SAMPLES: Final = (_sample(ends_at=None), _sample(ends_at=_AT + timedelta(hours=1)))
