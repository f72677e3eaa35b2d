"""Reads what a diff does: which settings it turns and how far, what it takes away, whether it only moves things.

Works on unified-diff text of any language, line by line, with no parser: good enough to tell a tidy-up from a change
of behaviour, and never sure. Ranking weighs what is found here; nothing here knows an incident.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MAX_DIFF = 200_000
"""Characters of a diff that are read; a larger one is generated code or a vendored tree."""

MAX_LINE = 1_000
"""Characters of a line that are read; a longer one is minified and says nothing line by line."""

_COMMENT = re.compile(
    r"\s*(?://|#(?!\[|include|define|\w+-|[0-9a-fA-F]{3,8}\b)|\*(?:\s|/|$)|/\*|--\s|;;|<!--|\"\"\"|''')"
)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.\-]{2,120}")
_UNITS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0,
    "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "milliseconds": 1e-3, "millis": 1e-3,
    "k": 1e3, "kb": 1e3, "ki": 1024.0, "kib": 1024.0, "mb": 1e6, "mi": 1048576.0, "mib": 1048576.0, "g": 1e9,
    "gb": 1e9, "gi": 1073741824.0, "gib": 1073741824.0,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.#])(?P<value>-?\d+(?:_\d{3})*(?:\.\d+)?)\s*(?:\*\s*(?:[\w]+\.)?(?P<factor>[A-Za-z]+)|(?P<unit>[A-Za-z]{1,4})\b)?"
)
_SETTING = re.compile(
    r"(?<![\w\-])([A-Za-z_][\w\-]{0,80}+)[\"']?(?:\s*:\s*int|\s*:\s*float)?\s*(?::=|=|:)\s*[\"']?(-?\d[^,;})\]]{0,40})"
)
_CALL = re.compile(r"(?<![\w.])([A-Za-z_][\w.]{2,80}+)\([^()]*\d")
_MANIFEST = re.compile(
    r"(?:^|/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements[\w.\-]*\.txt|poetry\.lock"
    r"|uv\.lock|pyproject\.toml|Pipfile(?:\.lock)?|Cargo\.(?:toml|lock)|pom\.xml|build\.gradle(?:\.kts)?|Gemfile(?:\.lock)?"
    r"|composer\.(?:json|lock))$"
)
_VERSION = re.compile(r"(?<![\w.])v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+][\w.]+)?")
_DOCUMENT = re.compile(
    r"\.(?:md|rst|adoc|txt)$|(?:^|/)(?:docs?|documentation|runbooks?)/|(?:^|/)(?:CODEOWNERS|LICENSE|README\w*)"
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testdata|spec|__tests__|fixtures|e2e)/|_test\.\w+$|\.(?:test|spec)\.\w+$|(?:^|/)test_[^/]+$"
)
_PIPELINE = re.compile(
    r"(?:^|/)\.(?:github|circleci|gitlab)[/\-]|\.golangci|\.gitlab-ci|(?:^|/)Jenkinsfile|\.pre-commit|\.editorconfig|\.gitignore"
)
_STYLE = re.compile(r"\.(?:css|scss|sass|less|svg|png|jpe?g|gif|ico|woff2?|html?)$|(?:^|/)(?:themes?|palette)\.\w+$")
_MIGRATION = re.compile(r"(?:^|/)(?:migrations?|alembic|flyway|liquibase)/|\.sql$")
_SETTINGS = re.compile(
    r"\.(?:ya?ml|toml|ini|cfg|conf|properties|env|json|tfvars?|hcl|tf)$|(?:^|/)(?:config|settings|values|charts?|deploy)/"
)
_OBSERVE = re.compile(
    r"histogram|counter|gauge|prometheus|metric|\bspans?\b|tracer|\blog(?:ger)?[._]|\bslog|\blog_|print|otel",
    re.IGNORECASE,
)

# Words of code that keeps something in bounds; taking one away is rarely meant and often felt.
_GUARDS = frozenset(
    re.findall(
        r"\w+",
        "limit timeout deadline retry retries backoff sleep delay jitter close release unlock cancel cache "
        "cached ttl index lock validate check guard max pool throttle semaphore batch transaction rollback "
        "fallback default paginate page circuit breaker recover catch flush evict sanitize escape where "
        "having",
    )
)


class PathKind(StrEnum):
    """What a file is for, judged by its path."""

    DOCUMENT = "documentation"
    TEST = "tests"
    PIPELINE = "the build pipeline"
    STYLE = "looks"
    MANIFEST = "dependency versions"
    MIGRATION = "a database migration"
    SETTINGS = "settings"
    CODE = "code"


HARMLESS = frozenset({PathKind.DOCUMENT, PathKind.TEST, PathKind.PIPELINE})


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A setting whose number changed. Durations are in seconds, sizes in bytes where a unit says so."""

    name: str
    old: float
    new: float

    @property
    def factor(self) -> float:
        """Return how far it was turned, at least 1 in either direction; infinite to or from zero."""
        if self.old == self.new:
            return 1.0
        if self.old <= 0 or self.new <= 0:
            return math.inf
        return max(self.new / self.old, self.old / self.new)


