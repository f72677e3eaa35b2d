"""ntfy: push messages with a button that acknowledges.

A method's address is the URL of a topic, `https://ntfy.example/alice-4f7d`; whoever knows it can read it, so that it
should not be guessable. The secret, if the server asks for one, is an access token; it goes to the server that
`url` names and to no other. Pages of one id replace each other
on the device (ntfy 2.16 and newer); an older server shows one that is handed over twice twice.
"""

from stanch.integrations.ntfy.pager import NtfyPager

__all__ = ["NtfyPager"]
