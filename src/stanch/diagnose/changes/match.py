"""Weighs how well a change's content fits the failures: same names, same files, same family of mechanisms.

Words are weighed by how rare they are among the candidates and among the lines that are as usual, so that a word every
change and every log line of the company holds counts for nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from stanch.diagnose.changes.concepts import families
from stanch.diagnose.changes.diff import DiffReading, identifiers_of, words_of
from stanch.diagnose.changes.model import Change, Evidence, Reason

_STOP = frozenset(
    re.findall(
        r"\w+",
        "the and for with from that this not are was has have had been will can into out over under than then "
        "return error errors err failed fail failure failing func def class var let const new true false "
        "string int http https get post set add use using service services server client request requests "
        "response handler handle call calls returned null none nil type name names value code status data "
        "list map key id ids to of in on by at as or an is it be do no if else above below after before all "
        "any per via its ms sec min max total count ratio rate pct percent avg",
    )
)


_PLAIN = re.compile(r"[a-z_][\w.\-]{2,60}")
_QUOTED = re.compile(r"[\"'`\[(<]([A-Za-z_][\w.\-]{2,60})[\"'`\])>]")


class Matcher:
    """Compares each change's words with those of the failures. Built once for all candidates."""

    def __init__(self, changes: Sequence[Change], readings: Mapping[str, DiffReading], evidence: Evidence) -> None:
        self._evidence = evidence
        self._readings = readings
        self._names = {change.id: _names(change, readings[change.id]) for change in changes}
        self._words = {change.id: _words(change, readings[change.id]) for change in changes}
        self._rarity = _rarity([*self._words.values(), *(frozenset(words_of(line)) for line in evidence.usual)])
        services = {message.service for message in evidence.messages} | {mover.service for mover in evidence.movers}
        self._spoken = _spoken(evidence, services)
        texts = [message.text for message in evidence.messages] + [mover.what for mover in evidence.movers]
        self._quoted = {word for message in evidence.messages for word in _quoted(message.text)}
        self._identifiers = {name for text in texts for name in identifiers_of(text)} - {s.lower() for s in services}
        self._families = families(self._spoken)
        self._common = _common_families([families(words) for words in self._words.values()])

    def reasons(self, change: Change) -> Iterable[Reason]:
        """Return the arguments that tie this change to the failures, may be empty."""
        arguments = (self._by_frame, self._by_name, self._by_dependency, self._by_word, self._by_family)
        found = [reason for argument in arguments for reason in argument(change)]
        if not found and self._readings[change.id].has_diff and self._spoken:
            return [Reason(text="nothing it touches is named in the failures", weight=-0.7)]
        return found

    def _by_frame(self, change: Change) -> Iterable[Reason]:
        for frame in reversed(self._evidence.frames):
            if not frame.in_application:
                continue
            for path in change.paths:
                if _same_file(frame.file, path):
                    return [
                        Reason(text=f"touches {path}, where the exception was raised ({frame.function})", weight=3.0)
                    ]
        return []

    def _by_name(self, change: Change) -> Iterable[Reason]:
        shared = sorted(self._names[change.id] & self._identifiers)
        removed = {name for line in self._readings[change.id].removed for name in _PLAIN.findall(line.lower())}
        shared += sorted((removed & self._quoted) - set(shared))
        if not shared:
            return []
        return [Reason(text=f"touches {', '.join(shared[:3])}, which the failures name", weight=2.0)]

    def _by_dependency(self, change: Change) -> Iterable[Reason]:
        """Weigh whether the failures speak of a dependency whose version changed."""
        bumps = [name for name, _ in self._readings[change.id].bumps]
        if not bumps or not self._spoken:
            return []
        named = [name for name in bumps if _bare_words(name) & self._spoken.keys()]
        if named:
            return [Reason(text=f"the failures name {named[0]}", weight=1.8)]
        return [Reason(text="the failures name none of the dependencies whose version changed", weight=-1.0)]

    def _by_word(self, change: Change) -> Iterable[Reason]:
        shared = self._words[change.id] & self._spoken.keys()
        scored = sorted(((self._rarity.get(word, 1.0) * self._spoken[word], word) for word in shared), reverse=True)
        strength = math.fsum(score for score, _ in scored)
        if strength < 0.3:
            return []
        words = ", ".join(word for _, word in scored[:4])
        return [
            Reason(text=f"shares the words {words} with the failures", weight=1.8 * (1 - math.exp(-strength / 2.5)))
        ]

    def _by_family(self, change: Change) -> Iterable[Reason]:
        mine = families(self._words[change.id])
        shared = sorted(
            (
                (self._common.get(name, 1.0) * min(1.0, self._families[name] / 2), name)
                for name in mine
                if name in self._families
            ),
            reverse=True,
        )
        strength = math.fsum(score for score, _ in shared[:3])
        if strength < 0.2:
            return []
        names = " and ".join(name for _, name in shared[:2])
        return [Reason(text=f"is about {names}, as the failures are", weight=1.2 * (1 - math.exp(-strength)))]