@dataclass(frozen=True, kw_only=True)
class DiffReading:
    """What a diff does, as far as its lines tell.

    `removed` and `added` are lines of substance: without comments, and without lines that only moved or were
    re-indented. `moved_share` is the share of changed tokens that stand on both sides, `moved_lines` the
    number of lines that do. `bumps` are dependency versions as (name, level) with level `major`, `minor` or `patch`.
    `gone` are words of protection that stand less often after than before, such as `limit`, `timeout` or `backoff`.
    """

    kinds: frozenset[PathKind]
    turned: tuple[Turned, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    moved_share: float = 0.0
    moved_lines: int = 0
    bumps: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    has_diff: bool = False

    @property
    def only_words(self) -> bool:
        """Say whether nothing but comments and white space changed."""
        return self.has_diff and not self.removed and not self.added

    @property
    def only_observes(self) -> bool:
        """Say whether everything that changed is about logs, metrics or traces."""
        lines = [line for line in (*self.removed, *self.added) if len(line.strip(" \t{}()[],;")) > 2]
        return bool(lines) and sum(1 for line in lines if _OBSERVE.search(line)) >= 0.8 * len(lines)


def path_kind(path: str) -> PathKind:
    """Return what the file at `path` is for."""
    for kind, pattern in (
        (PathKind.MANIFEST, _MANIFEST),
        (PathKind.TEST, _TEST),
        (PathKind.PIPELINE, _PIPELINE),
        (PathKind.MIGRATION, _MIGRATION),
        (PathKind.DOCUMENT, _DOCUMENT),
        (PathKind.STYLE, _STYLE),
        (PathKind.SETTINGS, _SETTINGS),
    ):
        if pattern.search(path):
            return kind
    return PathKind.CODE


def read_diff(diff: str | None, paths: Iterable[str]) -> DiffReading:
    """Read a diff and the paths it touches; with None for the diff only the paths speak."""
    kinds = frozenset(path_kind(path) for path in paths)
    if not diff:
        return DiffReading(kinds=kinds)
    minus, plus = _changed_lines(diff[:MAX_DIFF])
    minus, plus = (
        [line for line in minus if not _COMMENT.match(line)],
        [line for line in plus if not _COMMENT.match(line)],
    )
    removed, added = _without_moved(minus, plus)
    return DiffReading(
        kinds=kinds,
        turned=tuple(_turned(removed, added)),
        removed=tuple(removed),
        added=tuple(added),
        moved_share=_moved_share(minus, plus),
        moved_lines=len(minus) - len(removed),
        bumps=tuple(_bumps(removed, added)) if PathKind.MANIFEST in kinds else (),
        gone=_gone(removed, added),
        has_diff=True,
    )


def words_of(text: str) -> list[str]:
    """Split text into lower-case words of two letters or more, camel and snake case taken apart."""
    return [word.lower() for word in _WORDS.findall(text) if len(word) > 1 and not word.isdigit()]


def identifiers_of(text: str) -> set[str]:
    """Return the compound names in text, such as `dashboard_favorites` or `casRetry`, in lower case.

    Single plain words are left out: they are too common to tie two texts together.
    """
    found = set()
    for name in _IDENTIFIER.findall(text):
        bare = name.strip("._-")
        if len(bare) >= 5 and len(_WORDS.findall(bare)) >= 2:
            found.add(bare.lower())
    return found


def _changed_lines(diff: str) -> tuple[list[str], list[str]]:
    minus: list[str] = []
    plus: list[str] = []
    for line in diff.split("\n"):
        if line.startswith(("--- ", "+++ ")):
            continue
        if line.startswith("-"):
            minus.append(line[1:MAX_LINE])
        elif line.startswith("+"):
            plus.append(line[1:MAX_LINE])
    return [line for line in minus if line.strip()], [line for line in plus if line.strip()]


def _plain(line: str) -> str:
    """Return a line's tokens alone: indentation, alignment and a closing comma do not make another line."""
    return " ".join(_TOKEN.findall(line)).rstrip(" ,;")


def _without_moved(minus: list[str], plus: list[str]) -> tuple[list[str], list[str]]:
    left = Counter(map(_plain, minus))
    right = Counter(map(_plain, plus))
    both = left & right
    return _minus_counts(minus, both), _minus_counts(plus, both)


def _minus_counts(lines: list[str], taken: Counter[str]) -> list[str]:
    budget = Counter(taken)
    kept = []
    for line in lines:
        plain = _plain(line)
        if budget[plain] > 0:
            budget[plain] -= 1
        else:
            kept.append(line)
    return kept


def _moved_share(minus: list[str], plus: list[str]) -> float:
    """Return the share of the smaller side's tokens that the other side has too; 0 where one side is empty."""
    left = Counter(token for line in minus for token in _TOKEN.findall(line))
    right = Counter(token for line in plus for token in _TOKEN.findall(line))
    smaller = min(left.total(), right.total())
    return (left & right).total() / smaller if smaller else 0.0


def _gone(removed: list[str], added: list[str]) -> tuple[str, ...]:
    left = Counter(word for line in removed for word in words_of(line))
    right = Counter(word for line in added for word in words_of(line))
    return tuple(sorted(word for word in left - right if word in _GUARDS and right[word] == 0))


def _skeleton(line: str) -> str:
    """Return a line with its numbers and their units taken out, to pair the old and the new of one setting."""
    return " ".join(_TOKEN.findall(_NUMBER.sub(" # ", line))).rstrip(" ,;")


def _name_of(line: str) -> str:
    found = _IDENTIFIER.findall(_NUMBER.sub(" ", line)) or re.findall(r"[A-Za-z_]\w*", line)
    return max(found, key=len, default="value")[:80] if found else "value"


def _turned(removed: list[str], added: list[str]) -> Iterable[Turned]:
    """Find numbers that changed: under the same name, in a line that is otherwise the same, or in the same call."""
    old_names = _settings(removed)
    seen = set()
    for name, after in _settings(added).items():
        before = old_names.get(name)
        if before is not None and before != after:
            seen.add(name)
            yield Turned(name=name, old=before, new=after)
    # The same function called with another number, under whatever name its result has now.
    calls = {name: line for line in reversed(removed) for name in _CALL.findall(line)}
    waiting: dict[str, list[str]] = {}
    for line in removed:
        waiting.setdefault(_skeleton(line), []).append(line)
    for line in added:
        numbers = _numbers(line)
        pairs = waiting.get(_skeleton(line))
        other = pairs.pop(0) if pairs else next((calls[name] for name in _CALL.findall(line) if name in calls), None)
        if not numbers or other is None or seen & _settings([line]).keys():
            continue
        for before, after in zip(_numbers(other), numbers, strict=False):
            if before != after:
                yield Turned(name=_name_of(line), old=before, new=after)


def _settings(lines: list[str]) -> dict[str, float]:
    """Return what the lines set to a number: `MaxConns = 10`, `ttl: 15s`, `Policy{MaxAttempts: 8}`, `const x = 3`."""
    found: dict[str, float] = {}
    for line in lines:
        for name, rest in _SETTING.findall(line):
            numbers = _numbers(rest)
            if numbers:
                found.setdefault(name, numbers[0])
    return found


def _numbers(line: str) -> list[float]:
    found = []
    for match in _NUMBER.finditer(line):
        word = (match.group("factor") or match.group("unit") or "").lower()
        try:
            value = float(match.group("value").replace("_", ""))
        except ValueError:
            continue
        found.append(value * _UNITS.get(word, 1.0))
    return found


def _bumps(removed: list[str], added: list[str]) -> Iterable[tuple[str, str]]:
    old = {}
    for line in removed:
        version = _VERSION.search(line)
        if version is not None:
            old[_VERSION.sub("", line).strip(' \t",:^~=')] = version.groups()
    for line in added:
        version = _VERSION.search(line)
        name = _VERSION.sub("", line).strip(' \t",:^~=')
        if version is None or name not in old or old[name] == version.groups():
            continue
        before, after = old[name], version.groups()
        level = "major" if before[0] != after[0] else "minor" if before[1] != after[1] else "patch"
        yield name, level
