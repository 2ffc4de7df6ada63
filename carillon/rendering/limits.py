"""How much a template may be, may be given and may produce.

Two things are bounded: what an author writes, so that parsing and compiling stay cheap, and what
one render uses, so that a template cannot hold a thread or fill the memory of the gateway.
"""

from dataclasses import dataclass
from typing import Final

SUBJECT_MOST: Final = 998
"""Characters of a rendered subject or push title (RFC 5322, section 2.1.1)."""

SOURCE_MOST: Final = 262_144
"""Characters of one field's source."""

TAGS_MOST: Final = 2_000
"""Tags of one field."""

BRANCHES_MOST: Final = 50
"""`elif`s of one `if`: each is one more level of recursion inside the engine."""

NESTING_MOST: Final = 20
"""Blocks within blocks."""

LOOP_NESTING_MOST: Final = 4
"""Loops within loops."""

PARTS_DEPTH_MOST: Final = 10
"""Templates that are put into each other."""

PARTS_MOST: Final = 100
"""Templates that are put into one field, each as often as it is."""

EXPRESSION_NODES_MOST: Final = 200
"""Operators, names, literals and filters of one expression."""

EXPRESSION_DEPTH_MOST: Final = 25
"""Parentheses and operators within each other."""

VARIABLES_MOST: Final = 262_144
"""What the variables of one render may weigh: characters, and eight for each value."""

VARIABLES_DEPTH_MOST: Final = 32
"""Objects within arrays within objects."""

BOUND_VALUE_MOST: Final = 65_536
"""Characters of a value that a template builds and names."""

FUEL: Final = 500_000
"""The engine's instructions of one render: about 10,000 rows of a table."""

CPU_SECONDS: Final = 0.15
"""The thread's own processor time for one render; waiting for other threads does not count."""

SCANNED_MOST: Final = 10_000_000
"""The cost of a template's words times the weight of the values they may touch.

A unit takes 0.02 microseconds at most, so this is 0.2 seconds between two looks at the clock,
which are taken in each turn of a loop.
"""

TOKENS_MOST: Final = 1_000
"""Words and signs of one tag."""

RANGE_MOST: Final = 1_000
"""Numbers that range gives."""


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """Characters that each rendered field of a channel may have."""

    content: int
    html: int = 0
    subject: int = SUBJECT_MOST


OUTPUT: Final[dict[str, OutputLimits]] = {
    # Mail providers refuse larger messages at 10 to 40 MB; people stop reading long before.
    "email": OutputLimits(content=262_144, html=524_288),
    # Ten segments: what carriers concatenate and Twilio accepts.
    "sms": OutputLimits(content=1_600),
    # https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages (text object)
    "whatsapp": OutputLimits(content=4_096),
    # In characters; PUSH_BYTES_MOST holds as well.
    "push": OutputLimits(content=4_096, subject=1_024),
}

PUSH_BYTES_MOST: Final = 4_096
"""UTF-8 bytes of a push title and body together: more than that no provider takes (FCM, APNs)."""
