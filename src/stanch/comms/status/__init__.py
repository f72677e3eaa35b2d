"""The status page: how the components are and were, what is said about it, and how that reads as HTML,
JSON and feeds."""
