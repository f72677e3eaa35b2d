"""Clues: what each piece of evidence is called, how it is found in the picture, and how it is put into words.

A clue says whether it holds, is absent, or cannot be told (None: nobody looked, or there was no data). How much it
weighs for which kind of cause stands in `stanch.diagnose.kinds`.
"""

from typing import Final

from stanch.diagnose.clues.about_calls import CLUES as _CALLS
from stanch.diagnose.clues.about_changes import CLUES as _CHANGES
from stanch.diagnose.clues.about_resources import CLUES as _RESOURCES
from stanch.diagnose.clues.about_services import CLUES as _SERVICES
from stanch.diagnose.clues.about_systems import CLUES as _SYSTEMS
from stanch.diagnose.clues.clue import Clue

CLUES: Final[dict[str, Clue]] = {clue.name: clue for clue in (*_CHANGES, *_CALLS, *_RESOURCES, *_SERVICES, *_SYSTEMS)}
"""Every clue by name."""

__all__ = ["CLUES", "Clue"]
