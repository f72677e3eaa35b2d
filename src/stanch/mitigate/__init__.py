"""Mitigation: the decision tree, plans as data, approvals, verification. Pure; the engine runs plans."""
