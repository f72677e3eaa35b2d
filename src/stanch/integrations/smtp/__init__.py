"""E-mail over SMTP: pages with a link that acknowledges, and messages about incidents in threads.

`url` is the server, `smtp://mail.example:587` (with STARTTLS where it is offered) or `smtps://mail.example:465`;
`account` and the secret log in where both are given, `sender` is the address that mail comes from.
"""

from stanch.integrations.smtp.channel import MailChannel
from stanch.integrations.smtp.pager import SmtpPager

__all__ = ["MailChannel", "SmtpPager"]
