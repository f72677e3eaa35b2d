"""E-mail: what devices and services that can only send mail say becomes alerts."""

from stanch.integrations.email.reading import Reading, Rule, read_mail

__all__ = ["Reading", "Rule", "read_mail"]
