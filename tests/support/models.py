"""A language model that says what a test wrote down: a server that speaks both protocols, and goes wrong as asked."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Line:
    """What to answer next: a text in the protocol's envelope, or a status with a body of its own.

    `stop` is `done`, `cut_off` or `refused`; with `hangs` the server reads and never answers, with `breaks` it sends
    the first bytes and closes. `tokens` is what it counts, None for a server that does not.
    """

    text: str = ""
    stop: str = "done"
    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    hangs: bool = False
    breaks: bool = False
    tokens: tuple[int, int] | None = (1_000, 100)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request: its path, its headers in lower case, its body."""

    path: str
    headers: dict[str, str]
    body: dict[str, JSON]

    @property
    def data(self) -> str:
        """Return the user's message."""
        messages = self.body["messages"]
        assert isinstance(messages, list)
        last = messages[-1]
        assert isinstance(last, dict)
        return str(last["content"])


@dataclass
class Model:
    """A running server: where it is, what is left to say, what it was asked.

    `lists` are the models that it says it has, None where it has no list; `key` is asked for where it is set.
    """

    url: str = ""
    lines: list[Line] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    lists: list[str] | None = None
    key: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def says(self, *answers: object) -> None:
        """Answer with these from now on: a `Line`, or a value that is written as JSON."""
        self.lines += [one if isinstance(one, Line) else Line(text=json.dumps(one)) for one in answers]


@contextmanager
def model(script: Sequence[object] = ()) -> Iterator[Model]:
    """Run a model on a free port of this machine."""
    found = Model()
    found.says(*script)

    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        def do_POST(self) -> None:
            """Say the next line."""
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.heard.append(Heard(path=self.path, headers=headers, body=json.loads(raw)))
            line = found.lines.pop(0) if found.lines else Line(status=500, body="nothing left to say")
            if line.hangs:
                found.over.wait(30)
                return
            body = (line.body or json.dumps(_envelope(self.path, line))).encode()
            self.send_response(line.status)
            for name, value in line.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if line.breaks else body)

        def do_GET(self) -> None:
            """Say which models there are: none where `lists` is None, as some servers do."""
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.heard.append(Heard(path=self.path, headers=headers, body={}))
            name = self.path.rpartition("/")[2]
            if found.key and found.key not in (headers.get("x-api-key"), headers.get("authorization", "")[7:]):
                self._say(401, {"error": {"message": "invalid key"}})
            elif found.lists is not None and name == "models":
                self._say(200, {"data": [{"id": one} for one in found.lists]})
            elif found.lists is not None and name in found.lists:
                self._say(200, {"id": name})
            else:
                self._say(404, {"error": {"message": "not found"}})

        def _say(self, status: int, value: JSON) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _envelope(path: str, line: Line) -> dict[str, JSON]:
    """Return a text as the protocol of `path` wraps it."""
    if path.endswith("/messages"):
        stops = {"done": "end_turn", "cut_off": "max_tokens", "refused": "refusal"}
        wrapped: dict[str, JSON] = {
            "type": "message",
            "role": "assistant",
            "model": "scripted-1",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": line.text}],
            "stop_reason": stops[line.stop],
        }
        if line.tokens:
            wrapped["usage"] = {
                "input_tokens": line.tokens[0] - 10,
                "cache_read_input_tokens": 10,
                "output_tokens": line.tokens[1],
            }
        return wrapped
    stops = {"done": "stop", "cut_off": "length", "refused": "stop"}
    refusal = "I would rather not." if line.stop == "refused" else None
    message: JSON = {"role": "assistant", "content": None if refusal else line.text, "refusal": refusal}
    wrapped = {
        "object": "chat.completion",
        "model": "scripted-1",
        "choices": [{"index": 0, "message": message, "finish_reason": stops[line.stop]}],
    }
    if line.tokens:
        wrapped["usage"] = {"prompt_tokens": line.tokens[0], "completion_tokens": line.tokens[1]}
    return wrapped
