"""What Stanch may change in a cluster, by way of kubectl."""

from stanch.integrations.kubernetes.acting.actuator import KubernetesActuator, kubernetes_actuators

__all__ = ["KubernetesActuator", "kubernetes_actuators"]
