"""Grafana: webhook contact points of unified alerting, and the notifications of dashboard alerts up to version 8."""

from stanch.integrations.grafana.source import Grafana

__all__ = ["Grafana"]
