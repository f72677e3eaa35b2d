"""Agents: programs that act by themselves, with tokens of their own, budgets, and what they asked for once."""
