"""Alerts from outside that come and go."""
