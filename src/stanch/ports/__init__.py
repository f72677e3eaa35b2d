"""Ports: what an integration may implement. One small protocol and its records per file."""
