"""Dependencies as seen from here: does it answer, does its name resolve, is its certificate valid, what does its status
page say."""

from stanch.integrations.dependency.collector import Dependencies, Target

__all__ = ["Dependencies", "Target"]
