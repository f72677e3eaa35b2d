"""Matrix: pages as direct messages. The address is a user (`@alice:example.org`) or a room (`!abc:example.org`), `url`
the homeserver and the secret an access token of the account that pages."""

from stanch.integrations.matrix.pager import MatrixPager

__all__ = ["MatrixPager"]
