"""The meeting on a post-mortem: when it is, and the invitation to it."""
