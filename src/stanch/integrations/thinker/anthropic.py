"""Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages), without tools and without a stream."""

from typing import Final
from urllib.parse import quote

from stanch.integrations.thinker.post import get_json, host_of, post_json, unreadable
from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.thinker import Answer, Ask, Stop, ThinkerSettings

URL: Final = "https://api.anthropic.com"
_VERSION: Final = "2023-06-01"
_STOPS: Final = {
    "end_turn": Stop.DONE,
    "stop_sequence": Stop.DONE,
    "max_tokens": Stop.CUT_OFF,
    "model_context_window_exceeded": Stop.CUT_OFF,
    "refusal": Stop.REFUSED,
}
# What was read from the provider's cache or written to it was read all the same.
_READ: Final = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class AnthropicThinker:
    """Asks a model of Anthropic, or of a server that speaks the same protocol."""

    def __init__(self, settings: ThinkerSettings) -> None:
        self._settings = settings
        self._base = (settings.url or URL).rstrip("/")
        self._url = f"{self._base}/v1/messages"

    @property
    def kind(self) -> str:
        """The protocol."""
        return self._settings.kind

    @property
    def model(self) -> str:
        """The configured name."""
        return self._settings.model

    @property
    def place(self) -> str:
        """The host."""
        return host_of(self._url)

    @property
    def has_key(self) -> bool:
        """Whether a key is sent along."""
        return bool(self._settings.secret)

    def think(self, ask: Ask) -> Answer:
        """Ask once; what the model thinks aloud is left out."""
        body: dict[str, JSON] = {
            "model": self.model,
            "max_tokens": ask.most_tokens,
            "system": ask.task,
            "messages": [{"role": "user", "content": ask.data}],
        }
        if self._settings.structured:
            body["output_config"] = {"format": {"type": "json_schema", "schema": dict(ask.schema)}}
        posted = post_json(self._url, body, headers=self._headers, timeout_s=self._settings.timeout_s)
        try:
            return self._answer(posted.body, posted.took_s)
        except Invalid as error:
            raise unreadable(self._url, error) from None

    def knows_model(self) -> bool | None:
        """Look the model up (https://platform.claude.com/docs/en/api/models); an alias is answered by its own name."""
        url = f"{self._base}/v1/models/{quote(self.model, safe='')}"
        found = get_json(url, headers=self._headers, timeout_s=self._settings.timeout_s)
        return None if found is None else bool(found.text("id"))

    @property
    def _headers(self) -> dict[str, str]:
        key = {"x-api-key": self._settings.secret} if self._settings.secret else {}
        return {"anthropic-version": _VERSION, **key}

    def _answer(self, body: JsonObject, took_s: float) -> Answer:
        texts = [block.text("text") for block in body.objects("content") if block.text("type") == "text"]
        usage = body.object("usage")
        read = [count for name in _READ if (count := usage.number(name)) is not None]
        written = usage.number("output_tokens")
        return Answer(
            text="".join(texts),
            stop=_STOPS.get(body.text("stop_reason"), Stop.CUT_OFF),
            model=body.text("model", self.model)[:100],
            input_tokens=int(sum(read)) if read else None,
            output_tokens=None if written is None else int(written),
            took_s=took_s,
        )
