"""Language models over plain HTTP: Anthropic's protocol and OpenAI's, which servers of one's own speak as well."""

from collections.abc import Callable, Mapping
from typing import Final

from stanch.integrations.thinker.anthropic import AnthropicThinker
from stanch.integrations.thinker.openai import OpenAIThinker
from stanch.ports.thinker import Thinker, ThinkerSettings

__all__ = ["THINKERS", "AnthropicThinker", "OpenAIThinker"]

THINKERS: Final[Mapping[str, Callable[[ThinkerSettings], Thinker]]] = {
    "anthropic": AnthropicThinker,
    "openai": OpenAIThinker,
    "local": OpenAIThinker,
}
"""By the word of the configuration."""
