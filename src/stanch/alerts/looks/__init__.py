"""The looks of checks: what the last one handed on, and how it went."""
