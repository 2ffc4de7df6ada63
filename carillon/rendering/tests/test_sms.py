"""SMS are counted as the network counts them."""

import pytest

from carillon.rendering.sms import Encoding, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", Encoding.GSM7, 0, 0),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        # 153 is odd: a character of two septets does not fit into the last one of a segment.
        ("€" * 152, Encoding.GSM7, 304, 2),
        ("€" * 153, Encoding.GSM7, 306, 3),
        ("éàÇ@£\n{}[]", Encoding.GSM7, 14, 1),
        ("ç", Encoding.UCS2, 1, 1),
        ("\u2019" + "a" * 69, Encoding.UCS2, 70, 1),
        ("\u2019" + "a" * 70, Encoding.UCS2, 71, 2),
        ("你" * 134, Encoding.UCS2, 134, 2),
        ("你" * 135, Encoding.UCS2, 135, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        # 67 is odd, too: half of a surrogate pair is not sent.
        ("😀" * 66, Encoding.UCS2, 132, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
    ],
)
def test_segments(text: str, encoding: Encoding, units: int, count: int) -> None:
    found = segments(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, count)


def test_the_character_that_forces_unicode_is_named() -> None:
    found = segments("It\u2019s “here”")
    assert (found.forced_by, found.forced_at) == ("\u2019", 2)
