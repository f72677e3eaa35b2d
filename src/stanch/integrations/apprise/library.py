"""Apprise itself, where the extra is installed."""

import importlib
from types import ModuleType


def installed() -> ModuleType | None:
    """Return Apprise where the extra is installed. Its some 170 services are loaded only where somebody uses one."""
    try:
        return importlib.import_module("apprise")
    except ImportError:
        return None
