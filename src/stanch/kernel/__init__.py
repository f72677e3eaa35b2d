"""Kernel: the few words every other package uses. It knows no database, no network, no configuration."""
