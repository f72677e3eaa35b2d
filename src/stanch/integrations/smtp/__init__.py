"""E-mail over SMTP: pages by mail, with a link that acknowledges.

`url` is the server, `smtp://mail.example:587` (with STARTTLS where it is offered) or `smtps://mail.example:465`;
`account` and the secret log in where both are given, `sender` is the address that mail comes from.
"""

from stanch.integrations.smtp.pager import SmtpPager

__all__ = ["SmtpPager"]
