"""RabbitMQ, asked over its management API."""

from stanch.integrations.rabbitmq.source import RabbitSource

__all__ = ["RabbitSource"]
