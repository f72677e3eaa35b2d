"""The chat completions protocol of OpenAI (https://platform.openai.com/docs/api-reference/chat), which llama.cpp,
Ollama, vLLM and most other servers speak too.

A server of one's own (`local`) is told the length of an answer as `max_tokens`; OpenAI's newer models refuse that word
and take `max_completion_tokens`, which the others do not know.
"""

from typing import Final

from stanch.integrations.thinker.post import get_json, host_of, post_json, unreadable
from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.thinker import Answer, Ask, Stop, ThinkerSettings

URL: Final = "https://api.openai.com/v1"
_STOPS: Final = {"stop": Stop.DONE, "length": Stop.CUT_OFF, "content_filter": Stop.REFUSED}
_LENGTH: Final = {"openai": "max_completion_tokens", "local": "max_tokens"}


class OpenAIThinker:
    """Asks a model over chat completions."""

    def __init__(self, settings: ThinkerSettings) -> None:
        self._settings = settings
        self._base = (settings.url or URL).rstrip("/")
        self._url = f"{self._base}/chat/completions"

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
        """Ask once."""
        body: dict[str, JSON] = {
            "model": self.model,
            _LENGTH.get(self.kind, "max_tokens"): ask.most_tokens,
            "messages": [{"role": "system", "content": ask.task}, {"role": "user", "content": ask.data}],
            "stream": False,
        }
        if self._settings.structured:
            wanted: JSON = {"name": "answer", "strict": True, "schema": dict(ask.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        posted = post_json(self._url, body, headers=self._headers, timeout_s=self._settings.timeout_s)
        try:
            return self._answer(posted.body, posted.took_s)
        except Invalid as error:
            raise unreadable(self._url, error) from None

    def knows_model(self) -> bool | None:
        """Look it up in the list of models."""
        url = f"{self._base}/models"
        found = get_json(url, headers=self._headers, timeout_s=self._settings.timeout_s)
        if found is None:
            return None
        try:
            return self.model in {one.text("id") for one in found.objects("data")}
        except Invalid as error:
            raise unreadable(url, error) from None

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.secret}"} if self._settings.secret else {}

    def _answer(self, body: JsonObject, took_s: float) -> Answer:
        choices = body.objects("choices")
        if not choices:
            raise Invalid("holds no choice", field="choices")
        message = choices[0].object("message")
        usage = body.object("usage")
        read, written = usage.number("prompt_tokens"), usage.number("completion_tokens")
        stop = _STOPS.get(choices[0].text("finish_reason"), Stop.CUT_OFF)
        return Answer(
            text=message.text("content"),
            stop=Stop.REFUSED if message.text("refusal") else stop,
            model=body.text("model", self.model)[:100],
            input_tokens=None if read is None else int(read),
            output_tokens=None if written is None else int(written),
            took_s=took_s,
        )
