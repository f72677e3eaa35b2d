"""Groups log lines into templates as they stream by, with bounded memory and no settings per program.

Three steps. (1) A line with its numbers blanked is looked up among the lines seen: most lines end here. (2) Otherwise
its tokens are masked, and the tuple of masked tokens is a *leaf*. (3) Now and then leaves that differ in values only
are merged. A leaf's id is stable; `resolve` tells the template it belongs to by now, so that counts kept by leaf can be
summed at any time.

The result is deterministic: no clock, no hash order, no randomness.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from stanch.diagnose.logs import leaves as bounds
from stanch.diagnose.logs.leaves import Leaves
from stanch.diagnose.logs.masks import WILDCARD, blank, blank_hexadecimal, join, mask_phrases, mask_token
from stanch.diagnose.logs.merging import merge

MAX_TOKENS = 128
"""Tokens of a line that are looked at; what follows counts as one variable."""
_MAX_KNOWN = 16_000_000
"""Bytes of blanked lines remembered by step (1), the dictionary's own included."""
_LONGEST_KNOWN = 4_096
_MAX_TOKENS_KNOWN = 50_000
_LONGEST_TOKEN = 200
_FIRST_MERGE = 256


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
        self._leaves = Leaves()
        self._lines: dict[bytes, int] = {}
        self._lines_size = 0
        self._tokens: dict[str, str] = {}
        self._next_merge = _FIRST_MERGE

    def add(self, line: str) -> int:
        """Count a line and return its leaf id; `resolve` maps that to its template's id."""
        blanked = blank(line)
        leaf = self._lines.get(blanked)
        if leaf is None:
            # Ids differ in their letters too: without this every line with a UUID would be new.
            blanked = blank_hexadecimal(blanked)
            leaf = self._lines.get(blanked)
        if leaf is None:
            leaf = self._leaf_of(blanked.decode("utf-8", "surrogatepass"), line)
            self._remember(blanked, leaf)
        self._leaves.counts[leaf] += 1
        return leaf

    def resolve(self, leaf: int) -> int:
        """Return the id of the template that `leaf` belongs to by now."""
        return self._leaves.resolve(leaf)

    def templates(self) -> list[Template]:
        """Return the templates, the most frequent first; merges what has come in since the last call."""
        self.merge()
        found = [
            Template(id=root, text=self.text(root), count=count, sample=self._leaves.samples[root])
            for root, count in self._leaves.totals().items()
        ]
        return sorted(found, key=lambda template: (-template.count, template.id))

    def text(self, leaf: int) -> str:
        """Return the template of a leaf as text."""
        shape = self._leaves.shapes[self.resolve(leaf)]
        return " ".join(shape) if shape is not None else WILDCARD

    def sample(self, leaf: int) -> str:
        """Return the first line seen of a leaf's template, cut at 1,024 characters."""
        return self._leaves.samples[self.resolve(leaf)]

    def merge(self) -> None:
        """Merge leaves that differ in values only. Happens by itself as leaves grow; cheap when nothing is new."""
        merge(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves.ids)

    def __iter__(self) -> Iterator[Template]:
        return iter(self.templates())

    def _leaf_of(self, blanked: str, line: str) -> int:
        words = mask_phrases(blanked).split(None, MAX_TOKENS)
        if len(words) > MAX_TOKENS:
            words[MAX_TOKENS] = WILDCARD
        tokens = tuple(join(map(self._masked, words)).split(" "))
        leaf = self._leaves.find(tokens)
        if leaf is not None:
            return leaf
        if len(self._leaves.ids) >= self._next_merge:
            self._make_room()
        return self._leaves.append(tokens, line)

    def _masked(self, word: str) -> str:
        known = self._tokens
        masked = known.get(word)
        if masked is None:
            masked = mask_token(word)
            if len(word) <= _LONGEST_TOKEN:
                if len(known) >= _MAX_TOKENS_KNOWN:
                    known.clear()
                known[word] = masked
        return masked

    def _make_room(self) -> None:
        self.merge()
        if len(self._leaves.ids) >= bounds.MAX_LEAVES:
            self._leaves.drop_rare()
            self._lines.clear()
            self._lines_size = 0
        self._next_merge = min(max(_FIRST_MERGE, 2 * len(self._leaves.ids)), bounds.MAX_LEAVES)

    def _remember(self, blanked: bytes, leaf: int) -> None:
        if self._lines_size > _MAX_KNOWN:
            self._lines.clear()
            self._lines_size = 0
        if len(blanked) <= _LONGEST_KNOWN:
            self._lines[blanked] = leaf
            self._lines_size += len(blanked) + 100
