"""Inhibition: an alert that fires keeps others quiet that it explains. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from stanch.alerts.intake.matchers import Matcher, matches_all


@dataclass(frozen=True, kw_only=True)
class InhibitRule:
    """While an alert matches `source`, those that match `target` and have the same `equal` labels are kept quiet.

    A label that both lack counts as equal. An alert that matches both sides is never kept quiet by another that does.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def is_source(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert with `labels` keeps others quiet while it fires."""
        return matches_all(self.source, labels)

    def is_target(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert with `labels` can be kept quiet."""
        return matches_all(self.target, labels)

    def equal_key(self, labels: Mapping[str, str]) -> bytes:
        """Return 16 bytes that are the same for alerts with the same `equal` labels."""
        # Lengths stand before the values, so that no two lists of values read alike.
        parts = [labels.get(name, "").encode() for name in self.equal]
        text = b"".join(b"%d:%s" % (len(part), part) for part in parts)
        return hashlib.blake2b(text, digest_size=16).digest()
