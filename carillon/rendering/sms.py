"""How many SMS a text makes: its encoding, its length in that encoding, its segments.

3GPP TS 23.038: a text of the GSM 7-bit alphabet has 160 septets in one message and 153 in each of
several; characters of the extension table count two. One other character makes the whole text
UCS-2: 70 and 67 UTF-16 units.
"""

from dataclasses import dataclass
from enum import StrEnum

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_SEPTETS = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENSION, 2)}


class Encoding(StrEnum):
    """How a text is encoded."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets or UTF-16 units; `forced_by` is the first character that needs UCS-2."""

    encoding: Encoding
    units: int
    segments: int
    forced_by: str = ""
    forced_at: int = -1


def segments(text: str) -> Segments:
    """Of an empty text there are none."""
    forced_at = next((i for i, c in enumerate(text) if c not in _SEPTETS), -1)
    if forced_at < 0:
        costs = [_SEPTETS[character] for character in text]
        return Segments(Encoding.GSM7, sum(costs), _pack(costs, single=160, several=153))
    costs = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Segments(
        Encoding.UCS2,
        sum(costs),
        _pack(costs, single=70, several=67),
        forced_by=text[forced_at],
        forced_at=forced_at,
    )


def _pack(costs: list[int], *, single: int, several: int) -> int:
    """A character is never split over two segments: its two units go into the next one."""
    if sum(costs) <= single:
        return 1 if costs else 0
    count, used = 1, 0
    for cost in costs:
        if used + cost > several:
            count, used = count + 1, 0
        used += cost
    return count
