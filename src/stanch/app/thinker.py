"""The language model of a process, where one is configured and may be asked for something."""

import importlib
import os
from typing import cast

from stanch.catalog.thinker import ThinkerSpec
from stanch.ports.thinker import Thinker, ThinkerSettings


def open_thinker(spec: ThinkerSpec) -> Thinker | None:
    """Return the configured model, None where nothing may be asked. Its code is loaded only where there is one."""
    if not spec.is_on:
        return None
    settings = ThinkerSettings(
        kind=spec.provider,
        url=spec.url,
        model=spec.model,
        secret=os.environ.get(spec.key_env, "").strip() if spec.key_env else "",
        timeout_s=spec.timeout_s,
        structured=spec.structured,
    )
    known = importlib.import_module("stanch.integrations.thinker").THINKERS
    return cast("Thinker", known[spec.provider](settings))
