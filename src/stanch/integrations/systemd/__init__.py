"""systemd: units of this machine are started, stopped, restarted and reloaded by systemctl."""

from stanch.integrations.systemd.actuator import SystemdActuator

__all__ = ["SystemdActuator"]
