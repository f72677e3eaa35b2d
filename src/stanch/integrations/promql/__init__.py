"""Queries to a Prometheus."""

from stanch.integrations.promql.sampler import PromqlSampler

__all__ = ["PromqlSampler"]
