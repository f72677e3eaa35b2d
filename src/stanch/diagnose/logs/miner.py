"""Groups log lines into templates as they stream by, with bounded memory and no settings per program.

Three steps. (1) A line with its digits blanked is looked up among the lines seen: most lines end here. (2) Otherwise
its tokens are masked, and the tuple of masked tokens is a *leaf*. (3) Now and then leaves that differ in one position
only, where they show many words, are merged: that position is a variable. A leaf's id is stable; `resolve` tells the
template it belongs to by now, so counts kept by leaf can be summed at any time.

The order of the lines matters little and the result is deterministic: no clock, no hash order, no randomness.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from stanch.diagnose.logs.masks import WILDCARD, mask_token

MAX_TOKENS = 128
"""Tokens of a line that are looked at; what follows counts as one variable."""
MAX_LEAVES = 20_000
"""Leaves held: at 1 KiB for tokens and sample 20 MB. Beyond it the rarest leave, and their lines count as other."""
_MAX_LINES_KNOWN = 16_000_000
"""Characters of blanked lines remembered by step (1); at most 40 MB with the dictionary around them."""
_MAX_TOKENS_KNOWN = 50_000
_SAMPLE = 1_024
_VARIETY = 4
"""Distinct words at one position, all else equal, from which on the position is a variable."""
_FIRST_MERGE = 256

OTHER = -1
"""The id of lines whose leaf was dropped because too many kinds of lines were seen."""

_BLANK_DIGITS = str.maketrans("123456789", "000000000")

Tokens = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A kind of line: `text` with `<*>` for its variables, how many lines it had, and the first of them."""

    id: int
    text: str
    count: int
    sample: str


