"""Twilio: pages by text message and by call, answered by a reply or a key.

`account` is the account's SID, the secret its auth token, `sender` the number that texts and calls come from. Let the
number's incoming messages post to `<url of Stanch>/pager/<name>/reply`. Far ends that speak the same protocol are used
by another `url`.
"""

from stanch.integrations.twilio.pager import TwilioPager

__all__ = ["TwilioPager"]
