"""Turns the error tree into transport facts: a status and a JSON body. Messages and reasons come from below."""

from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.responses import Response

from stanch.kernel.errors import Bug, Conflict, Forbidden, Invalid, NotFound, Problem, Refused, StanchError, Unavailable
from stanch.kernel.redaction import redact

# Looked up along the class's ancestors, so a refusal without a line of its own is a conflict with the rules: 409.
_STATUS: Final[dict[type[StanchError], int]] = {
    Invalid: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Refused: 409,
    Bug: 500,
    Unavailable: 503,
    StanchError: 500,
}
RETRY_AFTER_S: Final = 2


@dataclass(frozen=True, kw_only=True)
class ErrorDetail:
    """What went wrong: `code` is the family, `reason` the stable word of the rule, `problems` the fields at fault."""

    code: str
    message: str
    hint: str = ""
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorBody:
    """The body of every answer that is no success."""

    error: ErrorDetail


def status_of(error: StanchError) -> int:
    """Return the HTTP status for `error`."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def detail_of(error: StanchError, *, request_id: str = "") -> ErrorDetail:
    """Return what the caller is told about `error`."""
    return ErrorDetail(
        code=error.code,
        # What was refused may be quoted, and it may have been a secret.
        message=redact(error.message),
        hint=error.hint,
        reason=error.reason if isinstance(error, Refused) else error.code,
        problems=_plain(error.problems) if isinstance(error, Invalid) else (),
        request_id=request_id,
    )


def _plain(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(Problem(field=redact(one.field), message=redact(one.message)) for one in problems)


def error_response(detail: ErrorDetail, *, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return the JSON answer for an error."""
    sent = dict(headers or {})
    if status == 503:
        sent.setdefault("retry-after", str(RETRY_AFTER_S))
    body = msgspec.json.encode(ErrorBody(error=detail))
    return Response(body, status_code=status, media_type="application/json", headers=sent)
