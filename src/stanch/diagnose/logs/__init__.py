"""Log lines as evidence: records, templates with counts over time, error groups, and what changed between two windows.

A pure library: it reads lines it is given and never opens a file, a socket or a clock.
"""
