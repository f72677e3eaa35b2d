"""Surfaces: CLI, HTTP, web. They translate what an operation takes and gives; they decide nothing."""
