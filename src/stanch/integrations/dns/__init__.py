"""Names: whether a resolver answers, with what, and how fast."""

from stanch.integrations.dns.sampler import DnsSampler

__all__ = ["DnsSampler"]
