"""E-mail: what devices and services that can only send mail say becomes alerts, and replies to pages are understood."""

from stanch.integrations.email.reading import Reading, Rule, read_mail
from stanch.integrations.email.replies import Reply, Word, read_reply

__all__ = ["Reading", "Reply", "Rule", "Word", "read_mail", "read_reply"]
