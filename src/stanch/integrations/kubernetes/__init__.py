"""Kubernetes by way of kubectl: pods, events, roll-outs, logs. Reads only."""

from stanch.integrations.kubernetes.logs import KubernetesLogs
from stanch.integrations.kubernetes.rollouts import Rollouts
from stanch.integrations.kubernetes.source import KubernetesSource

__all__ = ["KubernetesLogs", "KubernetesSource", "Rollouts"]
