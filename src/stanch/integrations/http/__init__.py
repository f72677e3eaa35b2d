"""Health probes over HTTP."""

from stanch.integrations.http.sampler import HttpSampler

__all__ = ["HttpSampler"]
