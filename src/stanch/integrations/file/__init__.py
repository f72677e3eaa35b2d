"""Rooms as Markdown files in a folder: the channel that needs no service."""

from stanch.integrations.file.channel import FileChannel
from stanch.integrations.file.pager import FilePager

__all__ = ["FileChannel", "FilePager"]
