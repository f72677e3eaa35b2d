"""Prometheus, asked for ranges of what its exporters measure."""

from stanch.integrations.prometheus.source import PrometheusSource

__all__ = ["PrometheusSource"]
