"""Silences, stored."""
