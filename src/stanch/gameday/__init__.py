"""Game days: a sample shop that really runs, faults that really break it, and the scoring of what was found.

Nothing outside this package knows which faults there are.
"""
