"""CloudWatch: alarms through SNS, signed or raw, and in the form that EventBridge gives them."""

from stanch.integrations.cloudwatch.source import CloudWatch

__all__ = ["CloudWatch"]
