"""Asks SNS for certificates and confirms subscriptions. Redirects are not followed: they would lead anywhere."""

from typing import Final

import httpx2

from stanch.kernel.errors import Unavailable

_PATIENCE_S: Final = 5.0
_LARGEST: Final = 65_536


def over_https(url: str) -> bytes:
    """Return what is at `url`, at most 64 KiB. Raises `Unavailable` when it cannot be had."""
    try:
        with (
            httpx2.Client(timeout=_PATIENCE_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            if not answer.is_success:
                raise Unavailable(f"SNS answered {answer.status_code}", retry=True)
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise Unavailable(f"SNS answered more than {_LARGEST} bytes", retry=False)
            return body
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(f"SNS did not answer: {type(error).__name__}", retry=True) from error
