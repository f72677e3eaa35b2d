"""Docker: containers of this machine are started, stopped, restarted and given other limits."""

from stanch.integrations.docker.actuator import DockerActuator

__all__ = ["DockerActuator"]
