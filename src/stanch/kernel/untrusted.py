"""Text that a model reads or wrote: what people do not see is taken out of it, and it is kept short. Pure."""

import unicodedata
from typing import Final

from stanch.kernel.blocks import clean

# Cc, Cf: controls and what has no shape (tags, zero widths). Co, Cs, Cn: no characters at all.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})


def seen(text: str) -> str:
    """Return `text` in one line, without escape sequences and characters that people do not see."""
    lined = " ".join(clean(text).split())
    return "".join(one for one in lined if unicodedata.category(one) not in _UNSEEN)


def cut(text: str, *, most: int) -> str:
    """Return the first `most` characters of `text`, with the count of what is left out."""
    return text if len(text) <= most else f"{text[:most]}…(+{len(text) - most:,} characters)"
