"""Runbooks tried while nothing is wrong: what each part of them said, and what has rotted."""
