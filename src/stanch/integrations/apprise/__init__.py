"""Apprise: pages to anything it reaches, some 170 services (https://github.com/caronc/apprise/wiki).

Needs the extra: `pip install 'stanch[apprise]'`. The address is an Apprise URL. It says only whether a notification
was handed over, so that such a page is never known to have been delivered or seen.
"""

from stanch.integrations.apprise.channel import AppriseChannel
from stanch.integrations.apprise.pager import ApprisePager

__all__ = ["AppriseChannel", "ApprisePager"]
