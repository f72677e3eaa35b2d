"""Log files with one JSON object a line: errors as they are written."""

from stanch.integrations.jsonlog.sampler import JsonLogSampler

__all__ = ["JsonLogSampler"]
