"""Heartbeats: what must be heard regularly."""
