"""Secrets out of text and of JSON, before anything is stored, shown or sent on.

Owns what counts as a secret and the mark it leaves: `[redacted:kind]`. Works on the shape of a value (a key block, a
GitHub token, a card number) and on the name it stands under (`password=`, `"api_key":`, `Authorization:`). When in
doubt it takes more rather than less. Redacting twice changes nothing more. Every pattern reads a text of n characters
in time proportional to n: repeats are possessive or bounded, and an attempt starts only where a word starts.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from stanch.kernel.event import JSON

_Spans: TypeAlias = Iterator[tuple[int, int, str]]

# A replacement can bring a second secret to the start of a word, so the rules run until nothing changes. Three rounds
# cover every nesting seen; the bound keeps a text made to need more from taking for ever.
_ROUNDS: Final = 8
_DEEPEST: Final = 100

_MARK: Final = re.compile(r"\[redacted:[a-z-]{1,30}\]")

_KEY_BLOCK: Final = re.compile(r"-----(BEGIN|END) (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY: Final = re.compile(r"(?:(?:\\[nr]|\s)*+(?:(?:Proc-Type|DEK-Info): [^\n\\]{0,80}|[A-Za-z0-9+/=]{16,}+))*+")
_KEY_LINE: Final = re.compile(r"\s*(?:(?:Proc-Type|DEK-Info): [^\n]{0,80}|[A-Za-z0-9+/=]{0,8192})\s*")

_URL_LOGIN: Final = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}+://(?!\[)"
    # user:password@, where host:8080/path is not one; a slash may be part of a password, the next "//" is not.
    r"(?:[^\s/?#\"'<>:@]{0,256}+:(?![0-9]{1,5}(?:[/?#\s\"'<>,;]|$))(?P<password>(?:[^\s\"'<>/]|/(?!/)){1,512})"
    # A long user name alone is a token (https://ghs_...@github.com, the key of a Sentry DSN).
    r"|(?P<token>[A-Za-z0-9_-]{20,256}+))(?=@)"
)

_HEADER: Final = re.compile(
    r"(?<![\w-])(?:proxy-)?authorization(?:\\{0,3}[\"'\]])?[ \t]{0,4}(?:[:=]|=>|,)[ \t]{0,4}"
    r"(?:\\{0,3}[\"'\[](?!redacted:)){0,2}+"
    r"(?P<value>(?:Digest|Signature|OAuth|Hawk|AWS4-HMAC-SHA256)[ ][^\r\n]{1,4096}"
    r"|(?:[A-Za-z][A-Za-z0-9-]{1,30}+[ \t]{1,3})?[^\s\"',;\\]{1,8192}+)",
    re.IGNORECASE,
)
_COOKIE: Final = re.compile(
    r"(?<![\w-])(?:set-)?cookie2?(?:\\{0,3}[\"'\]])?[ \t]{0,4}[:=][ \t]{0,4}(?:\\{0,3}[\"'\[](?!redacted:)){0,2}+"
    r"(?P<value>[^\s=;\"'\[\]]{1,128}+=[^\r\n\"']{0,8192}+)",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"(?<![\w-])(?P<scheme>bearer|basic)[ ]{1,3}(?P<value>[A-Za-z0-9._~+/-]{8,}+=*+)", re.I)

_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?P<jwt>eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){0,3})"
    r"|(?P<aws_key>(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9]))"
    r"|(?P<github_token>gh[pousr]_[A-Za-z0-9]{20,255}+|github_pat_[A-Za-z0-9_]{20,255}+)"
    r"|(?P<gitlab_token>gl(?:pat|ptt|dt|rt|soat|cbt|ft|imt|agent|oas|ffct)-[A-Za-z0-9_.-]{16,255}+)"
    r"|(?P<slack_token>xox[abcdeoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}+|xapp-[A-Za-z0-9-]{10,}+)"
    r"|(?P<stripe_key>(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}+|whsec_[A-Za-z0-9+/=]{16,}+)"
    r"|(?P<google_key>AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])|ya29\.[A-Za-z0-9_.-]{20,}+|GOCSPX-[A-Za-z0-9_-]{20,}+)"
    r"|(?P<api_token>sk-[A-Za-z0-9_-]{20,}+|npm_[A-Za-z0-9]{30,}+|pypi-[A-Za-z0-9_-]{40,}+|dop_v1_[a-f0-9]{60,}+"
    r"|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+|gls[ac]_[A-Za-z0-9_]{20,}+|hvs\.[A-Za-z0-9_-]{20,}+"
    r"|sntr[yu][su]_[A-Za-z0-9+/=_]{20,}+|stanch_agent_[A-Za-z0-9_-]{20,}+"
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,35}(?![A-Za-z0-9_-]))"
    r")"
)
_WEBHOOK: Final = re.compile(
    r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/_-]{10,}+|(?<=hooks\.slack\.com/workflows/)[A-Za-z0-9/_-]{10,}+"
    r"|(?<=discord\.com/api/webhooks/)[0-9]{10,}+/[A-Za-z0-9_-]{20,}+|(?<=api\.telegram\.org/bot)[0-9:A-Za-z_-]{30,}+"
)

# What every name that means a secret holds; the names themselves are judged by their words.
_HINT: Final = re.compile(
    r"pass|secret|token|key|cred|pwd|auth|sess|signature|(?<![A-Za-z])(?:jwt|otp|cvv|cvc|sid|sig)(?![A-Za-z])",
    re.IGNORECASE,
)
_LONGEST_NAME: Final = 200
_NAME_BEFORE: Final = re.compile(r"[\w.-]{0,200}\Z")
_NAME_AFTER: Final = re.compile(r"[\w.-]*+")
_JOINT: Final = re.compile(r"(?:%5D|\\{0,3}[\"'\]])?[ \t]{0,4}(?:=>|:=|(?P<colon>:)|=)[ \t]{0,4}|(?P<space>[ \t]{1,4})")
_OPENING: Final = re.compile(r"\\{0,3}[\"']")
_IN_QUOTES: Final = {
    '"': re.compile(r'(?:[^"\\\n]|\\.)*+'),
    "'": re.compile(r"(?:[^'\\\n]|\\.|'')*+"),
}
_ESCAPED_QUOTES: Final = re.compile(r"(?:[^\"'\\\n]|\\(?![\"'\\])|\\{4,}+[\"'])*+")
_PLAIN: Final = re.compile(r"(?:[^\s&;,\"'<>`\\]|,(?![\s\"']|[\w.-]{1,50}[=:])|\\(?![nrt\"'])){1,8192}+")
# After a colon these open a list or an object of JSON or YAML, not a value.
_STRUCTURE: Final = frozenset({"{", "["})
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_SECRET_PARTS: Final = (
    *("password", "passwd", "passphrase", "secret", "apikey", "privatekey", "accesskey", "authkey", "signingkey"),
    *("encryptionkey", "credential", "accesstoken", "refreshtoken", "authtoken", "idtoken", "sessiontoken"),
)
_SECRET_LAST: Final = frozenset({"token", "pwd", "jwt", "otp", "cvv", "cvc", "sessionid", "jsessionid", "phpsessid"})
_SECRET_WHEN_LONG: Final = frozenset({"sig", "signature", "sid", "session", "auth"})
_HARMLESS_LAST_WORDS: Final = """
    age at attempts algorithm changed count enabled endpoint error errors expired expires expiry expiration
    failed failures field file hint invalid len length limit manager missing name path policy ref required reset
    rotation size status store ttl type uri url usage used valid validation version
