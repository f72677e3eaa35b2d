"""nginx, asked for its status page."""

from stanch.integrations.nginx.source import NginxSource

__all__ = ["NginxSource"]
