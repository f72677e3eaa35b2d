"""Errors seen in logs: merged by kind, counted over time, and which of them stands out."""
