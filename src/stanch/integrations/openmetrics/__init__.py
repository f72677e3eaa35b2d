"""Metrics pages in the OpenMetrics and Prometheus text formats."""

from stanch.integrations.openmetrics.sampler import OpenMetricsSampler

__all__ = ["OpenMetricsSampler"]
