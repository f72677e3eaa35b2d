"""Incidents: the events of an incident, what is decided from them and what state they add up to. Pure."""
