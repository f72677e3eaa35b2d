"""Stanch for agents, over the Model Context Protocol: tools, resources and prompts made from the operations."""
