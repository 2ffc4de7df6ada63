"""JSON that PostgreSQL can store and nobody can misread."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.web.strict_json import INTEGER_MOST, InvalidJSONText, loads

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")

STORABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-INTEGER_MOST - 1, max_value=INTEGER_MOST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=TEXT),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(alphabet=TEXT, max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(STORABLE, st.booleans())
def test_everything_storable_is_read_as_the_standard_library_reads_it(
    value: object, ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "Expecting value"),
        (b'{"a":1,"a":2}', "same key twice"),
        (b'{"x":{"a":1,"b":2,"a":1}}', "same key twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "out of range"),
        (b"9223372036854775808", "64 bits"),
        (b"-9223372036854775809", "64 bits"),
        (b"1" * 5000, "64 bits"),
        (b'"\\u0000"', "NUL"),
        (b'{"a\\u0000":1}', "NUL"),
        (b'{"a":["\\ud800"]}', "surrogate"),
        (b'"\\uDFFF x"', "surrogate"),
        (b'"a\x00b"', "control character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"\xff", "UTF-8"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b"{} {}", "Extra data"),
    ],
)
def test_the_rest_is_refused_with_a_reason(raw: bytes, why: str) -> None:
    with pytest.raises(InvalidJSONText, match=why):
        loads(raw)


def test_escapes_that_only_look_dangerous_pass() -> None:
    assert loads(b'"\\\\u0000 \\ud83d\\ude00"') == "\\u0000 \U0001f600"
