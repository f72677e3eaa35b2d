"""Feeds of shifts for calendar programs: the addresses that were given out, and the text at each."""
