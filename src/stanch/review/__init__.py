"""Review: the post-mortem and what is learnt, computed from an incident's events. Pure."""
