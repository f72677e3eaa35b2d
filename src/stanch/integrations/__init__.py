"""Integrations: everything of one vendor or format in one folder. They see only ports and kernel."""
