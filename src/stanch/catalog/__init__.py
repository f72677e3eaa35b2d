"""The catalog: services, how they depend on each other, where each runs, who owns it, and what may be done to it."""