def _quoted(text: str) -> set[str]:
    """Return the plain words that a message sets in quotes or brackets: `no mapping for field [title]`."""
    return {found.lower() for found in _QUOTED.findall(text)} - _STOP


def _bare_words(dependency: str) -> set[str]:
    """Return the telling words of a dependency's own name: `protobuf` of `google.golang.org/protobuf`."""
    return {word for word in words_of(dependency.rsplit("/", 1)[-1]) if len(word) > 3}


def _names(change: Change, reading: DiffReading) -> frozenset[str]:
    return frozenset(name for line in (*reading.removed, *reading.added) for name in identifiers_of(line))


def _words(change: Change, reading: DiffReading) -> frozenset[str]:
    """Return the words of what changed: of the changed lines, the settings, the files' names and, last, the title."""
    text = [*reading.removed, *reading.added, *(turned.name for turned in reading.turned)]
    text += [path.rsplit("/", 1)[-1].rsplit(".", 1)[0] for path in change.paths]
    text += [change.title, *(name for name, _ in reading.bumps)]
    return frozenset(word for line in text for word in words_of(line)) - _STOP


def _spoken(evidence: Evidence, services: Iterable[str]) -> dict[str, float]:
    """Weigh the words of failures and of what moved: by the logarithm of their lines, 1 for the most frequent."""
    names = " ".join(services).lower()  # a word that is part of a service's name says where, not what
    counts: Counter[str] = Counter()
    for message in evidence.messages:
        for word in set(words_of(message.text)):
            counts[word] += max(1, message.count)
    top = math.log1p(max(counts.values(), default=1))
    weights = {word: math.log1p(count) / top for word, count in counts.items()}
    for mover in evidence.movers:
        for word in words_of(mover.what):
            weights[word] = max(weights.get(word, 0.0), 0.7)
    said = {word: weight for word, weight in weights.items() if word not in _STOP}
    return {word: weight for word, weight in said.items() if len(word) < 4 or word not in names}


def _rarity(documents: Sequence[Iterable[str]]) -> dict[str, float]:
    frequency: Counter[str] = Counter()
    for words in documents:
        frequency.update(set(words))
    size = max(1, len(documents))
    return {word: math.log(1 + size / (1 + count)) / math.log(1 + size) for word, count in frequency.items()}


def _common_families(counted: Sequence[Counter[str]]) -> dict[str, float]:
    frequency: Counter[str] = Counter()
    for families_of_one in counted:
        frequency.update(families_of_one.keys())
    size = max(1, len(counted))
    return {name: math.log(1 + size / (1 + count)) / math.log(1 + size) for name, count in frequency.items()}


def _same_file(frame: str, path: str) -> bool:
    """Say whether a frame's file is the repository's `path`; a trace holds the installed path or the bare name."""
    left, right = frame.replace("\\", "/").split("/"), path.split("/")
    length = min(len(left), len(right), 2)
    return left[-length:] == right[-length:] if length else False
