"""Decides which leaves are one template: those that differ in values only, judged by how the words vary.

Three rules, repeated until nothing changes. A leaf that a template covers joins it. At one position, all else equal,
words are values if a masked value occurs there too, or if there are many of them: at least 5, and more than the square
root of the lines beyond the most frequent word, since a few words that return all the time (`hit`, `miss`, `expired`)
are states. At several positions at once, words that hardly ever return are values.
"""

import math
from collections import Counter
from collections.abc import Iterator

from stanch.diagnose.logs.leaves import Leaves, Tokens, opened, opened_token
from stanch.diagnose.logs.masks import WILDCARD

VARIETY = 5
"""Distinct words at one position, all else equal, from which on they may be values."""
VARIETY_ALWAYS = 12
"""Distinct words from which on they are values however often they return."""
FIRST_WORD_NEEDS = 3
"""Constant words behind a first word that varies; two are too few to tell `cupsd startup succeeded` from a value."""
FEW = 6
"""Leaves that must agree before several positions are opened at once."""


def merge(leaves: Leaves) -> None:
    """Merge until nothing changes. Cost: leaves times tokens, a few times over; 20,000 leaves take about a second."""
    changed = True
    while changed:
        changed = False
        by_length: dict[int, list[int]] = {}
        for shape, leaf in leaves.ids.items():
            by_length.setdefault(len(shape), []).append(leaf)
        for length, alike in by_length.items():
            if len(alike) > 1 and (
                _absorb(leaves, length, alike) or _merge_single(leaves, length, alike) or _merge_several(leaves, alike)
            ):
                changed = True


def _absorb(leaves: Leaves, length: int, alike: list[int]) -> bool:
    """Merge the leaves that a template found earlier or meanwhile covers."""
    merged = False
    for positions in list(leaves.open.get(length, ())):
        for leaf in alike:
            shape = leaves.shapes[leaf]
            if shape is None:
                continue
            cover = opened(shape, positions)
            root = leaves.ids.get(cover)
            if root is not None and root != leaf:
                leaves.join(cover, [root, leaf], *positions)
                merged = True
    return merged


def _merge_single(leaves: Leaves, length: int, alike: list[int]) -> bool:
    merged = False
    for position in range(length):
        groups: dict[Tokens, list[int]] = {}
        for leaf in alike:
            shape = leaves.shapes[leaf]
            if shape is not None:
                cover = (*shape[:position], opened_token(shape[position]), *shape[position + 1 :])
                groups.setdefault(cover, []).append(leaf)
        for cover, members in groups.items():
            if len(members) > 1 and _is_variable(leaves, cover, members, position):
                leaves.join(cover, members, position)
                merged = True
        merged = _merge_wrapped(leaves, alike, position) or merged
    return merged


def _is_variable(leaves: Leaves, cover: Tokens, members: list[int], position: int) -> bool:
    """Say whether what stands at `position` is a value.

    The first word of a line names what it is about, so that many of them make many templates unless the rest of the
    line is distinct enough by itself.
    """
    words = _words_in(cover)
    if not words and not any(_has_letters(token) for token in cover):
        return False
    if cover in leaves.ids:  # one of the variants is masked already
        return True
    if position == 0 and cover[0] == WILDCARD and words < FIRST_WORD_NEEDS:
        return False
    counts = [leaves.counts[leaf] for leaf in members]
    others = sum(counts) - max(counts)
    return len(members) >= min(VARIETY_ALWAYS, max(VARIETY, math.sqrt(others)))


def _merge_wrapped(leaves: Leaves, alike: list[int], position: int) -> bool:
    """Merge `to LOCAL(<*>), x` into `to <*>, x`: a value in a wrapping is one where the bare value occurs too."""
    merged = False
    for leaf in alike:
        shape = leaves.shapes[leaf]
        if shape is None or shape[position] == WILDCARD or WILDCARD not in shape[position]:
            continue
        token = WILDCARD + (shape[position][-1] if shape[position][-1] in ",;:." else "")
        cover = (*shape[:position], token, *shape[position + 1 :])
        root = leaves.ids.get(cover)
        if root is not None and root != leaf and any(map(_has_letters, cover)):
            leaves.join(cover, [leaf, root], position)
            merged = True
    return merged


def _merge_several(leaves: Leaves, alike: list[int]) -> bool:
    """Merge leaves that differ in several positions at once: `user anna from bonn`, `user bert from kiel`."""
    families: dict[str, list[Tokens]] = {}
    for leaf in alike:
        shape = leaves.shapes[leaf]
        if shape is not None:
            families.setdefault(shape[0], []).append(shape)
    merged = False
    for shapes in families.values():
        if len(shapes) >= FEW:
            for cover, members, positions in _varied(shapes):
                leaves.join(cover, [leaves.ids[shape] for shape in members], *positions)
                merged = True
    return merged


def _varied(shapes: list[Tokens]) -> Iterator[tuple[Tokens, list[Tokens], tuple[int, ...]]]:
    """Find leaves of one length and first word that agree but for positions full of rare words."""
    columns = [Counter(column) for column in zip(*shapes, strict=True)]
    loose = [index for index, column in enumerate(columns) if index and len(column) >= len(shapes) / 2]
    groups: dict[Tokens, list[tuple[Tokens, tuple[int, ...]]]] = {}
    for shape in shapes:
        positions = tuple(index for index in loose if columns[index][shape[index]] <= 2)
        if positions and 3 * len(positions) <= len(shape):
            groups.setdefault(opened(shape, positions), []).append((shape, positions))
    for cover, members in groups.items():
        if len(members) >= FEW and _words_in(cover) >= FIRST_WORD_NEEDS:
            yield cover, [shape for shape, _ in members], members[0][1]


def _has_letters(token: str) -> bool:
    return token != WILDCARD and any(letter.isalpha() for letter in token)


def _words_in(shape: Tokens) -> int:
    return sum(1 for token in shape if WILDCARD not in token and _has_letters(token))
