"""Google Cloud Monitoring: webhook notification channels."""

from stanch.integrations.googlecloud.source import GoogleCloud

__all__ = ["GoogleCloud"]
