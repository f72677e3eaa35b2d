"""CloudWatch: alarms through SNS, signed or raw, and in the form that EventBridge gives them."""

from stanch.integrations.cloudwatch.fetching import over_https
from stanch.integrations.cloudwatch.source import CloudWatch

__all__ = ["CloudWatch", "over_https"]