"""
_HARMLESS_LAST: Final = frozenset(_HARMLESS_LAST_WORDS.split())
# Values of these words say what is wrong with a secret and are none themselves.
_HARMLESS_VALUES_WORDS: Final = """
    true false null none nil undefined empty expired invalid missing required revoked wrong incorrect cannot not
    is has must was failed error unknown malformed mismatch rejected denied and or
"""
_HARMLESS_VALUES: Final = frozenset(_HARMLESS_VALUES_WORDS.split())

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}+\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
_CARD: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?<![0-9][.,-])(?:[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})(?![A-Za-z0-9_])"
)
# Issuer ranges and lengths of ISO/IEC 7812: Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay.
_ISSUER: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}|62[0-9]{14,17}"
)


def hide_emails(hidden: bool) -> None:
    """Have `redact` take e-mail addresses out as well, in this process, from now on: `redact_emails` of the catalog."""
    _EXTRA[:] = [_emails] if hidden else []


def redact(text: str) -> str:
    """Return `text` with every secret replaced by `[redacted:kind]`; the rest stays as it is."""
    for _ in range(_ROUNDS):
        before = text
        for spans in (*_RULES, *_EXTRA):
            text = _replace(text, spans(text))
        if text == before:
            break
    return text


def without_emails(text: str) -> str:
    """Return `text` with e-mail addresses replaced, whatever is configured: for what leaves this machine."""
    return _replace(text, _emails(text))


class LineRedactor:
    """Redacts text that comes line by line: a private key is one secret over many lines."""

    def __init__(self) -> None:
        self._in_key = False

    def line(self, text: str) -> str:
        """Return the next line without its secrets."""
        markers = list(_KEY_BLOCK.finditer(text))
        if self._in_key:
            self._in_key = not markers and _KEY_LINE.fullmatch(text) is not None
            if self._in_key:
                return "[redacted:private-key]"
            if markers and markers[0][1] == "END":
                rest = text[markers[0].end() :]
                return "[redacted:private-key]" + (self.line(rest) if rest else "")
        self._in_key = bool(markers) and markers[-1][1] == "BEGIN"
        return redact(text)


def redact_tree(tree: JSON) -> JSON:
    """Return a copy of a JSON value without its secrets: in every string, and under every name that means one.

    Understands `{"name": "DB_PASSWORD", "value": ...}`, `["Authorization", "..."]` and Kubernetes `Secret` objects.
    Below 100 levels everything is taken out.
    """
    return _tree(tree, kind="", depth=0)


def _tree(tree: JSON, *, kind: str, depth: int) -> JSON:
    if depth > _DEEPEST:
        return "[redacted:too-deep]"
    if isinstance(tree, dict):
        return {redact(name): _tree(value, kind=kind or found, depth=depth + 1) for name, value, found in _items(tree)}
    if isinstance(tree, list):
        first = tree[0] if len(tree) == 2 else None
        if isinstance(first, str) and isinstance(tree[1], str) and (found := _kind_of_name(first)):
            return [redact(first), _tree(tree[1], kind=found, depth=depth + 1)]
        return [_tree(item, kind=kind, depth=depth + 1) for item in tree]
    if isinstance(tree, str):
        hide = kind and tree.lower() not in _HARMLESS_VALUES and tree and not _MARK.fullmatch(tree)
        return f"[redacted:{kind}]" if hide else redact(tree)
    if kind and tree is not None and not isinstance(tree, bool):
        return f"[redacted:{kind}]"
    return _number(tree) if isinstance(tree, int) and not isinstance(tree, bool) else tree


def _number(number: int) -> int | str:
    """Return `number`, or the mark when its digits are a card number."""
    digits = str(number) if 0 < number < 10**19 else ""
    return "[redacted:card]" if _is_card(digits) else number


def _items(tree: dict[str, JSON]) -> Iterator[tuple[str, JSON, str]]:
    """Yield each name and value with the kind of secret the name stands for, or an empty string."""
    label = next((tree[name] for name in ("name", "key", "Name", "Key") if isinstance(tree.get(name), str)), "")
    labelled = _kind_of_name(label) if isinstance(label, str) else ""
    for name, value in tree.items():
        if labelled and name in ("value", "Value"):
            yield name, value, labelled
        elif tree.get("kind") == "Secret" and name in ("data", "stringData"):
            yield name, value, "secret"
        else:
            yield name, value, _kind_of_name(name)


def _kind_of_name(name: str) -> str:
    words = [word.lower() for word in _WORDS.findall(name[-200:])]
    joined = "".join(words)
    if joined in ("authorization", "proxyauthorization"):
        return "authorization"
    if joined in ("cookie", "setcookie", "cookies"):
        return "cookie"
    if not words or words[-1] in _HARMLESS_LAST:
        return ""
    if "password" in joined or "passwd" in joined or "passphrase" in joined or words[-1] == "pwd":
        return "password"
    if len(words) > 1 and words[-1] == "pass":
        return "password"
    if any(part in joined for part in _SECRET_PARTS) or words[-1] in _SECRET_LAST or joined in _SECRET_LAST:
        return "token" if words[-1] in ("token", "jwt") else "secret"
    return ""


def _replace(text: str, spans: _Spans) -> str:
    parts: list[str] = []
    done = 0
    for start, end, kind in spans:
        parts += (text[done:start], f"[redacted:{kind}]")
        done = end
    return "".join((*parts, text[done:])) if parts else text


def _key_blocks(text: str) -> _Spans:
    markers = list(_KEY_BLOCK.finditer(text))
    done = 0
    for index, marker in enumerate(markers):
        if marker[1] == "END" or marker.start() < done:
            continue
        following = markers[index + 1] if index + 1 < len(markers) else None
        if following is not None and following[1] == "END":
            done = following.end()
        else:
            # Cut off before its end: the lines of base 64 that follow are the key.
            body = _KEY_BODY.match(text, marker.end())
            done = body.end() if body else marker.end()
        yield marker.start(), done, "private-key"


def _url_logins(text: str) -> _Spans:
    for match in _URL_LOGIN.finditer(text):
        group = "password" if match["password"] is not None else "token"
        if not _MARK.fullmatch(match[group]) and (group == "password" or _mixed(match[group])):
            yield *match.span(group), group


def _headers(text: str) -> _Spans:
    for match in _HEADER.finditer(text):
        value = match["value"]
        if not _MARK.match(value) and value.lower().split()[0] not in _HARMLESS_VALUES:
            yield *match.span("value"), "authorization"


def _cookies(text: str) -> _Spans:
    for match in _COOKIE.finditer(text):
        yield *match.span("value"), "cookie"


def _schemes(text: str) -> _Spans:
    for match in _SCHEME.finditer(text):
        # "Basic authentication" and "bearer authentication" are words.
        secret = _is_login(match["value"]) if match["scheme"].lower() == "basic" else _mixed(match["value"])
        if secret:
            yield *match.span("value"), "authorization"


def _mixed(value: str) -> bool:
    return len(value) >= 40 or any(letter.isdigit() for letter in value)


def _is_login(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _tokens(text: str) -> _Spans:
    for match in _TOKEN.finditer(text):
        yield *match.span(), (match.lastgroup or "token").replace("_", "-")


def _webhooks(text: str) -> _Spans:
    for match in _WEBHOOK.finditer(text):
        yield *match.span(), "webhook"


def _pairs(text: str) -> _Spans:
    position = 0
    while hint := _HINT.search(text, position):
        start, position = _name_around(text, hint, since=position)
        name = text[start:position]
        joint = _JOINT.match(text, position)
        if joint is None or (joint["space"] and not name.startswith("--")):
            continue
        kind = _kind_of_name(name)
        long_only = not kind and name.lower().lstrip("-") in _SECRET_WHEN_LONG
        if not (kind or long_only) or (joint["colon"] and text[joint.end() : joint.end() + 1] in _STRUCTURE):
            continue
        first, last = _value(text, joint.end())
        value = text[first:last]
        if _is_secret_value(value) and (kind or (len(value) >= 16 and _mixed(value))):
            position = last
            yield first, last, kind or "secret"


def _name_around(text: str, hint: re.Match[str], *, since: int) -> tuple[int, int]:
    """Return where the name that holds `hint` begins, not before `since`, and where it ends."""
    before = _NAME_BEFORE.search(text, max(since, hint.start() - _LONGEST_NAME), hint.start())
    after = _NAME_AFTER.match(text, hint.end())
    return before.start() if before else hint.start(), after.end() if after else hint.end()


def _value(text: str, position: int) -> tuple[int, int]:
    """Return where the value that starts at `position` stands, without its quotes."""
    opening = _OPENING.match(text, position)
    if opening is None:
        plain = _PLAIN.match(text, position)
        if plain is None:
            return position, position
        kept = plain[0] if plain[0].startswith("[redacted:") else plain[0].rstrip(")]}.")
        return position, position + len(kept)
    inside = _IN_QUOTES[opening[0]] if len(opening[0]) == 1 else _ESCAPED_QUOTES
    body = inside.match(text, opening.end())
    return opening.end(), body.end() if body else opening.end()


def _is_secret_value(value: str) -> bool:
    mark = _MARK.match(value)
    if mark and not value[mark.end() :].strip(")]}.,"):
        return False
    return bool(value.strip("*.{}[]()<> ")) and value.lower().strip(".:!)") not in _HARMLESS_VALUES


def _cards(text: str) -> _Spans:
    position = 0
    while match := _CARD.search(text, position):
        if _is_card(re.sub(r"[ -]", "", match[0])):
            position = match.end()
            yield *match.span(), "card"
        else:
            position = match.start() + 1


def _emails(text: str) -> _Spans:
    for match in _EMAIL.finditer(text):
        yield *match.span(), "email"


def _is_card(digits: str) -> bool:
    """Tell whether `digits` is a number of a known issuer whose last digit fits (Luhn, ISO/IEC 7812-1 annex B)."""
    if not _ISSUER.fullmatch(digits):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


_RULES: Final[tuple[Callable[[str], _Spans], ...]] = (
    _key_blocks,
    _url_logins,
    _headers,
    _cookies,
    _tokens,
    _webhooks,
    _schemes,
    _pairs,
    _cards,
)
_EXTRA: Final[list[Callable[[str], _Spans]]] = []
"""What the configuration adds; set once, before anything is taken in."""
