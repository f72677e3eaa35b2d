"""Names made from titles: slugs and the names of incident channels.

Owns the rules of a channel's name. What the channel is for, and who is in it, is not decided here.
"""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Final

# Slack allows at most 80 lower-case letters, digits, hyphens and underscores
# (https://docs.slack.dev/reference/methods/conversations.create); the others allow more.
LONGEST_CHANNEL: Final = 80

# Letters that have no decomposition, or none that reads well, by how they are commonly written in ASCII.
_SPELLINGS: Final = """
    ß=ss æ=ae œ=oe ø=o đ=d ð=d þ=th ł=l ħ=h ı=i ä=ae ö=oe ü=ue
    α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=ch ψ=ps ω=o
    а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh
    щ=shch ъ= ы=y ь= э=e ю=iu я=ia і=i ї=i є=ie ґ=g
"""
_LETTERS: Final = str.maketrans(dict(spelling.split("=") for spelling in _SPELLINGS.split()))
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")
_APOSTROPHE: Final = re.compile(r"(?<=\w)['’`](?=\w)")


def slug(text: str, *, longest: int = 60) -> str:
    """Return `text` as lower-case ASCII words joined by hyphens, at most `longest` letters, cut between words.

    Latin, Greek and Cyrillic letters are written in ASCII; what else is no letter or digit separates words. May be
    empty.
    """
    lowered = unicodedata.normalize("NFC", text[:2_000]).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", lowered))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower().translate(_LETTERS)
    return _cut(_BETWEEN.sub("-", letters).strip("-"), longest)


def _cut(joined: str, longest: int) -> str:
    if len(joined) <= longest:
        return joined
    whole_words = joined[: longest + 1].rpartition("-")[0]
    # One endless word is cut inside; so is a last word that would cost more than half the name.
    return whole_words if len(whole_words) * 2 >= longest else joined[:longest].rstrip("-")


def channel_name(day: date, title: str, *, taken: Collection[str] = ()) -> str:
    """Return the name of an incident's channel: `incident-2026-11-21-checkout-500-errors`.

    At most 80 letters; without usable letters in `title` it is the date alone. A name in `taken` gets `-2`, `-3`.
    """
    start = f"incident-{day.isoformat()}"
    number = 1
    while True:
        ending = f"-{number}" if number > 1 else ""
        words = slug(title, longest=LONGEST_CHANNEL - len(start) - len(ending) - 1)
        name = f"{start}-{words}{ending}" if words else f"{start}{ending}"
        if name not in taken:
            return name
        number += 1
