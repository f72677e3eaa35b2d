"""Probes over HTTP: single requests, and journeys of several; and one request as an action."""

from stanch.integrations.http.actuator import HttpActuator
from stanch.integrations.http.journey import JourneySampler
from stanch.integrations.http.sampler import HttpSampler
from stanch.integrations.http.source import HttpSource

__all__ = ["HttpActuator", "HttpSampler", "HttpSource", "JourneySampler"]
