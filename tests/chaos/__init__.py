"""Kills the process at every step of an incident and looks at what is left."""
