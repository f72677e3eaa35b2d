"""Keeps what Sentry granted: one file for each system, which its owner alone may read, renewed by one at a time.

Renewing changes both tokens, and the old ones are worth nothing from then on. So it is done under a lock that holds
between processes, what another wrote meanwhile is taken first, and a new file takes the place of the old in one step.
Not for several machines: each has a file of its own. They share the token of an internal integration.
"""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from stanch.integrations.sentry.oauth import Application, Granted, Post, post_form, renew
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.jsontext import JsonObject, read_object

_EARLY_S: Final = 24 * 3600.0
_EARLY_SHARE: Final = 0.1
"""A token is renewed a day before its end, and when a tenth of its life is left where that is later."""
# RFC 6749, section 5.2: the grant, or the token that renews it, is worth nothing (any more).
_ENDED: Final = "invalid_grant"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A grant with what it is for: the application, the organization, and the host of its region."""

    app: Application
    granted: Granted
    organization: str
    region: str = ""

    @property
    def due_at(self) -> float:
        """Return when it is renewed, in seconds since 1970."""
        life_s = max(0.0, self.granted.expires_at - self.granted.issued_at)
        return self.granted.expires_at - min(_EARLY_S, _EARLY_SHARE * life_s)


class Grants:
    """The file of one system. Threads and processes may share it."""

    def __init__(self, file: Path, *, post: Post = post_form, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._post = post
        self._now = now

    def read(self) -> Grant | None:
        """Return what is kept, None where nothing is. Raises `Refused` for a file that others can read."""
        try:
            with self._file.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                body = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"cannot read {self._file}: {error.strerror}", retry=False) from None
        if mode & 0o077:
            raise Refused(f"{self._file} can be read by others", reason="open_secret", hint=f"chmod 600 {self._file}")
        try:
            return _grant(read_object(body))
        except Invalid:
            raise Refused(
                f"{self._file} holds no grant", reason="broken_secret", hint="connect again: stanch sentry connect"
            ) from None

    def write(self, grant: Grant) -> None:
        """Keep a grant in place of what was kept."""
        with self._locked():
            self._put(grant)

    def forget(self) -> bool:
        """Remove what is kept; tell whether there was anything."""
        with self._locked():
            there = self._file.exists()
            self._file.unlink(missing_ok=True)
            return there

    def token(self, *, refused: str = "") -> str:
        """Return a token that holds, an empty text where nothing was granted.

        `refused` is one that Sentry did not take: it is renewed, if nobody has done so yet. Raises `Refused` when what
        was granted is worth nothing any more, `Unavailable` when it ended and cannot be renewed now.
        """
        grant = self.read()
        if grant is None or not self._is_due(grant, refused):
            return grant.granted.access_token if grant else ""
        with self._locked():
            # Another process was faster: what it wrote is what holds.
            grant = self.read() or grant
            if self._is_due(grant, refused):
                grant = self._renewed(grant, refused)
        return grant.granted.access_token

    def _is_due(self, grant: Grant, refused: str) -> bool:
        return grant.granted.access_token == refused or self._now() >= grant.due_at

    def _renewed(self, grant: Grant, refused: str) -> Grant:
        if not grant.granted.refresh_token:
            raise Refused("Sentry's token has ended", reason="expired", hint="connect again: stanch sentry connect")
        try:
            new = renew(grant.app, grant.granted.refresh_token, post=self._post)
        except Refused as error:
            if error.reason != _ENDED:
                raise
            # Renewing is no idempotent request: https://www.rfc-editor.org/rfc/rfc6749#section-6
            raise Refused(
                f"Sentry takes the grant no more ({error.reason}): it was taken back, or the answer to a renewal "
                "was lost, by which both tokens changed",
                reason=error.reason,
                hint="connect again: stanch sentry connect",
            ) from None
        except Unavailable as error:
            if grant.granted.access_token != refused and self._now() < grant.granted.expires_at:
                # It is early: the old one holds, and the next question tries again.
                return grant
            said = f"{error.message}; if it renewed the token all the same, the answer is lost: connect again then"
            raise Unavailable(said, retry=error.retry) from None
        granted = replace(
            new,
            refresh_token=new.refresh_token or grant.granted.refresh_token,
            scopes=new.scopes or grant.granted.scopes,
            user=new.user or grant.granted.user,
        )
        found = replace(grant, granted=granted)
        self._put(found)
        return found

    def _put(self, grant: Grant) -> None:
        text = json.dumps(
            {
                "application": asdict(grant.app),
                "granted": asdict(grant.granted),
                "organization": grant.organization,
                "region": grant.region,
            }
        )
        # mkstemp makes it 0600 from the start: there is no moment in which others could read it.
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._file.with_name(f"{self._file.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            # Each call opens the file anew, so it keeps threads of one process apart as well.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _grant(kept: JsonObject) -> Grant:
    app, granted = kept.object("application"), kept.object("granted")
    return Grant(
        app=Application(
            client_id=app.needed("client_id"), host=app.needed("host"), client_secret=app.text("client_secret")
        ),
        granted=Granted(
            access_token=granted.needed("access_token"),
            refresh_token=granted.text("refresh_token"),
            issued_at=granted.number("issued_at") or 0.0,
            expires_at=granted.number("expires_at") or 0.0,
            scopes=tuple(granted.words("scopes")),
            user=granted.text("user"),
        ),
        organization=kept.text("organization"),
        region=kept.text("region"),
    )
