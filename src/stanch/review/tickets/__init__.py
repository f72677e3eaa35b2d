"""Tickets: what an action item is in a team's issue tracker, and how the two are kept the same."""
