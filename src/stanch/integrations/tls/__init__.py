"""Certificates: how long they still last, and whether a client would trust them."""

from stanch.integrations.tls.sampler import TlsSampler

__all__ = ["TlsSampler"]
