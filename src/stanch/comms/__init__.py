"""Communication: what is said to whom about an incident, filled from its log. Pure; the engine delivers it."""
