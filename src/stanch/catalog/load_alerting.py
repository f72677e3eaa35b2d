"""Reads `[alerting]` and `[heartbeats.<name>]`. What a matcher means is checked where alerts are matched."""

import re
from collections.abc import Sequence
from typing import Final

from stanch.catalog.alerting_keys import ALERTING
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Problem

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_alerting(top: Reader, problems: list[Problem]) -> dict[str, object]:
    """Return what alerts from outside lead to."""
    return Reader(top.table("alerting"), at="alerting", keys=ALERTING, problems=problems).given()


def read_heartbeat(reader: Reader, *, name: str, services: Sequence[str]) -> dict[str, object]:
    """Return one heartbeat."""
    service = reader.text("service")
    if service and service not in services:
        reader.complain("service", f"names no service: {service!r}{did_you_mean(service, services)}")
    secret_env = reader.text("secret_env")
    if secret_env and not _VARIABLE.fullmatch(secret_env):
        reader.complain("secret_env", "must be the name of an environment variable; the secret itself is never here")
    return {**reader.given(), "name": name}
