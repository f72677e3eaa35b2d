"""Which language model may be asked, for what, and how much of it: `[thinker]`. Record, keys, reading.

Without `uses` nothing is asked and nothing leaves: naming a use is the consent to it.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Problem

PROVIDERS: Final = ("anthropic", "openai", "local")
USES: Final = ("summary", "update", "hypotheses")
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class ThinkerSpec:
    """A model and its limits. Limits hold for one incident; `price_in` and `price_out` are for a million tokens, in
    `currency`."""

    provider: str = ""
    model: str = ""
    url: str = ""
    key_env: str = ""
    uses: tuple[str, ...] = ()
    timeout_s: float = 60.0
    structured: bool = True
    most_characters: int = 24_000
    answer_tokens: int = 2_000
    calls: int = 12
    tokens: int = 150_000
    money: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0
    currency: str = ""

    @property
    def is_on(self) -> bool:
        """Tell whether anything may be asked."""
        return bool(self.provider and self.uses)


THINKER: Final = (
    Key(name="provider", type=Type.TEXT, doc="Which protocol it speaks.", words=PROVIDERS),
    Key(name="model", type=Type.TEXT, doc="The model's name, as its provider writes it."),
    Key(name="url", type=Type.TEXT, doc="Where it is; `local` needs one, such as `http://127.0.0.1:11434/v1`."),
    Key(name="key_env", type=Type.TEXT, doc="The environment variable that holds the key."),
    Key(
        name="uses",
        type=Type.TEXTS,
        doc="What it may be asked for: `summary`, `update`, `hypotheses`. Without any, nothing leaves.",
    ),
    Key(name="timeout_s", type=Type.SECONDS, doc="How long an answer is waited for.", low=1, high=600),
    Key(name="structured", type=Type.BOOLEAN, doc="Send the JSON Schema of the answer along."),
    Key(
        name="most_characters",
        type=Type.INTEGER,
        doc="How much of the log one question may hold.",
        low=2_000,
        high=400_000,
    ),
    Key(name="answer_tokens", type=Type.INTEGER, doc="How long one answer may be.", low=100, high=8_192),
    Key(name="calls", type=Type.INTEGER, doc="How often it may be asked, per incident.", low=1, high=1_000),
    Key(
        name="tokens",
        type=Type.INTEGER,
        doc="How many tokens may be read and written, per incident.",
        low=1_000,
        high=100_000_000,
    ),
    Key(name="money", type=Type.NUMBER, doc="What may be spent, per incident; 0 counts none. Needs prices.", low=0),
    Key(name="price_in", type=Type.NUMBER, doc="What a million tokens read cost.", low=0),
    Key(name="price_out", type=Type.NUMBER, doc="What a million tokens written cost.", low=0),
    Key(name="currency", type=Type.TEXT, doc="What prices and `money` are in, e.g. `USD`."),
)


def read_thinker(top: Reader, problems: list[Problem]) -> dict[str, object]:
    """Return `[thinker]` as data, and note what is wrong with it."""
    reader = Reader(top.table("thinker"), at="thinker", keys=THINKER, problems=problems)
    given = reader.given()
    if not given:
        return given
    told = {one.field for one in problems}
    for key in ("provider", "model"):
        if f"thinker.{key}" not in told and not reader.text(key).strip():
            reader.complain(key, "is missing")
    for use in reader.texts("uses"):
        if use not in USES:
            reader.complain("uses", f"there is no use {use!r}{did_you_mean(use, USES)}")
    if (variable := reader.text("key_env")) and not variable.isidentifier():
        reader.complain("key_env", "names an environment variable, and never holds the key itself")
    _complain_of_url(reader)
    if reader.number("money", default=0) and not (
        reader.number("price_in", default=0) and reader.number("price_out", default=0)
    ):
        reader.complain("money", "needs price_in and price_out, or nothing says what a call costs")
    return given


def _complain_of_url(reader: Reader) -> None:
    url = reader.text("url")
    if not url:
        if reader.text("provider") == "local":
            reader.complain("url", "is missing: a server of one's own has no address by itself")
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        reader.complain("url", "is no URL of HTTP without a user")
    elif parts.scheme == "http" and reader.text("key_env") and parts.hostname not in _HERE:
        reader.complain("url", "must be https: a key would travel in the clear")
