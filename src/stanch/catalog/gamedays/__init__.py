"""Game days as files: what may be broken (targets) and what is done to it, step by step (scenarios)."""
