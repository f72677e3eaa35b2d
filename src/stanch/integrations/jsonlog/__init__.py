"""Log files: errors by kind in those that hold one JSON object a line, and patterns in any."""

from stanch.integrations.jsonlog.pattern import LogPatternSampler
from stanch.integrations.jsonlog.sampler import JsonLogSampler

__all__ = ["JsonLogSampler", "LogPatternSampler"]
