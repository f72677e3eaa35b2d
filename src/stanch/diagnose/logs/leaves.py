"""Holds the kinds of lines a miner has seen: leaves by their masked tokens, and which leaf has merged into which.

Owns identity and memory bounds; which leaves belong together is decided in `merging`.
"""

import re
from functools import lru_cache
from typing import Final

from stanch.diagnose.logs.masks import WILDCARD

MAX_LEAVES = 20_000
"""Leaves held: at 1 KiB for tokens and sample 20 MB. Beyond it the rarest leave, and count to the template `<*>`."""
MAX_IDS = 400_000
"""Leaf ids given out, at 100 bytes each 40 MB. Beyond it what fits no template counts to `<*>` at once."""
MAX_OPEN = 64
"""Sets of variable positions remembered for one length of line; each costs a look-up for every new kind of line."""
_SAMPLE = 1_024

Tokens = tuple[str, ...]
_ANYTHING: Final[Tokens] = (WILDCARD,)

# The value of a token: behind its last key or opening bracket, before closing brackets and punctuation.
_VALUE = re.compile(r"(?:(?<=[=(\[{\"'])|^)[^=(\[{\"']+?(?=[)\]}\"',;:.]*$)")


class Leaves:
    """The leaves, their counts and samples. Ids are small numbers in the order of first sight and never change."""

    def __init__(self) -> None:
        self.ids: dict[Tokens, int] = {}
        self.shapes: list[Tokens | None] = []  # by id; None once merged into another or dropped
        self.counts: list[int] = []
        self.samples: list[str] = []
        self.open: dict[int, list[tuple[int, ...]]] = {}  # number of tokens -> position sets known to vary
        self._parents: list[int] = []
        self._variables: dict[int, tuple[int, ...]] = {}  # by id: positions found to vary

    def find(self, tokens: Tokens) -> int | None:
        """Return the leaf of these tokens, or of a template that covers them; None for a new kind."""
        leaf = self.ids.get(tokens)
        if leaf is None:
            for positions in self.open.get(len(tokens), ()):
                leaf = self.ids.get(opened(tokens, positions))
                if leaf is not None:
                    break
        return leaf

    def append(self, tokens: Tokens, sample: str) -> int:
        """Add a leaf; once `MAX_IDS` are given out every new kind is the one of any line."""
        if len(self.shapes) >= MAX_IDS and tokens != _ANYTHING:
            return self._anything(sample)
        leaf = len(self.shapes)
        self.ids[tokens] = leaf
        self.shapes.append(tokens)
        self.counts.append(0)
        self.samples.append(sample[:_SAMPLE])
        self._parents.append(leaf)
        return leaf

    def resolve(self, leaf: int) -> int:
        """Return the leaf that `leaf` has become part of by now."""
        parents = self._parents
        while parents[leaf] != leaf:
            parents[leaf] = parents[parents[leaf]]  # halve the path, so that it stays short
            leaf = parents[leaf]
        return leaf

    def totals(self) -> dict[int, int]:
        """Return the lines by resolved leaf, without those that had none."""
        found: dict[int, int] = {}
        for leaf, count in enumerate(self.counts):
            if count:
                root = self.resolve(leaf)
                found[root] = found.get(root, 0) + count
        return found

    def join(self, shape: Tokens, members: list[int], *varying: int) -> None:
        """Make one leaf of `shape` out of `members`, the oldest of which goes on; `varying` are its open positions."""
        for leaf in members:
            old = self.shapes[leaf]
            if old is not None:
                del self.ids[old]
        root = min(members)
        self.shapes[root] = shape
        self.ids[shape] = root
        for leaf in members:
            if leaf != root:
                self._retire(leaf, root)
        positions = tuple(sorted(set(varying).union(*(self._variables.pop(leaf, ()) for leaf in members))))
        self._variables[root] = positions
        known = self.open.setdefault(len(shape), [])
        if positions not in known and len(known) < MAX_OPEN:
            known.append(positions)

    def drop_rare(self) -> None:
        """Drop the half of the leaves with the fewest lines, which count to the template `<*>` from then on."""
        totals = self.totals()
        ranked = sorted(self.ids.items(), key=lambda item: (totals.get(item[1], 0), item[1]))
        anything = self._anything(self.samples[ranked[0][1]])
        for shape, leaf in ranked[: len(ranked) // 2]:
            if leaf != anything:
                del self.ids[shape]
                self._retire(leaf, anything)

    def _anything(self, sample: str) -> int:
        leaf = self.ids.get(_ANYTHING)
        return leaf if leaf is not None else self.append(_ANYTHING, sample)

    def _retire(self, leaf: int, root: int) -> None:
        # The current total moves along, so that a template's own count is never behind its parts'.
        self.counts[root] += self.counts[leaf]
        self.counts[leaf] = 0
        self._parents[leaf] = root
        self.shapes[leaf] = None
        self.samples[leaf] = ""


def opened(shape: Tokens, positions: tuple[int, ...]) -> Tokens:
    """Return the shape with the value of each position opened; a key before it and punctuation around it stay."""
    changed = list(shape)
    for position in positions:
        changed[position] = opened_token(changed[position])
    return tuple(changed)


@lru_cache(maxsize=65_536)
def opened_token(token: str) -> str:
    """Return the token with its value opened: `user=root,` -> `user=<*>,`."""
    return _VALUE.sub(WILDCARD, token, count=1)
