"""Kubernetes by way of kubectl: pods, events, roll-outs, ConfigMaps, logs. Reads only."""

from stanch.integrations.kubernetes.configmaps import ConfigMaps
from stanch.integrations.kubernetes.logs import KubernetesLogs
from stanch.integrations.kubernetes.rollouts import Rollouts
from stanch.integrations.kubernetes.source import KubernetesSource

__all__ = ["ConfigMaps", "KubernetesLogs", "KubernetesSource", "Rollouts"]
