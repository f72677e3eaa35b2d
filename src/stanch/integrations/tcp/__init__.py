"""TCP connects."""

from stanch.integrations.tcp.sampler import TcpSampler

__all__ = ["TcpSampler"]
