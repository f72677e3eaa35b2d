"""Alerts as readers see them: with receivers, what keeps them quiet, and why."""
