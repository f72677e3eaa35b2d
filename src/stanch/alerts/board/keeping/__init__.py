"""Keeps the board up to date with what senders said, a little later and away from the path that takes it in."""
