"""Maintenance windows: when something is expected to fail, so that it is recorded and tells nobody."""
