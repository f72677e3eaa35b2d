"""Runbooks: Markdown as people write it, of which the tagged blocks can be run in place."""
