"""Escalation: a page as data, its events, and the pure rules that say what is next."""