class Miner:
    """Mines templates from lines that are added one by one. Not safe for use by several threads at once."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}
        self._lines_size = 0
        self._tokens: dict[str, str] = {}
        self._leaves: dict[Tokens, int] = {}
        self._shapes: list[Tokens | None] = []  # by leaf id; None once merged into another or dropped
        self._counts: list[int] = []
        self._samples: list[str] = []
        self._parents: list[int] = []
        self._open: dict[int, list[tuple[int, ...]]] = {}  # number of tokens -> position sets that are variable
        self._next_merge = _FIRST_MERGE

    def add(self, line: str) -> int:
        """Count a line and return its leaf id; `resolve` maps that to its template's id."""
        blanked = line.translate(_BLANK_DIGITS)
        leaf = self._lines.get(blanked)
        if leaf is None:
            leaf = self._leaf_of(blanked, line)
            self._remember(blanked, leaf)
        self._counts[leaf] += 1
        return leaf

    def resolve(self, leaf: int) -> int:
        """Return the id of the template that `leaf` belongs to by now."""
        parents = self._parents
        while leaf >= 0 and parents[leaf] != leaf:
            parent = parents[leaf]
            if parent >= 0:
                parents[leaf] = parents[parent]  # halve the path, so that it stays short
            leaf = parent
        return leaf

    def templates(self) -> list[Template]:
        """Return the templates, the most frequent first; merges what has come in since the last call."""
        self.merge()
        totals: dict[int, int] = {}
        for leaf, count in enumerate(self._counts):
            root = self.resolve(leaf)
            if root >= 0:
                totals[root] = totals.get(root, 0) + count
        found = [
            Template(id=root, text=self.text(root), count=count, sample=self._samples[root])
            for root, count in totals.items()
        ]
        return sorted(found, key=lambda template: (-template.count, template.id))

    def text(self, leaf: int) -> str:
        """Return the template of a leaf as text."""
        shape = self._shapes[self.resolve(leaf)] if self.resolve(leaf) >= 0 else None
        return " ".join(shape) if shape is not None else WILDCARD

    def sample(self, leaf: int) -> str:
        """Return the first line seen of a leaf's template, cut at 1,024 characters."""
        root = self.resolve(leaf)
        return self._samples[root] if root >= 0 else ""

    def merge(self) -> None:
        """Merge leaves that differ only in variables. Called by itself as leaves grow; cheap when nothing is new."""
        changed = True
        while changed:
            changed = False
            by_length: dict[int, list[int]] = {}
            for shape, leaf in self._leaves.items():
                by_length.setdefault(len(shape), []).append(leaf)
            for length, leaves in by_length.items():
                if len(leaves) >= _VARIETY and self._merge_length(length, leaves):
                    changed = True

    def __len__(self) -> int:
        return len(self._leaves)

    def __iter__(self) -> Iterator[Template]:
        return iter(self.templates())

    def _leaf_of(self, blanked: str, line: str) -> int:
        known = self._tokens
        words = blanked.split(None, MAX_TOKENS)
        if len(words) > MAX_TOKENS:
            words[MAX_TOKENS] = WILDCARD
        shape: list[str] = []
        for word in words:
            masked = known.get(word)
            if masked is None:
                masked = mask_token(word)
                if len(known) >= _MAX_TOKENS_KNOWN:
                    known.clear()
                if len(word) <= 200:
                    known[word] = masked
            shape.append(masked)
        tokens = tuple(shape)
        leaf = self._leaves.get(tokens)
        if leaf is not None:
            return leaf
        for positions in self._open.get(len(tokens), ()):
            leaf = self._leaves.get(_opened(tokens, positions))
            if leaf is not None:
                return leaf
        return self._new_leaf(tokens, line)

    def _new_leaf(self, tokens: Tokens, line: str) -> int:
        if len(self._leaves) >= self._next_merge:
            self.merge()
            if len(self._leaves) >= MAX_LEAVES:
                self._drop_rare()
            self._next_merge = min(max(_FIRST_MERGE, 2 * len(self._leaves)), MAX_LEAVES)
        leaf = len(self._parents)
        self._leaves[tokens] = leaf
        self._shapes.append(tokens)
        self._counts.append(0)
        self._samples.append(line[:_SAMPLE])
        self._parents.append(leaf)
        return leaf

    def _remember(self, blanked: str, leaf: int) -> None:
        if self._lines_size > _MAX_LINES_KNOWN:
            self._lines.clear()
            self._lines_size = 0
        if len(blanked) <= 4_096:
            self._lines[blanked] = leaf
            self._lines_size += len(blanked) + 100

    def _merge_length(self, length: int, leaves: list[int]) -> bool:
        merged = False
        for position in range(length):
            groups: dict[Tokens, list[int]] = {}
            for leaf in leaves:
                shape = self._shapes[leaf]
                if shape is not None:
                    groups.setdefault(_opened(shape, (position,)), []).append(leaf)
            for shape, members in groups.items():
                if len(members) >= _VARIETY and _has_words(shape):
                    self._join(shape, members)
                    merged = True
            if merged:
                leaves = [leaf for shape, leaf in self._leaves.items() if len(shape) == length]
        return merged

    def _join(self, shape: Tokens, members: list[int]) -> None:
        for leaf in members:
            old = self._shapes[leaf]
            if old is not None:
                del self._leaves[old]
        root = min(members)
        self._shapes[root] = shape
        self._leaves[shape] = root
        for leaf in members:
            if leaf != root:
                self._parents[leaf] = root
                self._shapes[leaf] = None
                self._samples[leaf] = ""
        positions = tuple(index for index, token in enumerate(shape) if token == WILDCARD)
        known = self._open.setdefault(len(shape), [])
        if positions not in known:
            known.append(positions)

    def _drop_rare(self) -> None:
        """Make room: drop the half of the leaves with the fewest lines. Their lines so far count as `OTHER`."""
        totals: dict[int, int] = {}
        for leaf, count in enumerate(self._counts):
            root = self.resolve(leaf)
            totals[root] = totals.get(root, 0) + count
        ranked = sorted(self._leaves.items(), key=lambda item: (totals.get(item[1], 0), item[1]))
        for shape, leaf in ranked[: len(ranked) // 2]:
            del self._leaves[shape]
            self._shapes[leaf] = None
            self._samples[leaf] = ""
            self._parents[leaf] = OTHER
        self._lines.clear()
        self._lines_size = 0


def _opened(shape: Tokens, positions: tuple[int, ...]) -> Tokens:
    changed = list(shape)
    for position in positions:
        changed[position] = WILDCARD
    return tuple(changed)


def _has_words(shape: Tokens) -> bool:
    return any(token != WILDCARD and any(letter.isalpha() for letter in token) for token in shape)
