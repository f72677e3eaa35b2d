"""JSON as senders write it: half a character is replaced, and the rest of the message is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.kernel.errors import Invalid
from stanch.kernel.jsontext import read_json, without_half_characters


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\ude00 cut"', "\ufffd cut"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'{"\ud800": "x"}', {"\ufffd": "x"}),
    ],
)
def test_half_a_character_is_replaced(body: bytes, value: object) -> None:
    """A surrogate that stands alone becomes U+FFFD; pairs, and what only looks like one, stay."""
    assert value == read_json(body)


@pytest.mark.parametrize("body", [b"{", b'"', b'{"a": }', rb'"\ud8"'])
def test_what_is_no_json_stays_none(body: bytes) -> None:
    """What is wrong otherwise is refused as the body's fault."""
    with pytest.raises(Invalid) as raised:
        read_json(body)

    assert "body" == raised.value.problems[0].field


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_good_json_is_left_alone(value: object) -> None:
    """What Python writes, escapes and all, is not changed by a byte."""
    body = json.dumps(value).encode()

    assert body == without_half_characters(body)
