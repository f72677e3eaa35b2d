"""Rooms as Markdown files in a folder: the channel that needs no service."""

from stanch.integrations.file.channel import FileChannel

__all__ = ["FileChannel"]
