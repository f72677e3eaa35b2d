"""Matrix: pages as direct messages, and a room for every incident. `url` is the homeserver, the secret an access token.

For pages the address is a user (`@alice:example.org`) or a room (`!abc:example.org`).
"""

from stanch.integrations.matrix.channel import MatrixChannel
from stanch.integrations.matrix.pager import MatrixPager

__all__ = ["MatrixChannel", "MatrixPager"]
