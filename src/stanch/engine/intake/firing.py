"""Receivers that do not want to hear of an end hear of what fires only, in a notification about both as well."""

from dataclasses import replace

from stanch.ports.notifier import Notice, Notifier


class FiringOnly:
    """Tells `inner` without the alerts that are over."""

    def __init__(self, inner: Notifier) -> None:
        self._inner = inner

    def notify(self, notice: Notice) -> str:
        """Tell what of `notice` fires."""
        return self._inner.notify(replace(notice, alerts=tuple(one for one in notice.alerts if one.ends_at is None)))

    def close(self) -> None:
        """Close what tells."""
        self._inner.close()
