"""This machine: memory, disks, load, file descriptors and sockets, as findings with numbers."""

from stanch.integrations.host.collector import HostCollector

__all__ = ["HostCollector"]
